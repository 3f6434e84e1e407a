import { css, html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { UnexpectedAnswerError } from './alerts-api.js';
import { isolated } from './bidi.js';
import { icon } from './icons.js';
import { SEVERITIES, withoutMute } from './preferences.js';
import type { Channel, ChannelSeverity, Mute, Preferences, QuietHours } from './preferences.js';
import { environmentOf, obstacleIn, subscribe, subscriptionHere } from './push-browser.js';
import { clockTime } from './relative-time.js';
import type { OpenedSettings, Settings } from './settings.js';
import { capitalized, fill, fillPlural } from './texts.js';

const WEB_PUSH = 'web_push';
const EMAIL = 'email';

const STYLES = css`
  .settings {
    padding: 6px 16px 16px;
  }
  .settings h3 {
    font-weight: 600;
    font-size: var(--_large);
  }
  .settings h3:focus {
    outline: none;
  }
  .settings section,
  .settings fieldset {
    margin-top: 14px;
  }
  .settings .back {
    margin-inline-start: -8px;
  }
  .settings .back .icon {
    rotate: 90deg;
  }
  .settings .back:dir(rtl) .icon {
    rotate: -90deg;
  }
  .settings h4,
  .settings legend {
    font-weight: 600;
    margin-bottom: 2px;
  }
  .channel {
    padding: 6px 0;
  }
  .channel + .channel {
    border-top: 1px solid var(--_border);
  }
  .channel .name {
    min-height: max(26px, 2em);
    align-content: center;
  }
  .details {
    color: var(--_muted);
    font-size: var(--_small);
    overflow-wrap: anywhere;
  }
  .settings .button {
    margin: 4px 0;
  }
  .field {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 2px 8px;
    margin: 4px 0;
  }
  .times {
    display: flex;
    flex-wrap: wrap;
    gap: 0 16px;
  }
  .settings select,
  .settings input[type='time'] {
    max-width: 100%;
    min-height: max(30px, 2.3em);
    padding: 2px 8px;
    border: 1px solid var(--_muted);
    border-radius: 7px;
    background: var(--_background);
    color: inherit;
    font: inherit;
    font-size: var(--_small);
  }
  .settings :disabled {
    opacity: 0.6;
  }
  .settings .save {
    border-color: var(--_accent);
    color: var(--_accent);
    font-weight: 600;
  }
  .ending {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px 12px;
    margin-top: 12px;
  }
  .ending .failure {
    margin: 0;
  }
  .muted {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 8px;
    padding: 4px 0;
    overflow-wrap: anywhere;
  }
  .muted .button {
    flex: none;
  }
`;

/** What a person has entered and not saved yet. */
interface Draft {
  channels: Record<string, Pick<Channel, 'enabled' | 'severity'>>;
  isQuiet: boolean;
  quiet: QuietHours;
}

/** The settings as a form: what is entered is kept until it is saved, whatever happens meanwhile. */
export class SettingsView implements OpenedSettings {
  private readonly draft: Draft;
  private said: { text: string; isWrong: boolean } | undefined;
  private isBusy = false;
  /** What this browser is subscribed by. */
  private endpoint: string | undefined;

  constructor(private readonly settings: Settings) {
    const { host, preferences } = settings;
    const root = host.renderRoot as ShadowRoot;
    const { styleSheet } = STYLES;
    if (styleSheet && !root.adoptedStyleSheets.includes(styleSheet)) root.adoptedStyleSheets.push(styleSheet);
    this.draft = draftOf(preferences);
    void this.lookForSubscription();
  }

  template(): TemplateResult {
    const { settings, said } = this;
    const { texts, preferences } = settings;
    const channels = Object.keys(preferences.offered);
    return html`<form
      class="settings"
      novalidate
      lang=${settings.other ?? nothing}
      @submit=${(event: Event) => {
        event.preventDefault();
        void this.save();
      }}
      @input=${() => {
        this.say(undefined);
      }}
    >
      <button class="action back" type="button" @click=${() => settings.back()}>
        ${icon('chevron')}${texts.back}
      </button>
      <h3 tabindex="-1">${texts.settings}</h3>
      ${
        channels.length === 0
          ? html`<p class="details">${texts.noChannels}</p>`
          : html`<fieldset>
                <legend>${texts.channels}</legend>
                ${channels.map((name) => this.channelTemplate(name))}
              </fieldset>
              ${this.quietTemplate()}`
      }
      <div class="ending">
        ${channels.length === 0 ? nothing : html`<button class="button save" type="submit">${texts.save}</button>`}
        <p role="status">${said && !said.isWrong ? said.text : nothing}</p>
        <div role="alert">
          ${
            said?.isWrong
              ? html`<p class="failure" part="notice">${icon('critical')}<span>${said.text}</span></p>`
              : nothing
          }
        </div>
      </div>
      ${this.mutesTemplate()}
    </form>`;
  }

  private channelTemplate(name: string): TemplateResult {
    const { texts, preferences } = this.settings;
    if (name === WEB_PUSH) return this.pushTemplate();
    const channel = this.channel(name);
    const { address } = preferences.offered[name] ?? {};
    const isEmail = name === EMAIL;
    const isImpossible = isEmail && address === undefined;
    const title = this.nameOf(name);
    const id = `channel-${name}`;
    return html`<div class="channel">
      <label class="choice">
        <input
          type="checkbox"
          aria-describedby=${isEmail ? id : nothing}
          .checked=${channel.enabled}
          ?disabled=${isImpossible && !channel.enabled}
          @change=${({ target }: Event) => {
            channel.enabled = (target as HTMLInputElement).checked;
            this.draw();
          }}
        />${title}
      </label>
      ${
        isEmail
          ? html`<p class="details" id=${id}>
              ${isImpossible ? texts.emailUnknown : fill(texts.emailTo, { address: isolated(address ?? '') })}
            </p>`
          : nothing
      }
      ${channel.enabled ? this.severityTemplate(channel, title) : nothing}
    </div>`;
  }

  private nameOf(name: string): string {
    const { texts, host } = this.settings;
    if (name === EMAIL) return texts.email;
    if (name === WEB_PUSH) return texts.webPush;
    return capitalized(name.replace(/_/g, ' '), host.wording.language);
  }

  private severityTemplate(channel: Draft['channels'][string], title: string): TemplateResult {
    const { texts, host } = this.settings;
    const { texts: words, language } = host.wording;
    return html`<label class="field details">
      ${texts.from}
      <select
        aria-label=${fill(texts.fromOf, { channel: title })}
        @change=${({ target }: Event) => {
          channel.severity = (target as HTMLSelectElement).value as ChannelSeverity;
        }}
      >
        ${SEVERITIES.map(
          (severity) =>
            html`<option value=${severity} .selected=${severity === channel.severity}>
              ${capitalized(words.severities[severity], language)}
            </option>`,
        )}
      </select>
    </label>`;
  }

  /** Web push is turned on and off at once, by browser: only in a click may it be asked for. */
  private pushTemplate(): TemplateResult {
    const { texts, host, preferences } = this.settings;
    const subscriptions = preferences.channels[WEB_PUSH]?.subscriptions ?? [];
    const isEnabled = preferences.channels[WEB_PUSH]?.enabled === true;
    const isOn = isEnabled && subscriptions.some(({ endpoint }) => endpoint === this.endpoint);
    const others = isEnabled ? subscriptions.length - (isOn ? 1 : 0) : 0;
    const obstacle = isOn ? undefined : obstacleIn(environmentOf(host.pushWorker));
    const title = texts.webPush;
    return html`<div class="channel" role="group" aria-labelledby="web-push">
      <p class="name" id="web-push">${title}</p>
      <p class="details">
        ${obstacle ? texts.pushObstacles[obstacle] : isOn ? texts.pushIsOn : texts.pushIsOff}
        ${others > 0 ? fillPlural(texts.pushElsewhere, others, host.wording.language) : nothing}
      </p>
      ${
        obstacle
          ? nothing
          : html`<button
              class="button push"
              type="button"
              @click=${() => void (isOn ? this.turnPushOff() : this.turnPushOn())}
            >
              ${isOn ? texts.pushOff : texts.pushOn}
            </button>`
      }
      ${isOn || others > 0 ? this.severityTemplate(this.channel(WEB_PUSH), title) : nothing}
    </div>`;
  }

  private quietTemplate(): TemplateResult {
    const { draft } = this;
    const { texts } = this.settings;
    const { quiet } = draft;
    const time = (label: string, of: 'from' | 'to'): TemplateResult =>
      html`<label class="field">
        ${label}
        <input
          type="time"
          name=${of}
          required
          .value=${quiet[of]}
          @input=${({ target }: Event) => {
            quiet[of] = (target as HTMLInputElement).value;
          }}
        />
      </label>`;
    return html`<fieldset>
      <legend>${texts.quiet}</legend>
      <label class="choice">
        <input
          type="checkbox"
          .checked=${draft.isQuiet}
          @change=${({ target }: Event) => {
            draft.isQuiet = (target as HTMLInputElement).checked;
            this.draw();
          }}
        />${texts.quietOn}
      </label>
      ${
        draft.isQuiet
          ? html`<div class="times">${time(texts.quietFrom, 'from')} ${time(texts.quietTo, 'to')}</div>
              <label class="field">
                ${texts.timeZone}
                <select
                  name="time-zone"
                  @change=${({ target }: Event) => {
                    quiet.time_zone = (target as HTMLSelectElement).value;
                  }}
                >
                  ${timeZones(quiet.time_zone).map(
                    (zone) =>
                      html`<option value=${zone} .selected=${zone === quiet.time_zone}>
                        ${zone.replace(/_/g, ' ')}
                      </option>`,
                  )}
                </select>
              </label>
              <label class="choice">
                <input
                  type="checkbox"
                  .checked=${quiet.critical_passes}
                  @change=${({ target }: Event) => {
                    quiet.critical_passes = (target as HTMLInputElement).checked;
                  }}
                />${texts.criticalPasses}
              </label>`
          : nothing
      }
    </fieldset>`;
  }

  private mutesTemplate(): TemplateResult {
    const { texts, preferences, host } = this.settings;
    const { mutes } = preferences;
    const { texts: words, language, now } = host.wording;
    return html`<section aria-labelledby="mutes">
      <h4 id="mutes" tabindex="-1">${texts.mutes}</h4>
      ${mutes.length === 0 ? html`<p class="details">${texts.mutesNone}</p>` : nothing}
      <ul role="list" ?hidden=${mutes.length === 0}>
        ${mutes.map((mute) => {
          const title = this.settings.titleOf(mute.event_type);
          const { session_name: session, until } = mute;
          return html`<li class="muted">
            <div>
              <p dir="auto">${title}</p>
              <p class="details">
                ${session === undefined ? texts.muteOfAll : fill(texts.muteOf, { session: isolated(session) })}
                <span aria-hidden="true">·</span>
                ${
                  until === undefined
                    ? texts.muteForGood
                    : fill(words.mutedUntil, { time: clockTime(Date.parse(until), now, language) })
                }
              </p>
            </div>
            <button
              class="button"
              type="button"
              aria-label=${fill(texts.unmuteAlert, { title: isolated(title) })}
              @click=${() => void this.unmute(mute)}
            >
              ${texts.unmute}
            </button>
          </li>`;
        })}
      </ul>
    </section>`;
  }

  private async save(): Promise<void> {
    const { draft } = this;
    const { texts, host } = this.settings;
    const { from, to } = draft.quiet;
    if (draft.isQuiet && !(from && to)) {
      this.say(texts.quietMissing, true);
      host.renderRoot.querySelector<HTMLElement>(`.settings [name=${from ? 'to' : 'from'}]`)?.focus();
      return;
    }
    await this.change(({ channels, offered }) => ({
      channels: Object.fromEntries(
        Object.keys(offered).map((name): [string, Channel] => {
          const said = { ...channels[name], ...this.channel(name) };
          return [name, name === WEB_PUSH ? { ...said, enabled: channels[name]?.enabled === true } : said];
        }),
      ),
      quiet_hours: draft.isQuiet ? draft.quiet : null,
    }));
  }

  private async unmute(mute: Mute): Promise<void> {
    const { settings } = this;
    const hasWorked = await this.change(({ mutes }) => ({ mutes: withoutMute(mutes, mute) }));
    if (hasWorked) await settings.focus('#mutes');
  }

  private async turnPushOn(): Promise<void> {
    const { settings } = this;
    const { host, texts, preferences } = settings;
    if (this.isBusy) return;
    // Asked for in the click itself.
    const permission = await Notification.requestPermission();
    if (permission !== 'granted') {
      const isDenied = permission === 'denied';
      this.say(isDenied ? texts.pushObstacles.denied : texts.pushNotAllowed, true);
      return;
    }
    let subscription: PushSubscriptionJSON;
    try {
      const { public_key: key = '' } = preferences.offered[WEB_PUSH] ?? {};
      const { endpoint, keys } = await subscribe(host.pushWorker, key);
      if (endpoint === undefined || keys === undefined) throw new TypeError('The browser gives no address');
      subscription = { endpoint, keys };
    } catch (error) {
      console.warn('<session-alerts>: the browser cannot be subscribed.', error);
      this.say(texts.pushFailed, true);
      return;
    }
    this.endpoint = subscription.endpoint;
    await this.changePush((others) => [...others, subscription]);
  }

  private async turnPushOff(): Promise<void> {
    if (await this.changePush((others) => others)) {
      const subscription = await subscriptionHere(this.settings.host.pushWorker);
      await subscription?.unsubscribe().catch(() => false);
    }
  }

  /** @param of the subscriptions that are kept, of those of other browsers */
  private changePush(
    of: (others: readonly PushSubscriptionJSON[]) => readonly PushSubscriptionJSON[],
  ): Promise<boolean> {
    const { severity } = this.channel(WEB_PUSH);
    return this.change(({ channels }) => {
      const { subscriptions: known = [] } = channels[WEB_PUSH] ?? {};
      const subscriptions = of(known.filter(({ endpoint }) => endpoint !== this.endpoint));
      return {
        channels: { ...channels, [WEB_PUSH]: { enabled: subscriptions.length > 0, severity, subscriptions } },
      };
    });
  }

  private async lookForSubscription(): Promise<void> {
    const { host } = this.settings;
    if (obstacleIn(environmentOf(host.pushWorker))) return;
    this.endpoint = (await subscriptionHere(host.pushWorker).catch(() => undefined))?.endpoint;
    this.draw();
  }

  /** Changes what is kept, and says whether that has worked. */
  private async change(change: (preferences: Preferences) => Partial<Preferences>): Promise<boolean> {
    const { settings } = this;
    if (this.isBusy) return false;
    this.isBusy = true;
    try {
      await settings.change(change);
      this.say(settings.texts.saved);
      return true;
    } catch (error) {
      const isRefused =
        error instanceof UnexpectedAnswerError &&
        error.status >= 400 &&
        error.status < 500 &&
        error.status !== 429;
      this.say(isRefused ? settings.texts.saveRefused : settings.texts.saveFailed, true);
      return false;
    } finally {
      this.isBusy = false;
    }
  }

  private channel(name: string): Draft['channels'][string] {
    return (this.draft.channels[name] ??= { enabled: false, severity: 'warning' });
  }

  private say(text: string | undefined, isWrong = false): void {
    if (text === undefined && !this.said) return;
    this.said = text === undefined ? undefined : { text, isWrong };
    this.draw();
  }

  private draw(): void {
    this.settings.host.requestUpdate();
  }
}

function draftOf({ channels, quiet_hours: quiet }: Preferences): Draft {
  return {
    channels: Object.fromEntries(
      Object.entries(channels).map(([name, { enabled, severity }]) => [name, { enabled, severity }]),
    ),
    isQuiet: quiet !== null,
    quiet: quiet
      ? { ...quiet }
      : { from: '22:00', to: '07:00', time_zone: ownTimeZone(), critical_passes: false },
  };
}

function ownTimeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

let zones: readonly string[] | undefined;

/** All time zones that the browser knows, and one that it may not. */
function timeZones(chosen: string): readonly string[] {
  zones ??= [...new Set([...Intl.supportedValuesOf('timeZone'), ownTimeZone(), 'UTC'])].sort();
  return zones.includes(chosen) ? zones : [chosen, ...zones];
}
