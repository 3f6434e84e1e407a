import { css, html, nothing } from 'lit';
import type { LitElement, TemplateResult } from 'lit';
import type { Wording } from './alert-templates.js';
import { isMuted } from './alert.js';
import type { Alert } from './alert.js';
import type { Announcer } from './announcer.js';
import { isolated } from './bidi.js';
import { icon } from './icons.js';
import type { PageAlerts } from './page-alerts.js';
import { endOfMute, readPreferences, withMute, withoutMutesOf } from './preferences.js';
import type { MuteTime, Preferences } from './preferences.js';
import { TEXTS as ENGLISH } from './settings-texts.en.js';
import type { SettingsTexts } from './settings-texts.js';
import { fill } from './texts.js';

/** What is drawn where they are open. */
export interface OpenedSettings {
  template(): TemplateResult;
}

/** The element whose settings these are. */
export interface SettingsHost extends LitElement {
  pushWorker: string;
  readonly wording: Wording;
  readonly announcer: Announcer;
  loadSettingsView(): Promise<{ SettingsView: new (settings: Settings) => OpenedSettings }>;
}

const PATH = '/alerts/preferences';
const LANGUAGES: Partial<Record<string, () => Promise<{ TEXTS: SettingsTexts }>>> = {
  de: () => import('./settings-texts.de.js'),
  fr: () => import('./settings-texts.fr.js'),
  it: () => import('./settings-texts.it.js'),
};
const loaded: Partial<Record<string, SettingsTexts>> = {};

const GEAR = html`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
  <path
    d="M3 5.5h7M14.5 5.5H17M12.2 3.3a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4ZM3 14.5h2.5M10 14.5h7M7.8 12.3a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4Z"
  ></path>
</svg>`;

const MUTE_TIMES = { hour: 'muteHour', tomorrow: 'muteTomorrow', good: 'muteForGood' } as const;

const STYLES = css`
  .gear {
    display: grid;
    place-items: center;
    width: 2em;
    height: 2em;
    border-radius: 0.5em;
    color: var(--_muted);
    font-size: max(16px, 1rem);
  }
  .gear:hover,
  .gear[aria-expanded='true'] {
    background: var(--_hover);
    color: var(--_color);
  }
  fieldset {
    min-width: 0;
    margin: 0;
    padding: 0;
    border: 0;
  }
  legend {
    padding: 0;
    font-weight: 600;
  }
  .mute {
    flex: 1 0 100%;
    margin: 4px 0;
    margin-inline-start: 8px;
    padding: 8px 12px;
    border: 1px solid var(--_border);
    border-radius: 8px;
  }
  .mute legend {
    float: inline-start;
    width: 100%;
    margin-bottom: 2px;
  }
  .mute legend ~ * {
    clear: both;
  }
  .mute .actions {
    gap: 6px;
    margin-inline-start: 0;
  }
  .actions > .failure {
    flex: 1 0 100%;
    margin-inline-start: 8px;
  }
  .choice {
    display: flex;
    align-items: center;
    gap: 8px;
    min-height: max(26px, 2em);
  }
  .choice input {
    flex: none;
    width: 1.15em;
    height: 1.15em;
    margin: 0;
    accent-color: var(--_accent);
  }
  .button {
    min-height: max(30px, 2.3em);
    padding: 2px 12px;
    border: 1px solid var(--_muted);
    border-radius: 7px;
    font-size: var(--_small);
    font-weight: 500;
  }
  .button:hover {
    background: var(--_hover);
  }
`;

/**
 * The settings of an element whose server has some.
 *
 * @throws Error where it has none, or they cannot be had
 */
export async function loadSettings(host: SettingsHost, alerts: PageAlerts): Promise<Settings> {
  const preferences = readPreferences(await alerts.call(PATH, 'GET'));
  const root = host.renderRoot as ShadowRoot;
  const { styleSheet } = STYLES;
  if (styleSheet && !root.adoptedStyleSheets.includes(styleSheet)) root.adoptedStyleSheets.push(styleSheet);
  const settings = new Settings(host, alerts, preferences);
  await settings.loadTexts();
  return settings;
}

