import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { guard } from 'lit/directives/guard.js';
import type { Alert, AlertSeries } from './alert.js';
import { icon } from './icons.js';
import { safeAddress } from './links.js';
import { exactTime, timeAgo } from './relative-time.js';
import { renderMessage } from './message-nodes.js';
import { severityOf } from './severity.js';
import { fill, fillPlural } from './texts.js';
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
export function severityWord(
  { severity }: Pick<Alert, 'severity'>,
  { severities }: SessionAlertsTexts,
): string {
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

function severityTemplate(of: Pick<Alert, 'severity'>, { texts }: Wording): TemplateResult {
  return html`<span class="severity" part="severity">${severityWord(of, texts)}</span>`;
}

function messageTemplate({ message }: Pick<Alert, 'message'>): TemplateResult {
  return html`<div class="message" part="message">${guard([message], () => renderMessage(message))}</div>`;
}

function runbookTemplate(address: string | null, { texts }: Wording): TemplateResult | typeof nothing {
  const runbook = address === null ? undefined : safeAddress(address);
  return runbook === undefined
    ? nothing
    : html`<a class="action" part="runbook" href=${runbook} target="_blank" rel="noopener noreferrer"
        >${texts.runbook}${icon('external')}</a
      >`;
}

/** An open alert. */
export function alertTemplate(alert: Alert, wording: Wording, onDismiss: () => void): TemplateResult {
  const { texts } = wording;
  const severity = severityOf(alert.severity);
  return html`<li class="alert ${severity}" part="alert alert-${severity}" data-id=${alert.id}>
    <span class="sign">${icon(severity)}</span>
    <div>
      <h3 class="title" part="title">${alert.title}</h3>
      <p class="meta">
        ${severityTemplate(alert, wording)} <span aria-hidden="true">·</span>
        ${timeTemplate(alert.escalated_date ?? alert.creation_date, wording)}
      </p>
      ${messageTemplate(alert)} ${alert.series.length > 1 ? othersTemplate(alert, wording) : nothing}
      <div class="actions">
        ${runbookTemplate(alert.runbook_url, wording)}
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

/** What else fires behind an alert, which itself says what the first of its series does. */
function othersTemplate(alert: Alert, wording: Wording): TemplateResult {
  const { texts, language } = wording;
  const notListed = alert.series_count - alert.series.length;
  return html`<div class="others">
    <p class="meta">${texts.also}</p>
    <ul role="list">
      ${alert.series.slice(1).map((series) => seriesTemplate(series, alert, wording))}
    </ul>
    ${notListed > 0 ? html`<p class="meta">${fillPlural(texts.andMore, notListed, language)}</p>` : nothing}
  </div>`;
}

/** One of several series: of its words those that are not the alert's as well, or its title where all are. */
function seriesTemplate(series: AlertSeries, alert: Alert, wording: Wording): TemplateResult {
  const severity = severityOf(series.severity);
  const hasMessage = series.message !== alert.message && series.message !== '';
  const hasTitle = series.title !== alert.title || !hasMessage;
  return html`<li class="series ${severity}" part="series">
    ${hasTitle ? html`<p class="title">${series.title}</p>` : nothing}
    <p class="meta">
      ${severityTemplate(series, wording)} <span aria-hidden="true">·</span>
      ${timeTemplate(series.starts_at, wording)}
    </p>
    ${hasMessage ? messageTemplate(series) : nothing}
    ${series.runbook_url === alert.runbook_url ? nothing : runbookTemplate(series.runbook_url, wording)}
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
