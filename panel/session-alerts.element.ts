import { LitElement, html, nothing } from 'lit';
import type { PropertyValues, TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { GetToken } from './access-token.js';
import { alertTemplate } from './alert-templates.js';
import type { AlertActions, Wording } from './alert-templates.js';
import { AlertNews } from './alert-news.js';
import { isMuted } from './alert.js';
import type { Alert } from './alert.js';
import { NOTHING_KNOWN } from './alerts-client.js';
import type { AlertsState } from './alerts-client.js';
import { AlertsOnScreen, readingOf } from './alerts-on-screen.js';
import { Announcer, NOTHING_SAID } from './announcer.js';
import type { Said } from './announcer.js';
import { isolated } from './bidi.js';
import type { Earlier } from './earlier.js';
import { freshnessOf } from './freshness.js';
import type { Freshness } from './freshness.js';
import { icon } from './icons.js';
import { knownLanguage, textsOf } from './languages.js';
import { LongMessages } from './long-messages.js';
import { PageAlerts } from './page-alerts.js';
import { PanelOpening } from './panel-opening.js';
import type { ChangeDetail, DismissDetail, SessionAlertsElement } from './panel.types.js';
import type { Problem } from './problem.js';
import { clockTime } from './relative-time.js';
import type { Settings } from './settings.js';
import { bySession, sessionAddress } from './sessions.js';
import type { SessionGroup } from './sessions.js';
import { gravest, severityOf } from './severity.js';
import { SteadyClicks } from './steady-clicks.js';
import { styles } from './styles.js';
import { ENGLISH, completeTexts, fill, fillPlural } from './texts.js';
import type { SessionAlertsTextsOverride } from './texts.js';

/** How far back "Earlier" goes (ms). */
const HISTORY = 24 * 3600 * 1000;
/** How often "5 min ago" is counted again (ms). */
const TICK = 20_000;
/** A storm's alerts come in portions. */
const PORTION = 30;
/** The badge has room for numbers up to this one; the bell's name says any. */
const BADGE_MOST = 999;
/** What opened by itself closes so long after the last alert has gone (ms). */
const CLOSES = 6_000;

/** `<session-alerts>`: a bell with a count, and a panel with a person's alerts. */
export class SessionAlerts extends LitElement implements SessionAlertsElement {
  static override styles = styles;

  static override properties = {
    api: {},
    sessionName: { attribute: 'session-name' },
    sessionHref: { attribute: 'session-href' },
    credentials: {},
    quiet: { type: Boolean },
    tabCount: { type: Boolean, attribute: 'tab-count' },
    desktopNotifications: { type: Boolean, attribute: 'desktop-notifications' },
    pushWorker: { attribute: 'push-worker' },
    token: { attribute: false },
    getToken: { attribute: false },
    texts: { attribute: false },
    open: { type: Boolean, reflect: true },
    portion: { state: true },
    earlierIsOpen: { state: true },
    earlier: { state: true },
    said: { state: true },
  };

  api = '/api/data';
  sessionName = '';
  sessionHref = '';
  credentials: RequestCredentials = 'same-origin';
  quiet = false;
  tabCount = false;
  desktopNotifications = false;
  pushWorker = '';
  token: string | undefined;
  getToken: GetToken | undefined;
  texts: SessionAlertsTextsOverride = {};
  open = false;

  /** How many open alerts are shown at most. */
  private portion = PORTION;
  private earlierIsOpen = false;
  /** What ended lately; undefined as long as that is being loaded. */
  private earlier: Earlier | 'failed' | undefined;
  private said: Said = NOTHING_SAID;

  private alerts: PageAlerts | undefined;
  /** What lets the person say how to be told, where the server keeps that. */
  private settings: Settings | undefined;
  private readonly news = new AlertNews();
  /** The alerts at the update before. */
  private knownBefore: readonly Alert[] | undefined;
  private wasOutOfDate = false;
  private wasSilent = false;
  /** Ids of alerts whose dismissal has failed, and of the one that has yet to be brought into view. */
  private readonly failed = new Set<string>();
  private failedNow: string | undefined;
  private reported: ChangeDetail | undefined;
  /** What has the focus in an alert, in case that the alert moves or goes. */
  private focused: { element: HTMLElement; index: number } | undefined;
  private tab: Promise<typeof import('./tab-count.js')> | undefined;
  /** A page may change its language or direction as it goes. */
  private readonly watching = new MutationObserver(() => {
    this.requestUpdate();
  });
  private ticking: ReturnType<typeof setInterval> | undefined;
  private closing: ReturnType<typeof setTimeout> | undefined;

  readonly announcer = new Announcer(
    () => this.wording,
    (said) => {
      this.said = said;
      void this.notifyOf(said);
    },
  );
  private readonly messages = new LongMessages(() => {
    this.requestUpdate();
  });
  private readonly onScreen = new AlertsOnScreen(() => {
    this.requestUpdate();
  });
  private readonly clicks = new SteadyClicks(
    ({ x, y }) =>
      (this.open ? this.shadowRoot?.elementFromPoint(x, y)?.closest<HTMLElement>('[data-id]') : undefined)
        ?.dataset['id'],
  );
  private readonly opening = new PanelOpening(this, () => {
    this.clicks.look();
  });
  private readonly actions: AlertActions = {
    dismiss: (alert) => void this.dismiss(alert),
    undo: (alert) => {
      this.undo([alert]);
    },
    isLong: (key) => this.messages.isLong(key),
    isWhole: (key) => this.messages.isWhole(key),
    showWhole: (key) => {
      this.messages.showWhole(key);
    },
    hasFailed: ({ id }) => this.failed.has(id),
    isLeaving: ({ id }) => this.known.leaving.has(id),
    mute: (alert) => this.settings?.mute(alert),
  };

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener('pointermove', this.clicks.track, { passive: true });
    this.ticking = setInterval(() => {
      if (this.open || this.staying.some((alert) => alert.muted_until)) this.requestUpdate();
    }, TICK);
    this.watching.observe(document, { attributeFilter: ['lang', 'dir'], subtree: true });
    this.alerts?.start();
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener('pointermove', this.clicks.track);
    this.watching.disconnect();
    clearInterval(this.ticking);
    clearTimeout(this.closing);
    this.announcer.stop();
    this.onScreen.stop();
    this.countInTab([]);
    this.alerts?.stop();
  }

  get bell(): HTMLElement {
    return this.inside('bell');
  }

  get panel(): HTMLElement {
    return this.inside('panel');
  }

  /** A part that is always there once the element was drawn. */
  private inside(name: string): HTMLElement {
    return this.renderRoot.querySelector(`.${name}`) as HTMLElement;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('api') || changed.has('sessionName') || changed.has('credentials')) this.connect();
    // A page may give another function each time that it draws itself; only whether there is one counts.
    else if (changed.has('token') || (changed.has('getToken') && !changed.get('getToken'))) {
      this.alerts?.reconnect();
    }
    if (this.alerts) this.alerts.keepsUpWhileHidden = this.notifies;
    if (!this.open) this.settings?.leave();
    this.compare();
    this.noteFocus();
  }

  protected override updated(): void {
    this.messages.measure(this.renderRoot);
    this.keepFocus();
    this.showFailed();
    if (this.open) this.onScreen.watch(this.inside('content'), this.renderRoot.querySelectorAll('.alert'));
    else this.onScreen.stop();
    this.alerts?.see(this.staying.filter((alert) => !alert.seen_date && this.isRead(alert)));
    this.report();
  }

  protected override render(): TemplateResult {
    const { outOfDate, since } = this.freshness;
    const { texts } = this.wording;
    return html`<div lang=${this.speaks.other ?? nothing}>
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
          this.opening.touch();
        }}
        @focusin=${() => {
          this.opening.touch();
        }}
      >
        <div class="header" part="header">
          <h2 id="heading">${texts.heading}</h2>
          ${this.settings?.gear()}
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
        <div
          class="content"
          @click=${{
            handleEvent: (event: MouseEvent) => {
              this.checkClick(event);
            },
            capture: true,
          }}
        >
          ${outOfDate ? noticeTemplate(this.outOfDateText(since)) : nothing}
          ${this.open ? (this.settings?.view() ?? html`${this.listTemplate(outOfDate)} ${this.notifyTemplate()} ${this.earlierTemplate()}`) : nothing}
        </div>
      </div>
      <span id="new-tab" hidden>${texts.newTab}</span>
      <div class="unseen" role="status" aria-live="polite">${this.said.urgent ? '' : this.said.text}</div>
      <div class="unseen" role="alert" aria-live="assertive">${this.said.urgent ? this.said.text : ''}</div>
    </div>`;
  }

  private bellTemplate(): TemplateResult {
    const { alerts } = this.known;
    const { state, outOfDate, since } = this.freshness;
    const { texts, language } = this.wording;
    const { count } = this;
    const unknown = alerts === undefined ? state === 'down' : outOfDate;
    const fresh = this.staying.filter(this.isNew);
    const unseen = count - (this.staying.length - fresh.length);
    const open = fillPlural(texts.bellOpen, count, language);
    const label =
      count > 0
        ? unseen > 0 && this.known.keepsSeen
          ? fillPlural(texts.bellNew, unseen, language, { open })
          : open
        : alerts === undefined || outOfDate
          ? texts.bellUnknown
          : texts.bellNone;
    const shown = fresh.length > 0 ? fresh : this.staying;
    const kind = unknown ? 'unsure' : gravest(shown.map((alert) => severityOf(alert.severity)));
    return html`<button
      class="bell"
      part="bell"
      type="button"
      aria-label=${outOfDate ? `${label}. ${this.outOfDateText(since)}` : label}
      aria-expanded=${this.open}
      aria-controls="panel"
      @click=${() => {
        this.opening.toggle();
        if (this.open) void this.askForSettings();
      }}
    >
      ${icon('bell')}
      ${
        count > 0 || unknown
          ? html`<span
              class="badge ${kind} ${unseen || unknown ? '' : 'mark'}"
              part="badge"
              aria-hidden="true"
              >${unseen > BADGE_MOST ? `${BADGE_MOST}+` : unseen || (unknown ? '?' : '')}</span
            >`
          : nothing
      }
    </button>`;
  }

  private listTemplate(outOfDate: boolean): TemplateResult {
    const { alerts, total } = this.known;
    const { texts, language } = this.wording;
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
    const { listed } = this;
    const left = alerts.length - listed.length;
    const notListed = total - alerts.length;
    const groups = this.sessionName ? undefined : bySession(listed);
    return html`${alerts.length > 1 ? this.dismissAllTemplate(listed) : nothing}
    ${
      groups
        ? repeat(
            groups,
            ({ session }) => session ?? '',
            (group) => this.groupTemplate(group, groups.length > 1),
          )
        : this.alertsTemplate(listed, 3)
    }
    ${
      left > 0
        ? html`<button class="action more" type="button" @click=${() => void this.showMore()}>
            ${fillPlural(texts.showMore, left, language)}
          </button>`
        : nothing
    }
    ${notListed > 0 ? html`<p class="hint not-listed">${fillPlural(texts.andMore, notListed, language)}</p>` : nothing}`;
  }

  /** The alerts of one session, under its name. */
  private groupTemplate({ session, alerts }: SessionGroup, isOneOfSeveral: boolean): TemplateResult {
    const { texts } = this.wording;
    const address = session === undefined ? undefined : sessionAddress(this.sessionHref, session);
    const heading =
      session === undefined ? texts.noSession : fill(texts.session, { session: isolated(session) });
    return html`<section class="group" part="group">
      <div class="group-header">
        <h3>${address === undefined ? heading : html`<a href=${address} part="session">${heading}</a>`}</h3>
        ${isOneOfSeveral && alerts.length > 1 ? this.dismissAllTemplate(alerts, heading) : nothing}
      </div>
      ${this.alertsTemplate(alerts, 4)}
    </section>`;
  }

  private alertsTemplate(alerts: readonly Alert[], titleLevel: 3 | 4): TemplateResult {
    const { wording, actions } = this;
    return html`<ul role="list">
      ${repeat(
        alerts,
        ({ id }) => id,
        (alert) => alertTemplate(alert, wording, actions, titleLevel),
      )}
    </ul>`;
  }

  /** A button that dismisses what was read, and keeps it again. */
  private dismissAllTemplate(alerts: readonly Alert[], session?: string): TemplateResult {
    const { texts, language } = this.wording;
    const leaving = alerts.filter(({ id }) => this.known.leaving.has(id));
    const read = alerts.filter((alert) => this.isRead(alert) && !this.known.leaving.has(alert.id));
    const undoes = leaving.length > 1;
    const text = fillPlural(texts.dismissAll, read.length, language);
    const name =
      session === undefined ? text : fillPlural(texts.dismissAllOf, read.length, language, { session });
    return html`<button
      class="action all"
      part="dismiss-all"
      type="button"
      aria-label=${undoes ? texts.undoAll : name}
      ?disabled=${!undoes && read.length === 0}
      @click=${() => {
        if (undoes) this.undo(leaving);
        else for (const alert of read) void this.dismiss(alert);
      }}
    >
      ${undoes ? texts.undoAll : text}
    </button>`;
  }

  /** Lets the person be notified while the tab is hidden, where the page wants that. */
  private notifyTemplate(): TemplateResult | typeof nothing {
    const { texts } = this.wording;
    if (!this.desktopNotifications) return nothing;
    switch (notificationPermission()) {
      case 'default':
        return html`<button
          class="action notify"
          part="notify"
          type="button"
          @click=${() => void this.askToNotify()}
        >
          ${icon('bell')}${texts.notify}
        </button>`;
      case 'denied':
        return html`<p class="hint">${texts.notifyDenied}</p>`;
      default:
        return nothing;
    }
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
    const { texts } = wording;
    if (typeof earlier === 'object') {
      return earlier.template(wording, this.actions, () => {
        this.inside('earlier .action').focus();
        void this.loadEarlier();
      });
    }
    return html`<p class="hint">${earlier ? texts.earlierFailed : texts.earlierLoading}</p>`;
  }

  private connect(): void {
    this.alerts?.stop();
    this.knownBefore = undefined;
    this.settings = undefined;
    this.news.reset();
    this.earlier = undefined;
    this.earlierIsOpen = false;
    this.failed.clear();
    this.portion = PORTION;
    this.alerts = new PageAlerts(
      {
        api: this.api.replace(/\/+$/, ''),
        sessionName: this.sessionName,
        credentials: this.credentials,
        getToken: async (options) => (await this.getToken?.(options)) ?? this.token ?? '',
      },
      {
        change: () => {
          this.requestUpdate();
        },
        problem: (problem) => {
          this.dispatch('session-alerts-problem', problem);
        },
      },
    );
    if (this.isConnected) this.alerts.start();
  }

  private get known(): AlertsState {
    return this.alerts?.state ?? NOTHING_KNOWN;
  }

  /** The alerts that are shown. */
  private get listed(): readonly Alert[] {
    return this.known.alerts?.slice(0, this.portion) ?? [];
  }

  /** The alerts that nobody is dismissing. */
  private get staying(): readonly Alert[] {
    const { alerts, leaving } = this.known;
    return (alerts ?? []).filter(({ id }) => !leaving.has(id));
  }

  /** How many alerts are open, without those that are being dismissed. */
  private get count(): number {
    const { alerts, total } = this.known;
    return total - ((alerts?.length ?? 0) - this.staying.length);
  }

  private isRead(alert: Alert): boolean {
    return this.onScreen.read.has(readingOf(alert));
  }

  /** Whether the person has yet to see an alert, and has not muted it. */
  private readonly isNew = (alert: Alert): boolean => !alert.seen_date && !this.isMuted(alert);

  private isMuted(alert: Alert): boolean {
    return isMuted(alert, this.now);
  }

  /** The time (ms) by the server's clock. */
  private get now(): number {
    return this.alerts?.now() ?? Date.now();
  }

  private get freshness(): Freshness {
    return freshnessOf(this.known);
  }

  /** The language that the panel speaks: the page's, where it knows that one or the page gives the texts. */
  private get speaks(): { language: string; known: string | undefined; other: string | undefined } {
    const page = languageOf(this);
    const known = knownLanguage(page);
    const isPages = page !== undefined && (known !== undefined || Object.keys(this.texts).length > 0);
    const language = isPages ? page : navigator.language.startsWith('en') ? navigator.language : 'en';
    return { language, known, other: isPages ? undefined : 'en' };
  }

  get wording(): Wording {
    const { language, known } = this.speaks;
    const texts = this.spoken(known) ?? ENGLISH;
    return { texts: completeTexts(texts, this.texts), language, now: this.now };
  }

  /** The texts of a language; undefined while they are being loaded. */
  private spoken(known = 'en'): typeof ENGLISH | undefined {
    return textsOf(known, () => {
      this.requestUpdate();
    });
  }

  private outOfDateText(since: number | undefined): string {
    const { texts, language, now } = this.wording;
    if (since === undefined) return texts.outOfDate;
    return fill(texts.outOfDateSince, { time: clockTime(since, now, language) });
  }

  /** Whether nothing is told that nobody has asked for. */
  private get isSilent(): boolean {
    return this.quiet && !this.open;
  }

  /** Opens by itself for what was not seen yet, and says aloud what has changed. */
  private compare(): void {
    // What is said is said in the page's language.
    if (!this.spoken(this.speaks.known)) return;
    const { knownBefore: before, wasOutOfDate } = this;
    const { alerts, total } = this.known;
    const { outOfDate, since } = this.freshness;
    this.knownBefore = alerts;
    this.wasOutOfDate = outOfDate;
    if (outOfDate && !wasOutOfDate && !this.isSilent) this.announcer.say(this.outOfDateText(since));
    if (this.wasSilent && !this.isSilent && before) {
      // What somebody opens has been told.
      this.news.take(before, before.length);
    }
    this.wasSilent = this.isSilent;
    if (alerts === before) return;
    if (!alerts) {
      this.settings = undefined;
      this.news.reset();
      return;
    }
    this.countInTab(this.staying.filter((alert) => !this.isMuted(alert)));
    for (const id of this.failed) if (!alerts.some((alert) => alert.id === id)) this.failed.delete(id);
    if (this.isSilent) return;

    const news = this.news.take(alerts, total);
    const gone = news.ended;
    const opened = news.opened.filter(this.isNew);
    const graver = news.graver.filter(this.isNew);
    const ended = gone.filter((alert) => !this.alerts?.wasDismissed(alert.id) && !this.isMuted(alert));
    if (opened.length + graver.length > 0) this.opening.openForNews();
    if (opened.length + graver.length + ended.length > 0) this.announcer.news({ opened, graver, ended });
    if (gone.length > 0 && this.earlierIsOpen) void this.loadEarlier();
    if (!alerts.some(this.isNew)) this.opening.giveUp();
    if (alerts.length === 0 && this.opening.isUntouched) this.closeSoon();
  }

  /** What opened for alerts that are over closes again, unless its reader is in it. */
  private closeSoon(): void {
    clearTimeout(this.closing);
    this.closing = setTimeout(() => {
      if (this.opening.isUntouched && this.known.alerts?.length === 0) this.open = false;
    }, CLOSES);
  }

  /** An older server has none, and is asked again the next time that the panel is opened by hand. */
  private async askForSettings(): Promise<void> {
    const { alerts, settings } = this;
    if (!alerts || settings) return;
    try {
      const { loadSettings } = await import('./settings.js');
      const found = await loadSettings(this, alerts);
      if (alerts !== this.alerts) return;
      this.settings = found;
      this.requestUpdate();
    } catch {
      // The panel does without.
    }
  }

  loadSettingsView(): Promise<typeof import('./settings-view.js')> {
    return import('./settings-view.js');
  }

  back(): boolean {
    return this.settings?.back() ?? false;
  }

  private closeByHand(): void {
    this.opening.close();
    this.bell.focus();
  }

  /** Nothing happens for a click that was meant for something else. */
  private checkClick(event: MouseEvent): void {
    if (!(event.target as Element).closest('[part^="dismiss"], [part="undo"]')) return;
    if (!this.clicks.isMistaken(event)) return;
    event.stopPropagation();
    event.preventDefault();
  }

  private async dismiss(alert: Alert): Promise<void> {
    const { alerts } = this;
    const { texts } = this.wording;
    if (!alerts) return;
    this.failed.delete(alert.id);
    this.announcer.say(fill(texts.announceDismissed, { title: isolated(alert.title) }));
    this.focusInstead(alert.id, 'undo');
    try {
      if ((await alerts.dismiss(alert)) !== 'dismissed') return;
    } catch {
      // It may have ended meanwhile.
      if (alerts !== this.alerts || !this.known.alerts?.some(({ id }) => id === alert.id)) return;
      this.failed.add(alert.id);
      this.failedNow = alert.id;
      this.announcer.say(fill(texts.dismissFailed, { title: isolated(alert.title) }), true);
      this.requestUpdate();
      return;
    }
    if (this.earlierIsOpen) void this.loadEarlier();
    this.dispatch('session-alerts-dismiss', { alert });
  }

  private undo(alerts: readonly Alert[]): void {
    for (const { id } of alerts) {
      this.alerts?.undo(id);
      this.focusInstead(id, 'dismiss');
    }
  }

  /** Where the focus is in an alert whose buttons are about to change, it goes to the one that is there then. */
  private focusInstead(id: string, part: string): void {
    const row = this.shadowRoot?.activeElement?.closest<HTMLElement>('[data-id]');
    if (row?.dataset['id'] !== id) return;
    void Promise.resolve()
      .then(() => this.updateComplete)
      .then(() => row.querySelector<HTMLElement>(`[part=${part}]`)?.focus());
  }

  /** Brings an alert into view whose dismissal has failed. */
  private showFailed(): void {
    const { failedNow } = this;
    if (failedNow === undefined || !this.open) return;
    this.failedNow = undefined;
    this.rows
      .find(({ dataset }) => dataset['id'] === failedNow)
      ?.querySelector('.failure')
      ?.scrollIntoView({ block: 'nearest' });
  }

  private async askToNotify(): Promise<void> {
    await Notification.requestPermission();
    this.requestUpdate();
  }

  /** Whether the desktop is to be told of news while the page is hidden. */
  private get notifies(): boolean {
    return this.desktopNotifications && notificationPermission() === 'granted';
  }

  private async notifyOf({ text, news }: Said): Promise<void> {
    if (!this.notifies || news.length === 0 || document.visibilityState === 'visible') return;
    const { texts, language } = this.wording;
    const { notify } = await import('./desktop-notifications.js');
    // Another tab of the page says the same under the same tag, and the desktop shows it once.
    notify(texts.heading, { body: text, tag: `session-alerts ${news.join(' ')}`, lang: language }, () => {
      this.open = true;
    });
  }

  /** What few pages want is loaded for those alone. */
  private countInTab(alerts: readonly Alert[]): void {
    if (this.tabCount) this.tab ??= import('./tab-count.js');
    void this.tab?.then(({ countInTab, endCountInTab }) => {
      if (this.tabCount && this.isConnected)
        countInTab(
          this,
          alerts.map(({ id }) => id),
        );
      else endCountInTab(this);
    });
  }

  private async showMore(): Promise<void> {
    const before = new Set(this.rows);
    this.portion += PORTION;
    await this.updateComplete;
    const firstNew = this.rows.find((row) => !before.has(row));
    firstNew?.querySelector<HTMLElement>('[part=dismiss]')?.focus();
  }

  private toggleEarlier(): void {
    this.earlierIsOpen = !this.earlierIsOpen;
    if (this.earlierIsOpen) void this.loadEarlier();
  }

  private async loadEarlier(): Promise<void> {
    const { alerts } = this;
    if (!alerts) return;
    try {
      const { Earlier } = await import('./earlier.js');
      if (alerts !== this.alerts) return;
      if (typeof this.earlier !== 'object') {
        this.earlier = new Earlier(
          () => alerts.history(HISTORY),
          () => {
            this.requestUpdate();
          },
        );
      }
      void this.earlier.load();
    } catch {
      this.earlier = 'failed';
    }
  }

  private get rows(): HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>('.alert')];
  }

  private noteFocus(): void {
    const element = this.shadowRoot?.activeElement;
    const row = element?.closest<HTMLElement>('.alert');
    this.focused =
      element instanceof HTMLElement && row ? { element, index: this.rows.indexOf(row) } : undefined;
  }

  /** The focus goes along with an alert that moves; that of one that has gone goes on to the next. */
  private keepFocus(): void {
    if (!this.focused || !this.open || this.shadowRoot?.activeElement) return;
    const { element, index } = this.focused;
    if (element.isConnected) {
      element.focus();
      return;
    }
    const { rows } = this;
    const row = rows[index] ?? rows.at(-1);
    (row?.querySelector<HTMLElement>('[part=dismiss], [part=undo]') ?? this.inside('close')).focus();
  }

  private report(): void {
    const detail: ChangeDetail = {
      open: this.known.alerts ? this.count : null,
      state: this.freshness.state,
    };
    if (detail.open === this.reported?.open && detail.state === this.reported.state) return;
    this.reported = detail;
    this.dispatch('session-alerts-change', detail);
  }

  private dispatch(name: string, detail: ChangeDetail | DismissDetail | Problem): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

/** Whether the browser lets the page notify; undefined where it cannot at all, as outside of https. */
function notificationPermission(): NotificationPermission | undefined {
  return 'Notification' in globalThis ? Notification.permission : undefined;
}

function noticeTemplate(text: string): TemplateResult {
  return html`<p class="notice" part="notice">${icon('clock')}<span>${text}</span></p>`;
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
