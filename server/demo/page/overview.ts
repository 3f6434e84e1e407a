import { html } from 'lit';
import type { TemplateResult } from 'lit';
import type { Person, Session } from './demo-config.js';

/** Where a session is in the page, with `{session}` for its name. */
export const SESSION_HREF = '#session-{session}';

/** All sessions of a person: links, and a panel of all their alerts. */
export function overview(
  person: Person,
  sessions: readonly Session[],
  panel: TemplateResult,
  says: string,
): TemplateResult {
  return html`<section class="overview" aria-label="${person.name}’s overview">
    <span class="avatar" aria-hidden="true">${person.name[0]}</span>
    <h2>All of ${person.name}’s sessions</h2>
    <ul class="links" role="list">
      ${sessions.map(
        ({ name }) => html`<li><a href=${SESSION_HREF.replace('{session}', name)}>${name}</a></li>`,
      )}
    </ul>
    <span class="says">Panel: ${says}</span>
    ${panel}
  </section>`;
}
