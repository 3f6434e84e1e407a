import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { guard } from 'lit/directives/guard.js';
import { isMuted } from './alert.js';
import type { Alert, AlertSeries } from './alert.js';
import { readingOf } from './alerts-on-screen.js';
import { isolated } from './bidi.js';
import { icon, severityIcon } from './icons.js';
import { safeAddress } from './links.js';
import { clockTime, exactTime, timeAgo } from './relative-time.js';
import { renderMessage } from './message-nodes.js';
import { knownSeverity, severityOf } from './severity.js';
import { capitalized, fill, fillPlural } from './texts.js';
import type { SessionAlertsTexts } from './texts.js';

/** What all of the panel's parts are told in. */
export interface Wording {
  texts: SessionAlertsTexts;
  /** Of the texts and of times, as a BCP 47 tag. */
  language: string;
  /** Moment (ms, by the server's clock) from which "5 min ago" is counted. */
  now: number;
}

/** What can be done with the alerts that are listed. */
export interface AlertActions {
  dismiss(alert: Alert): void;
  undo(alert: Alert): void;
  /** Whether a long message, by its key, is shown as a whole. */
  isWhole(key: string): boolean;
  isLong(key: string): boolean;
  showWhole(key: string): void;
  hasFailed(alert: Alert): boolean;
  isLeaving(alert: Alert): boolean;
  /** What mutes it, where that can be. */
  mute(alert: Alert): unknown;
}

type Words = Pick<
  AlertSeries,
  'title' | 'message' | 'severity' | 'runbook_url' | 'action_label' | 'action_url'
>;

/** The word for a severity as in a sentence: ours for those that we know, its own for any other. */
export function severityName(
  { severity }: Pick<Words, 'severity'>,
  { severities }: SessionAlertsTexts,
): string {
  return ownSeverity(severity) || severities[knownSeverity(severity) ?? 'none'];
}

/** The word for a severity as it stands alone: what a rule calls it stays as it is written there. */
export function severityWord(of: Pick<Words, 'severity'>, { texts, language }: Wording): string {
  return ownSeverity(of.severity) || capitalized(severityName(of, texts), language);
}

/** A severity's own word, where the panel has none for it. */
function ownSeverity(severity: string | null): string {
  return knownSeverity(severity) ? '' : (severity?.trim() ?? '');
}

export function timeTemplate(
  date: string,
  { texts, language, now }: Wording,
): TemplateResult | typeof nothing {
  const moment = Date.parse(date);
  if (Number.isNaN(moment)) return nothing;
  return html`<time part="time" dir="auto" datetime=${date} title=${exactTime(moment, language)}
    >${timeAgo(moment, now, language) ?? texts.justNow}</time
  >`;
}

export function severityTemplate(of: Pick<Words, 'severity'>, wording: Wording): TemplateResult {
  return html`<span class="severity" part="severity" dir="auto">${severityWord(of, wording)}</span>`;
}

/** That an alert is muted, and until when unless it is for good. */
function mutedText({ muted_until: until }: Alert, { texts, language, now }: Wording): string {
  return until === null || until > '9999'
    ? texts.muted
    : fill(texts.mutedUntil, { time: clockTime(Date.parse(until), now, language) });
}

/** A message, of which a long one shows its first lines only until all is asked for. */
export function messageTemplate(
  { message, title }: Pick<Words, 'message' | 'title'>,
  key: string,
  { texts }: Wording,
  actions: AlertActions,
): TemplateResult | typeof nothing {
  if (message === '') return nothing;
  const isFolded = actions.isLong(key) && !actions.isWhole(key);
  return html`<div
      class=${isFolded ? 'message folded' : 'message'}
      part="message"
      data-message=${key}
      @focusin=${() => {
        actions.showWhole(key);
      }}
    >
      ${guard([message], () => renderMessage(message))}
    </div>
    ${
      isFolded
        ? html`<button
            class="action fold"
            part="show-all"
            type="button"
            aria-label=${fill(texts.showAllOf, { title: isolated(title) })}
            @click=${() => {
              actions.showWhole(key);
            }}
          >
            ${icon('chevron')}${texts.showAll}
          </button>`
        : nothing
    }`;
}

function linkTemplate(
  part: string,
  address: string | null,
  label: string,
  title: string,
  { texts }: Wording,
): TemplateResult | typeof nothing {
  const safe = address === null ? undefined : safeAddress(address);
  return safe === undefined
    ? nothing
    : html`<a
        class="action"
        part=${part}
        href=${safe}
        target="_blank"
        rel="noopener noreferrer"
        aria-label=${fill(texts.linkOf, {
          label: isolated(label),
          title: isolated(title),
          newTab: texts.newTab,
        })}
        ><span dir="auto">${label}</span>${icon('external')}</a
      >`;
}

