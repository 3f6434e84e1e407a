import { LitElement, html, nothing } from 'lit';
import type { PropertyValues, TemplateResult } from 'lit';
import { property, query, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { GetToken } from './access-token.js';
import { alertTemplate, endedTemplate, severityWord } from './alert-templates.js';
import type { Wording } from './alert-templates.js';
import { AlertNews } from './alert-news.js';
import type { Alert } from './alert.js';
import { HISTORY_LIMIT } from './alerts-api.js';
import { AlertsClient, NOTHING_KNOWN } from './alerts-client.js';
import type { AlertsState } from './alerts-client.js';
import { freshnessOf } from './freshness.js';
import type { Freshness } from './freshness.js';
import { icon } from './icons.js';
import { placePanel } from './panel-position.js';
import type { ChangeDetail, DismissDetail, SessionAlertsElement } from './panel.types.js';
import { clockTime } from './relative-time.js';
import { gravest, severityOf } from './severity.js';
import { styles } from './styles.js';
import { completeTexts, fill, fillPlural } from './texts.js';
import type { PluralText, SessionAlertsTextsOverride } from './texts.js';

/** How far back "Earlier" goes (ms). */
const HISTORY = 24 * 3600 * 1000;
/** How often "5 min ago" is counted again (ms). */
const TICK = 20_000;
/** Width of the panel where there is room (px). */
const WIDTH = 392;
/** A storm's alerts come in portions. */
const PORTION = 30;
/** The badge has room for numbers up to this one; the bell's name says any. */
const BADGE_MOST = 999;
/** Titles that are said aloud at most. */
const TITLES_SAID = 3;
/** What was said aloud is gone after that (ms), so that no screen reader's cursor comes upon it later. */
const SAID = 10_000;
/** What opened by itself closes so long after the last alert has gone (ms). */
const CLOSES = 6_000;

/** `<session-alerts>`: a bell with a count, and a panel with a person's alerts. */
export class SessionAlerts extends LitElement implements SessionAlertsElement {
  static override styles = styles;

  @property() api = '/api/data';
  @property({ attribute: 'session-name' }) sessionName = '';
  @property({ attribute: 'session-href' }) sessionHref = '';
  @property() credentials: RequestCredentials = 'same-origin';
  @property({ attribute: false }) token: string | undefined;
  @property({ attribute: false }) getToken: GetToken | undefined;
  @property({ attribute: false }) texts: SessionAlertsTextsOverride = {};
  @property({ type: Boolean, reflect: true }) open = false;
  @property({ type: Boolean }) quiet = false;
  @property({ type: Boolean, attribute: 'tab-count' }) tabCount = false;
  @property({ type: Boolean, attribute: 'desktop-notifications' }) desktopNotifications = false;

  /** How many open alerts are shown at most. */
  @state() private portion = PORTION;
  @state() private earlierIsOpen = false;
  /** What ended lately; undefined as long as that is being asked. */
  @state() private earlier: readonly Alert[] | 'failed' | undefined;
  /** The alert whose dismissal failed last. */
  @state() private failed: Alert | undefined;
  @state() private said = { text: '', urgent: false };

  @query('.bell') private readonly bell!: HTMLElement;
  @query('.panel') private readonly panel!: HTMLElement;
  @query('.close') private readonly closeButton!: HTMLElement;

  private client: AlertsClient | undefined;
  private readonly news = new AlertNews();
  /** The alerts at the update before. */
  private knownBefore: readonly Alert[] | undefined;
  private wasOutOfDate = false;
  /** Dismissed here, which is not said aloud as an end. */
  private readonly dismissedHere = new Set<string>();
  private openedItself = false;
  private earlierAsked = 0;
  private reported: ChangeDetail | undefined;
  /** What has the focus in an alert, in case that the alert moves or goes. */
  private focused: { element: HTMLElement; index: number } | undefined;
  private ticking: ReturnType<typeof setInterval> | undefined;
  private closing: ReturnType<typeof setTimeout> | undefined;
  private forgetting: ReturnType<typeof setTimeout> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('visibilitychange', this.onVisibility);
    window.addEventListener('online', this.onOnline);
    window.addEventListener('resize', this.onMove);
    window.addEventListener('scroll', this.onMove, { capture: true, passive: true });
    this.ticking = setInterval(() => {
      if (this.open) this.requestUpdate();
    }, TICK);
    this.onVisibility();
    this.client?.start();
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('visibilitychange', this.onVisibility);
    window.removeEventListener('online', this.onOnline);
    window.removeEventListener('resize', this.onMove);
    window.removeEventListener('scroll', this.onMove, { capture: true });
    clearInterval(this.ticking);
    this.client?.stop();
  }

  private readonly onVisibility = (): void => {
    this.client?.setVisible(document.visibilityState === 'visible');
  };

  private readonly onOnline = (): void => {
    this.client?.hurry();
  };

  private readonly onMove = (): void => {
    if (this.open) this.place();
  };

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('api') || changed.has('sessionName') || changed.has('credentials')) this.connect();
    // A page may give another function each time that it draws itself; only whether there is one counts.
    else if (changed.has('token') || (changed.has('getToken') && !changed.get('getToken'))) {
      this.client?.reconnect();
    }
    this.compare();
    this.noteFocus();
  }

  protected override updated(): void {
    this.raise();
    this.keepFocus();
    this.report();
  }

  protected override render(): TemplateResult {
    const { alerts } = this.known;
    const { outOfDate, since } = this.freshness;
    const { texts } = this.wording;
    return html`<div
      @keydown=${(event: KeyboardEvent) => {
        this.onKey(event);
      }}
    >
      ${this.bellTemplate()}
      <div
        id="panel"
        class="panel"
        part="panel"
        role="region"
        aria-labelledby="heading"
        popover="manual"
        ?hidden=${!this.open}
        @pointerenter=${() => {
          this.takeOver();
        }}
        @focusin=${() => {
          this.takeOver();
        }}
      >
        <div class="header" part="header">
          <h2 id="heading">${texts.heading}</h2>
          <button
            class="close"
            part="close"
            type="button"
            aria-label=${texts.close}
            @click=${() => {
              this.closeByHand();
            }}
          >
            ${icon('close')}
          </button>
        </div>
        <div class="content">
          ${outOfDate ? noticeTemplate('notice', 'clock', this.outOfDateText(since)) : nothing}
          ${
            this.failed
              ? noticeTemplate(
                  'notice failure',
                  'critical',
                  fill(texts.dismissFailed, { title: this.failed.title }),
                )
              : nothing
          }
          ${this.open ? this.listTemplate(alerts, outOfDate) : nothing}
          ${this.open ? this.earlierTemplate() : nothing}
        </div>
      </div>
      <div class="unseen" role="status" aria-live="polite">${this.said.urgent ? '' : this.said.text}</div>
      <div class="unseen" role="alert" aria-live="assertive">${this.said.urgent ? this.said.text : ''}</div>
    </div>`;
  }

  private bellTemplate(): TemplateResult {
    const { alerts, total: count } = this.known;
    const { state, outOfDate, since } = this.freshness;
    const { texts, language } = this.wording;
    const unknown = alerts === undefined ? state === 'down' : outOfDate;
    const label =
      count > 0
        ? fillPlural(texts.bellOpen, count, language)
        : alerts === undefined || outOfDate
          ? texts.bellUnknown
          : texts.bellNone;
    const kind = unknown ? 'unsure' : gravest((alerts ?? []).map((alert) => severityOf(alert.severity)));
    return html`<button
      class="bell"
      part="bell"
      type="button"
      aria-label=${outOfDate ? `${label}. ${this.outOfDateText(since)}` : label}
      aria-expanded=${this.open}
      aria-controls="panel"
      @click=${() => {
        this.toggle();
      }}
    >
      ${icon('bell')}
      ${
        count > 0 || unknown
          ? html`<span class="badge ${kind}" part="badge" aria-hidden="true"
              >${count > BADGE_MOST ? `${BADGE_MOST}+` : count || '?'}</span
            >`
          : nothing
      }
    </button>`;
  }

  private listTemplate(alerts: readonly Alert[] | undefined, outOfDate: boolean): TemplateResult {
    const { wording } = this;
    const { texts, language } = wording;
    if (!alerts) {
      const isDown = this.known.connection === 'down';
      return html`<div class="empty" part="empty">
        ${icon(isDown ? 'clock' : 'bell')}
        <p>${isDown ? texts.unknown : texts.loading}</p>
      </div>`;
    }
    if (alerts.length === 0) {
      return html`<div class="empty" part="empty">
        ${
          outOfDate
            ? html`${icon('clock')}
                <p>${texts.unknown}</p>`
            : html`${icon('check')}
                <p><strong>${texts.none}</strong>${texts.noneHint}</p>`
        }
      </div>`;
    }
    const left = alerts.length - this.portion;
    const notListed = this.known.total - alerts.length;
    return html`<ul role="list">
        ${repeat(
          alerts.slice(0, this.portion),
          ({ id }) => id,
          (alert) => alertTemplate(alert, wording, () => void this.dismiss(alert)),
        )}
      </ul>
      ${
        left > 0
          ? html`<button class="action more" type="button" @click=${() => void this.showMore()}>
              ${fillPlural(texts.showMore, left, language)}
            </button>`
          : nothing
      }
      ${notListed > 0 ? html`<p class="hint not-listed">${fillPlural(texts.andMore, notListed, language)}</p>` : nothing}`;
  }

  private earlierTemplate(): TemplateResult {
    const { texts } = this.wording;
    return html`<section class="earlier" part="earlier">
      <h3>
        <button
          id="earlier"
          class="action"
          type="button"
          aria-expanded=${this.earlierIsOpen}
          aria-controls="ended"
          @click=${() => {
            this.toggleEarlier();
          }}
        >
          ${icon('chevron')}${texts.earlier}
        </button>
      </h3>
      <div id="ended" ?hidden=${!this.earlierIsOpen}>
        ${this.earlierIsOpen ? this.endedTemplate() : nothing}
      </div>
    </section>`;
  }

  private endedTemplate(): TemplateResult {
    const { earlier, wording } = this;
    const { texts, language } = wording;
    if (earlier === undefined) return html`<p class="hint">${texts.earlierLoading}</p>`;
    if (earlier === 'failed') {
      return html`<p class="hint">
        ${texts.earlierFailed}
        <button
          class="action"
          type="button"
          @click=${() => {
            this.askEarlierAgain();
          }}
        >
          ${texts.tryAgain}
        </button>
      </p>`;
    }
    if (earlier.length === 0) return html`<p class="hint">${texts.earlierNone}</p>`;
    return html`<ul role="list">
        ${repeat(
          earlier,
          ({ id }) => id,
          (alert) => endedTemplate(alert, wording),
        )}
      </ul>
      ${
        earlier.length < HISTORY_LIMIT
          ? nothing
          : html`<p class="hint">${fillPlural(texts.earlierCapped, HISTORY_LIMIT, language)}</p>`
      }`;
  }

  private connect(): void {
    this.client?.stop();
    this.knownBefore = undefined;
    this.news.reset();
    this.earlier = undefined;
    this.earlierIsOpen = false;
    this.failed = undefined;
    this.portion = PORTION;
    this.client = new AlertsClient(
      {
        api: this.api.replace(/\/+$/, ''),
        sessionName: this.sessionName,
        credentials: this.credentials,
        getToken: async (options) => (await this.getToken?.(options)) ?? this.token ?? '',
      },
      () => {
        this.requestUpdate();
      },
    );
    this.onVisibility();
    if (this.isConnected) this.client.start();
  }

  private get known(): AlertsState {
    return this.client?.state ?? NOTHING_KNOWN;
  }

  private get freshness(): Freshness {
    return freshnessOf(this.known);
  }

  private get wording(): Wording {
    return { texts: completeTexts(this.texts), language: languageOf(this), now: Date.now() };
  }

  private outOfDateText(since: number | undefined): string {
    const { texts, language, now } = this.wording;
    if (since === undefined) return texts.outOfDate;
    return fill(texts.outOfDateSince, { time: clockTime(since, now, language) });
  }

  /** Opens by itself for what was not seen yet, and says aloud what has changed. */
  private compare(): void {
    const { knownBefore: before, wasOutOfDate } = this;
    const { alerts, total } = this.known;
    const { outOfDate, since } = this.freshness;
    this.knownBefore = alerts;
    this.wasOutOfDate = outOfDate;
    if (outOfDate && !wasOutOfDate) this.say(this.outOfDateText(since));
    if (alerts === before) return;
    if (!alerts) {
      this.news.reset();
      return;
    }

    const { opened, graver, ended: gone } = this.news.take(alerts, total);
    const ended = gone.filter(({ id }) => !this.dismissedHere.has(id));
    const { failed } = this;
    if (failed && !alerts.some(({ id }) => id === failed.id)) this.failed = undefined;
    const isNews = opened.length + graver.length > 0;
    if (isNews && !this.open) {
      this.open = true;
      this.openedItself = true;
    }
    if (isNews || ended.length > 0) {
      const { texts } = this.wording;
      const sentences = [
        this.sentence(texts.announceNew, opened),
        this.sentence(texts.announceGraver, graver),
        this.sentence(texts.announceEnded, ended),
      ].filter(Boolean);
      const urgent = [...opened, ...graver].some(({ severity }) => severityOf(severity) === 'critical');
      this.say(sentences.join('. '), urgent);
    }
    if (ended.length > 0 && this.earlierIsOpen) void this.loadEarlier();
    if (alerts.length === 0 && this.openedItself) this.closeSoon();
  }

  /** What has happened to some alerts; nothing of none. */
  private sentence(text: PluralText, alerts: readonly Alert[]): string {
    const { texts, language } = this.wording;
    const titles = alerts
      .slice(0, TITLES_SAID)
      .map((alert) => `${severityWord(alert, texts)}: ${alert.title}`)
      .join('; ');
    return alerts.length > 0 ? fillPlural(text, alerts.length, language, { titles }) : '';
  }

  private say(text: string, urgent = false): void {
    this.said = { text, urgent };
    clearTimeout(this.forgetting);
    this.forgetting = setTimeout(() => {
      this.said = { text: '', urgent: false };
    }, SAID);
  }

  /** What opened for alerts that are over closes again, unless its reader is in it. */
  private closeSoon(): void {
    clearTimeout(this.closing);
    this.closing = setTimeout(() => {
      if (this.openedItself && this.known.alerts?.length === 0) this.open = false;
    }, CLOSES);
  }

  /** From now on the panel closes only by hand. */
  private takeOver(): void {
    this.openedItself = false;
  }

  private toggle(): void {
    this.takeOver();
    this.open = !this.open;
  }

  private closeByHand(): void {
    this.takeOver();
    this.open = false;
    this.bell.focus();
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || !this.open) return;
    // The page's own dialogs stay open.
    event.stopPropagation();
    event.preventDefault();
    this.closeByHand();
  }

  private async dismiss(alert: Alert): Promise<void> {
    const { client } = this;
    const { texts } = this.wording;
    if (!client) return;
    this.failed = undefined;
    this.dismissedHere.add(alert.id);
    this.say(fill(texts.announceDismissed, { title: alert.title }));
    try {
      await client.dismiss(alert.id);
    } catch {
      this.dismissedHere.delete(alert.id);
      // It may have ended meanwhile.
      if (client !== this.client || !this.known.alerts?.some(({ id }) => id === alert.id)) return;
      this.failed = alert;
      this.say(fill(texts.dismissFailed, { title: alert.title }), true);
      return;
    }
    if (this.earlierIsOpen) void this.loadEarlier();
    this.dispatch('session-alerts-dismiss', { alert });
  }

  private async showMore(): Promise<void> {
    const firstNew = this.portion;
    this.portion += PORTION;
    await this.updateComplete;
    this.dismissButtons[firstNew]?.focus();
  }

  private toggleEarlier(): void {
    this.earlierIsOpen = !this.earlierIsOpen;
    if (this.earlierIsOpen) void this.loadEarlier();
  }

  private askEarlierAgain(): void {
    this.earlier = undefined;
    this.renderRoot.querySelector<HTMLElement>('#earlier')?.focus();
    void this.loadEarlier();
  }

  private async loadEarlier(): Promise<void> {
    const { client } = this;
    if (!client) return;
    if (this.earlier === 'failed') this.earlier = undefined;
    const asked = (this.earlierAsked += 1);
    const earlier = await client.history(Date.now() - HISTORY).catch(() => 'failed' as const);
    // Only the last answer counts.
    if (asked === this.earlierAsked && client === this.client) this.earlier = earlier;
  }

  private get dismissButtons(): HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>('.alert [part=dismiss]')];
  }

  private noteFocus(): void {
    const element = this.shadowRoot?.activeElement;
    const alert = element?.closest('[data-id]');
    this.focused =
      element instanceof HTMLElement && alert
        ? { element, index: [...(alert.parentElement?.children ?? [])].indexOf(alert) }
        : undefined;
  }

  /** The focus goes along with an alert that moves; that of one that has gone goes on to the next. */
  private keepFocus(): void {
    if (!this.focused || !this.open || this.shadowRoot?.activeElement) return;
    const { element, index } = this.focused;
    const buttons = this.dismissButtons;
    (element.isConnected ? element : (buttons[index] ?? buttons.at(-1) ?? this.closeButton)).focus();
  }

  /** Lifts the open panel over all that the page has, where the browser can, and puts it in its place. */
  private raise(): void {
    if (this.isConnected && 'popover' in HTMLElement.prototype) {
      const isRaised = this.panel.matches(':popover-open');
      if (this.open && !isRaised) this.panel.showPopover();
      if (!this.open && isRaised) this.panel.hidePopover();
    }
    if (this.open) this.place();
  }

  private place(): void {
    const { clientWidth: width, clientHeight: height } = document.documentElement;
    const isRightToLeft = getComputedStyle(this).direction === 'rtl';
    const place = placePanel(this.bell.getBoundingClientRect(), { width, height }, WIDTH, isRightToLeft);
    const { style } = this.panel;
    style.left = `${place.left}px`;
    style.width = `${place.width}px`;
    style.maxHeight = `${place.maxHeight}px`;
    style.top = place.top === undefined ? 'auto' : `${place.top}px`;
    style.bottom = place.bottom === undefined ? 'auto' : `${place.bottom}px`;
  }

  private report(): void {
    const detail: ChangeDetail = {
      open: this.known.alerts ? this.known.total : null,
      state: this.freshness.state,
    };
    if (detail.open === this.reported?.open && detail.state === this.reported.state) return;
    this.reported = detail;
    this.dispatch('session-alerts-change', detail);
  }

  private dispatch(name: string, detail: ChangeDetail | DismissDetail): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

function noticeTemplate(classes: string, sign: 'clock' | 'critical', text: string): TemplateResult {
  return html`<p class=${classes} part="notice">${icon(sign)}<span>${text}</span></p>`;
}

/** The language around an element, also across the shadow roots that it stands in. */
function languageOf(element: Element): string | undefined {
  for (let at: Element | undefined = element; at;) {
    const holder: Element | null = at.closest('[lang]');
    if (holder) return holder.getAttribute('lang') || undefined;
    const root = at.getRootNode();
    at = root instanceof ShadowRoot ? root.host : undefined;
  }
  return undefined;
}
