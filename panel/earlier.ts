import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { linksTemplate, messageTemplate, severityTemplate, timeTemplate } from './alert-templates.js';
import type { AlertActions, Wording } from './alert-templates.js';
import type { Alert } from './alert.js';
import { HISTORY_LIMIT } from './alerts-api.js';
import { icon, severityIcon } from './icons.js';
import { severityOf } from './severity.js';
import { fillPlural } from './texts.js';

/** What ended lately. */
export class Earlier {
  /** Undefined as long as it is being asked. */
  private ended: readonly Alert[] | 'failed' | undefined;
  /** Ids of those that are opened. */
  private readonly opened = new Set<string>();
  private asked = 0;

  /** @param ask asks the API for them */
  constructor(
    private readonly ask: () => Promise<readonly Alert[]>,
    private readonly onChange: () => void,
  ) {}

  async load(): Promise<void> {
    if (this.ended === 'failed') this.ended = undefined;
    this.onChange();
    const asked = (this.asked += 1);
    const ended = await this.ask().catch(() => 'failed' as const);
    // Only the last answer counts.
    if (asked !== this.asked) return;
    this.ended = ended;
    this.onChange();
  }

  /** @param tryAgain what the button does that stands where it has failed */
  template(wording: Wording, actions: AlertActions, tryAgain: () => void): TemplateResult {
    const { ended, opened } = this;
    const { texts, language } = wording;
    if (ended === undefined) return html`<p class="hint">${texts.earlierLoading}</p>`;
    if (ended === 'failed') {
      return html`<p class="hint">
        ${texts.earlierFailed}
        <button class="action" type="button" @click=${tryAgain}>${texts.tryAgain}</button>
      </p>`;
    }
    if (ended.length === 0) return html`<p class="hint">${texts.earlierNone}</p>`;
    return html`<ul role="list">
        ${repeat(
          ended,
          ({ id }) => id,
          (alert) =>
            endedTemplate(alert, wording, actions, opened.has(alert.id), () => {
              if (!opened.delete(alert.id)) opened.add(alert.id);
              this.onChange();
            }),
        )}
      </ul>
      ${
        ended.length < HISTORY_LIMIT
          ? nothing
          : html`<p class="hint">${fillPlural(texts.earlierCapped, HISTORY_LIMIT, language)}</p>`
      }`;
  }
}

/** An alert that has ended, and why; opened, it says again what it said. */
function endedTemplate(
  alert: Alert,
  wording: Wording,
  actions: AlertActions,
  isOpen: boolean,
  onToggle: () => void,
): TemplateResult {
  const { texts } = wording;
  const reasons: Partial<Record<string, string>> = texts.reasons;
  const id = `ended-${alert.id}`;
  const severity = severityOf(alert.severity);
  return html`<li class="ended ${severity}" part="ended">
    ${severityIcon(alert.severity)}
    <div>
      <button class="title" type="button" aria-expanded=${isOpen} aria-controls=${id} @click=${onToggle}>
        <span dir="auto">${alert.title}</span>${icon('chevron')}
      </button>
      <p class="meta">
        ${reasons[alert.resolved_reason ?? ''] ?? texts.reasons.other}
        <span aria-hidden="true">·</span>
        ${timeTemplate(alert.resolved_date ?? alert.updated_date, wording)}
      </p>
      <div id=${id} ?hidden=${!isOpen}>
        ${
          isOpen
            ? html`<p class="meta">
                  ${severityTemplate(alert, wording)} <span aria-hidden="true">·</span>
                  ${timeTemplate(alert.creation_date, wording)}
                </p>
                ${messageTemplate(alert, id, wording, actions)} ${linksTemplate(alert, undefined, wording)}`
            : nothing
        }
      </div>
    </div>
  </li>`;
}
