import type {} from 'session-alerts-panel/react';

/** All that there is to set. */
export const everything = (
  <session-alerts
    class="bell"
    lang="de"
    api="/api/data"
    session-name="s-1"
    session-href="/sessions/{session}"
    credentials="include"
    theme="dark"
    open
    quiet={false}
    tab-count=""
    desktop-notifications
    token={undefined}
    getToken={({ refresh }) => (refresh ? 'new' : 'old')}
    texts={{ heading: 'Meldungen', severities: { critical: 'Kritisch' } }}
    ref={(panel) => {
      if (panel) panel.sessionHref = '';
    }}
    onsession-alerts-change={({ detail }) => detail.state === 'live'}
    onsession-alerts-dismiss={({ detail }) => detail.alert.title}
    onsession-alerts-problem={({ detail }) => detail.kind === 'cors'}
  />
);
export const properties = <session-alerts sessionName="s-1" sessionHref="" tabCount desktopNotifications />;

// @ts-expect-error -- no such property
export const misspelt = <session-alerts sessionNam="s-1" />;
// @ts-expect-error -- no such theme
export const purple = <session-alerts theme="purple" />;
// @ts-expect-error -- no text
export const number = <session-alerts api={1} />;