/** What of the panel lets a person say how to be told: the button that leads to it, and what mutes an alert. */
export class Settings {
  /** Where it is open. */
  private opened: OpenedSettings | 'loading' | 'failed' | undefined;
  /** Id of the alert whose mute is being chosen. */
  private choosing: string | undefined;
  private isEverywhere = false;
  /** Id of the alert whose mute could not be saved. */
  private failed: string | undefined;
  /** How often they were opened or left: what was loaded meanwhile is of no use. */
  private turns = 0;

  constructor(
    readonly host: SettingsHost,
    readonly alerts: PageAlerts,
    public preferences: Preferences,
  ) {}

  get texts(): SettingsTexts {
    const { texts } = this.host.wording;
    const own = loaded[this.language] ?? ENGLISH;
    return {
      ...own,
      ...texts.settings,
      pushObstacles: { ...own.pushObstacles, ...texts.settings?.pushObstacles },
    };
  }

  /** The language that they are in, where the panel speaks another that has no texts for them. */
  get other(): string | undefined {
    const { language, texts } = this.host.wording;
    return (texts.settings ?? (this.language in LANGUAGES || language.startsWith('en'))) ? undefined : 'en';
  }

  async loadTexts(): Promise<void> {
    const { language } = this;
    if (loaded[language] || !LANGUAGES[language]) return;
    // Without them they are in English.
    loaded[language] = await LANGUAGES[language]().then(
      ({ TEXTS }) => TEXTS,
      () => ENGLISH,
    );
    this.host.requestUpdate();
  }

  private get language(): string {
    return this.host.wording.language.toLowerCase().split('-')[0] ?? '';
  }

  /** The button that opens them and leads back. */
  gear(): TemplateResult {
    const { settings } = this.texts;
    void this.loadTexts();
    return html`<button
      class="gear"
      part="settings"
      type="button"
      lang=${this.other ?? nothing}
      aria-label=${settings}
      aria-expanded=${this.opened !== undefined}
      @click=${() => {
        if (this.opened) this.back();
        else void this.open();
      }}
    >
      ${GEAR}
    </button>`;
  }

  /** What stands in place of the alerts while they are open. */
  view(): TemplateResult | undefined {
    const { opened, texts } = this;
    if (opened === undefined) return undefined;
    if (typeof opened === 'object') return opened.template();
    const isLoading = opened === 'loading';
    return html`<p class="hint" role="status" lang=${this.other ?? nothing}>
      ${isLoading ? texts.loading : texts.loadFailed}
      ${
        isLoading
          ? nothing
          : html`<button class="action" type="button" @click=${() => void this.open()}>
              ${this.host.wording.texts.tryAgain}
            </button>`
      }
    </p>`;
  }

  /** Goes back by one step; whether there was one. */
  back(): boolean {
    const { choosing } = this;
    if (choosing === undefined && this.opened === undefined) return false;
    this.leave();
    void this.focus(choosing === undefined ? '.gear' : `[data-id="${CSS.escape(choosing)}"] [part=mute]`);
    return true;
  }

  /** Shows the alerts again. */
  leave(): void {
    if (this.choosing === undefined && this.opened === undefined) return;
    this.turns += 1;
    this.opened = undefined;
    this.choosing = undefined;
    this.host.requestUpdate();
  }

  /** Puts the focus on what is there once all is drawn. */
  async focus(selector: string): Promise<void> {
    this.host.requestUpdate();
    await this.host.updateComplete;
    this.host.renderRoot.querySelector<HTMLElement>(selector)?.focus();
  }

  async load(): Promise<void> {
    this.preferences = readPreferences(await this.alerts.call(PATH, 'GET'));
  }

  /**
   * Changes what was said elsewhere meanwhile as well, and keeps the rest of it.
   *
   * @throws what the calls failed with
   */
  async change(change: (preferences: Preferences) => Partial<Preferences>): Promise<void> {
    await this.load();
    const changed = { ...this.preferences, ...change(this.preferences) };
    this.preferences = readPreferences(await this.alerts.call(PATH, 'PUT', changed));
    this.host.requestUpdate();
  }

  /** What an alert calls itself of which a kind is known alone. */
  titleOf(eventType: string): string {
    const alerts = this.alerts.state.alerts ?? [];
    return alerts.find(({ event_type }) => event_type === eventType)?.title ?? eventType;
  }

