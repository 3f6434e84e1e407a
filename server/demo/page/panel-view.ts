import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { ChangeDetail, GetToken, SessionAlertsElement } from 'session-alerts-panel';
import type { DemoState } from './shared-state.js';

/** What all panels of the page have in common. */
export interface PanelSettings {
  api: string;
  state: DemoState;
}

/** The panel of a session, or of all a person's sessions. */
export interface PanelOf {
  session?: string;
  sessionHref?: string;
  quiet: boolean;
  getToken: GetToken;
  onChange: (detail: ChangeDetail) => void;
}

export function panelView(
  { api, state }: PanelSettings,
  { session, sessionHref, quiet, getToken, onChange }: PanelOf,
): TemplateResult {
  const { language, theme, tabCount, notifications } = state;
  return html`<session-alerts
    api=${api}
    session-name=${session ?? nothing}
    session-href=${sessionHref ?? nothing}
    push-worker="/panel/push-worker.js"
    lang=${language}
    theme=${theme === 'system' ? nothing : theme}
    ?quiet=${quiet}
    ?tab-count=${tabCount}
    ?desktop-notifications=${notifications}
    .texts=${textsFor(state)}
    .getToken=${getToken}
    @session-alerts-change=${({ detail }: CustomEvent<ChangeDetail>) => {
      onChange(detail);
    }}
  ></session-alerts>`;
}

/** No texts of our own; other ones each time, so that the panel looks at language and direction again. */
const noTexts = new Map<string, SessionAlertsElement['texts']>();

function textsFor({ language, direction }: DemoState): SessionAlertsElement['texts'] {
  const key = `${language} ${direction}`;
  const texts = noTexts.get(key) ?? {};
  noTexts.set(key, texts);
  return texts;
}

/** How a panel is, in a few words. */
export function panelSays(detail: ChangeDetail | undefined): string {
  return detail ? `${detail.open ?? '?'} open, ${detail.state}` : 'connecting';
}
