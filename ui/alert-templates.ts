import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { guard } from 'lit/directives/guard.js';
import type { Alert } from './alert.js';
import { icon } from './icons.js';
import { safeAddress } from './links.js';
import { exactTime, timeAgo } from './relative-time.js';
import { renderMessage } from './message-nodes.js';
import { severityOf } from './severity.js';
import { fill } from './texts.js';
import type { SessionAlertsTexts } from './texts.js';

/** What all of the panel's parts are told in. */
export interface Wording {
  texts: SessionAlertsTexts;
  /** A BCP 47 tag; the browser's language where undefined. */
  language: string | undefined;
  /** Moment (ms) from which "5 min ago" is counted. */
  now: number;
}

/** The word for an alert's severity: ours for those that we know, its own for any other. */
export function severityWord({ severity }: Alert, { severities }: SessionAlertsTexts): string {
  const known = severityOf(severity);
  return known === 'other' ? (severity?.trim() ?? '') || severities.none : severities[known];
}

function timeTemplate(date: string, { texts, language, now }: Wording): TemplateResult | typeof nothing {
  const moment = Date.parse(date);
  if (Number.isNaN(moment)) return nothing;
  return html`<time part="time" datetime=${date} title=${exactTime(moment, language)}
    >${timeAgo(moment, now, language) ?? texts.justNow}</time
  >`;
}

/** An open alert. */
export function alertTemplate(alert: Alert, wording: Wording, onDismiss: () => void): TemplateResult {
  const { texts } = wording;
  const severity = severityOf(alert.severity);
  const runbook = alert.runbook_url === null ? undefined : safeAddress(alert.runbook_url);
  return html`<li class="alert ${severity}" part="alert alert-${severity}" data-id=${alert.id}>
    <span class="sign">${icon(severity)}</span>
    <div>
      <h3 class="title" part="title">${alert.title}</h3>
      <p class="meta">
        <span class="severity" part="severity">${severityWord(alert, texts)}</span>
        <span aria-hidden="true">·</span> ${timeTemplate(alert.creation_date, wording)}
      </p>
      <div class="message" part="message">${guard([alert.message], () => renderMessage(alert.message))}</div>
      <div class="actions">
        ${
          runbook === undefined
            ? nothing
            : html`<a class="action" part="runbook" href=${runbook} target="_blank" rel="noopener noreferrer"
                >${texts.runbook}${icon('external')}</a
              >`
        }
        <button
          class="action"
          part="dismiss"
          type="button"
          aria-label=${fill(texts.dismissAlert, { title: alert.title })}
          @click=${onDismiss}
        >
          ${texts.dismiss}
        </button>
      </div>
    </div>
  </li>`;
}

/** An alert that has ended, and why. */
export function endedTemplate(alert: Alert, wording: Wording): TemplateResult {
  const reasons: Partial<Record<string, string>> = wording.texts.reasons;
  return html`<li class="ended" part="ended">
    ${icon(severityOf(alert.severity))}
    <div>
      <p class="title">${alert.title}</p>
      <p class="meta">
        ${reasons[alert.resolved_reason ?? ''] ?? wording.texts.reasons.other}
        <span aria-hidden="true">·</span>
        ${timeTemplate(alert.resolved_date ?? alert.updated_date, wording)}
      </p>
    </div>
  </li>`;
}