  private async open(): Promise<void> {
    const turn = (this.turns += 1);
    this.choosing = undefined;
    this.opened = 'loading';
    this.host.requestUpdate();
    try {
      const [{ SettingsView }] = await Promise.all([
        this.host.loadSettingsView(),
        this.load(),
        this.loadTexts(),
      ]);
      if (turn !== this.turns) return;
      this.opened = new SettingsView(this);
      await this.focus('.settings h3');
    } catch {
      if (turn !== this.turns) return;
      this.opened = 'failed';
      this.host.requestUpdate();
    }
  }

  /** What mutes an alert, or ends that. */
  mute(alert: Alert): TemplateResult | typeof nothing {
    const { texts, choosing } = this;
    if (alert.event_type === '') return nothing;
    const muted = isMuted(alert, this.host.wording.now);
    const isChoosing = choosing === alert.id && !muted;
    const title = isolated(alert.title);
    return html`<button
        class="action"
        part="mute"
        type="button"
        lang=${this.other ?? nothing}
        aria-label=${fill(muted ? texts.unmuteAlert : texts.muteAlert, { title })}
        aria-expanded=${muted ? nothing : isChoosing}
        @click=${() => {
          if (muted) void this.unmute(alert);
          else this.choose(isChoosing ? undefined : alert.id);
        }}
      >
        ${muted ? texts.unmute : texts.mute}
      </button>
      ${isChoosing ? this.muteTemplate(alert) : nothing}
      ${
        this.failed === alert.id
          ? html`<p class="failure" part="notice">
              ${icon('critical')}<span>${fill(texts.muteFailed, { title })}</span>
            </p>`
          : nothing
      }`;
  }

  private muteTemplate(alert: Alert): TemplateResult {
    const { texts } = this;
    const scope = (isEverywhere: boolean, text: string): TemplateResult =>
      html`<label class="choice">
        <input
          type="radio"
          name="scope"
          .checked=${this.isEverywhere === isEverywhere}
          @change=${() => {
            this.isEverywhere = isEverywhere;
          }}
        />${text}
      </label>`;
    return html`<fieldset class="mute" lang=${this.other ?? nothing}>
      <legend>${texts.muteWhich}</legend>
      ${alert.session_name === null ? nothing : [scope(false, texts.muteHere), scope(true, texts.muteEverywhere)]}
      <div class="actions">
        ${Object.entries(MUTE_TIMES).map(
          ([time, name]) =>
            html`<button
              class="button"
              type="button"
              @click=${() => void this.muteFor(alert, time as MuteTime)}
            >
              ${texts[name]}
            </button>`,
        )}
      </div>
    </fieldset>`;
  }

  private choose(id: string | undefined): void {
    this.choosing = id;
    this.isEverywhere = false;
    this.host.requestUpdate();
  }

  private muteFor(alert: Alert, time: MuteTime): Promise<void> {
    const { event_type, session_name } = alert;
    const until = endOfMute(time, this.host.wording.now);
    const mute = {
      event_type,
      ...(session_name !== null && !this.isEverywhere && { session_name }),
      ...(until !== undefined && { until }),
    };
    return this.changeMutes(alert, this.texts.announceMuted, ({ mutes }) => withMute(mutes, mute));
  }

  private unmute(alert: Alert): Promise<void> {
    return this.changeMutes(alert, this.texts.announceUnmuted, ({ mutes }) => withoutMutesOf(mutes, alert));
  }

  private async changeMutes(
    alert: Alert,
    announcement: string,
    change: (preferences: Preferences) => Preferences['mutes'],
  ): Promise<void> {
    const { announcer } = this.host;
    const title = isolated(alert.title);
    this.failed = undefined;
    try {
      await this.change((preferences) => ({ mutes: change(preferences) }));
      announcer.say(fill(announcement, { title }));
      if (this.choosing === alert.id) {
        this.choosing = undefined;
        await this.focus(`[data-id="${CSS.escape(alert.id)}"] [part=mute]`);
      }
    } catch {
      this.failed = alert.id;
      announcer.say(fill(this.texts.muteFailed, { title }), true);
      this.host.requestUpdate();
    }
  }
}