/** Where the words of an alert or a series lead to; of a series those that are not the alert's as well. */
export function linksTemplate(of: Words, alert: Words | undefined, wording: Wording): TemplateResult {
  const { title, runbook_url: runbook, action_label: label, action_url: address } = of;
  return html`${
    label && address !== alert?.action_url && /^https?:/i.test(address ?? '')
      ? linkTemplate('action', address, label, title, wording)
      : nothing
  }
  ${
    runbook === alert?.runbook_url
      ? nothing
      : linkTemplate('runbook', runbook, wording.texts.runbook, title, wording)
  }`;
}

/** An open alert. One that is being dismissed stands in its place, so that nothing moves, and can still be kept. */
export function alertTemplate(
  alert: Alert,
  wording: Wording,
  actions: AlertActions,
  titleLevel: 3 | 4,
): TemplateResult {
  const { texts } = wording;
  const severity = severityOf(alert.severity);
  const isLeaving = actions.isLeaving(alert);
  const title = isolated(alert.title);
  return html`<li
    class="alert ${severity} ${isLeaving ? 'leaving' : ''}"
    part="alert alert-${severity}"
    data-id=${alert.id}
    data-reading=${readingOf(alert)}
  >
    <span class="sign">${severityIcon(alert.severity)}</span>
    <div>
      ${
        titleLevel === 3
          ? html`<h3 class="title" part="title" dir="auto">${alert.title}</h3>`
          : html`<h4 class="title" part="title" dir="auto">${alert.title}</h4>`
      }
      <div class="words" ?inert=${isLeaving}>
        <p class="meta">
          ${severityTemplate(alert, wording)} <span aria-hidden="true">·</span>
          ${timeTemplate(alert.escalated_date ?? alert.creation_date, wording)}
          ${isMuted(alert, wording.now) ? html`<span aria-hidden="true">·</span> ${mutedText(alert, wording)}` : nothing}
        </p>
        ${messageTemplate(alert, alert.id, wording, actions)}
        ${alert.series.length > 1 ? othersTemplate(alert, wording, actions) : nothing}
      </div>
      ${
        actions.hasFailed(alert)
          ? html`<p class="failure" part="notice">
              ${icon('critical')}<span>${fill(texts.dismissFailed, { title })}</span>
            </p>`
          : nothing
      }
      <div class="actions">
        ${
          isLeaving
            ? html`<span class="gone">${icon('check')}${texts.dismissed}</span>
                <button
                  class="action"
                  part="undo"
                  type="button"
                  aria-label=${fill(texts.undoAlert, { title })}
                  @click=${() => {
                    actions.undo(alert);
                  }}
                >
                  ${texts.undo}
                </button>`
            : html`${linksTemplate(alert, undefined, wording)}
                <button
                  class="action"
                  part="dismiss"
                  type="button"
                  aria-label=${fill(texts.dismissAlert, { title })}
                  @click=${() => {
                    actions.dismiss(alert);
                  }}
                >
                  ${texts.dismiss}
                </button>
                ${actions.mute(alert)}`
        }
      </div>
    </div>
  </li>`;
}

/** What else fires behind an alert, which itself says what the first of its series does. */
function othersTemplate(alert: Alert, wording: Wording, actions: AlertActions): TemplateResult {
  const { texts, language } = wording;
  const notListed = alert.series_count - alert.series.length;
  return html`<div class="others">
    <p class="meta">${texts.also}</p>
    <ul role="list">
      ${alert.series
        .slice(1)
        .map((series, index) => seriesTemplate(series, alert, `${alert.id} ${index}`, wording, actions))}
    </ul>
    ${notListed > 0 ? html`<p class="meta">${fillPlural(texts.andMore, notListed, language)}</p>` : nothing}
  </div>`;
}

/** One of several series: of its words those that are not the alert's as well, or its title where all are. */
function seriesTemplate(
  series: AlertSeries,
  alert: Alert,
  key: string,
  wording: Wording,
  actions: AlertActions,
): TemplateResult {
  const severity = severityOf(series.severity);
  const hasMessage = series.message !== alert.message && series.message !== '';
  const hasTitle = series.title !== alert.title || !hasMessage;
  return html`<li class="series ${severity}" part="series">
    ${hasTitle ? html`<p class="title" dir="auto">${series.title}</p>` : nothing}
    <p class="meta">
      ${severityTemplate(series, wording)} <span aria-hidden="true">·</span>
      ${timeTemplate(series.starts_at, wording)}
    </p>
    ${hasMessage ? messageTemplate(series, key, wording, actions) : nothing}
    ${linksTemplate(series, alert, wording)}
  </li>`;
}
