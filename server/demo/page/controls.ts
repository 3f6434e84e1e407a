import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { Network, Session } from './demo-config.js';
import { mailsView } from './mails.js';
import type { Mail } from './mails.js';
import { DIRECTIONS, THEMES, WIDTHS } from './shared-state.js';
import type { DemoState, Firing, Happening } from './shared-state.js';
import { TROUBLES } from './troubles.js';
import type { Trouble } from './troubles.js';

/** What the controls show besides the state. */
export interface Playing {
  sessions: readonly Session[];
  target: Session;
  network: Network;
  watchdogComes: boolean;
  mails: readonly Mail[];
}

/** What the controls do. */
export interface Plays {
  aim: (session: Session) => void;
  fire: (trouble: Trouble) => void;
  resolve: (firing: readonly Firing[]) => void;
  resolveTrouble: (trouble: Trouble['id'], volume?: string) => void;
  resolveAll: () => void;
  network: (mode: Network) => void;
  watchdog: (comes: boolean) => void;
  set: (change: Partial<DemoState>) => void;
}

const NETWORKS: readonly [Network, string][] = [
  ['normal', 'Normal'],
  ['slow', 'Slow'],
  ['stream-blocked', 'Stream blocked'],
  ['away', 'Server away'],
];
const LANGUAGES = [
  ['en', 'English'],
  ['de', 'Deutsch'],
  ['fr', 'Français'],
  ['it', 'Italiano'],
  ['rm', 'Rumantsch (not in the panel)'],
] as const;
const TOGGLES = [
  ['quiet', 'Quiet'],
  ['tabCount', 'Count in the tab'],
  ['notifications', 'Notifications'],
] as const;

export function controls(state: DemoState, playing: Playing, plays: Plays): TemplateResult {
  return html`<div class="groups">
      ${choice(
        'Whose session',
        playing.sessions.map((session) => [session, `${session.person.name}: ${session.name}`]),
        playing.target,
        plays.aim,
      )}
      ${troubles(plays)} ${faults(playing, plays)}
      ${choice('Width', named(WIDTHS, ['Full', '375 px', '320 px']), state.width, (width) => {
        plays.set({ width });
      })}
      ${looks(state, plays)}
    </div>
    ${firing(state.firing, plays)} ${mailsView(playing.mails)} ${log(state.happenings)}`;
}

function troubles(plays: Plays): TemplateResult {
  return html`<fieldset>
    <legend>What happens there</legend>
    <div class="buttons">
      ${TROUBLES.map((trouble) =>
        button(trouble.label, () => {
          plays.fire(trouble);
        }),
      )}
      ${button('Memory back to warning', () => {
        plays.resolveTrouble('memory-critical');
      })}
      ${button('Volume data recovers', () => {
        plays.resolveTrouble('disk', 'data');
      })}
      ${button('Resolve all', plays.resolveAll)}
    </div>
  </fieldset>`;
}

function faults({ network, watchdogComes }: Playing, plays: Plays): TemplateResult {
  return html`${choice('Network of the panels', NETWORKS, network, plays.network)}
  ${choice(
    'Prometheus’s watchdog',
    [
      [true, 'Comes'],
      [false, 'Stays away'],
    ],
    watchdogComes,
    plays.watchdog,
  )}`;
}

function looks(state: DemoState, plays: Plays): TemplateResult {
  return html`<fieldset>
      <legend>Panels</legend>
      <div class="toggles">
        <label class="field">
          Language
          <select
            @change=${({ target }: Event) => {
              plays.set({ language: (target as HTMLSelectElement).value });
            }}
          >
            ${LANGUAGES.map(
              ([tag, name]) =>
                html`<option value=${tag} lang=${tag} ?selected=${tag === state.language}>${name}</option>`,
            )}
          </select>
        </label>
        ${TOGGLES.map(
          ([name, label]) =>
            html`<label class="field">
              <input
                type="checkbox"
                .checked=${state[name]}
                @change=${({ target }: Event) => {
                  plays.set({ [name]: (target as HTMLInputElement).checked });
                }}
              />${label}
            </label>`,
        )}
      </div>
    </fieldset>
    ${choice('Theme', named(THEMES, ['System', 'Light', 'Dark']), state.theme, (theme) => {
      plays.set({ theme });
    })}
    ${choice(
      'Direction',
      named(DIRECTIONS, ['Left to right', 'Right to left']),
      state.direction,
      (direction) => {
        plays.set({ direction });
      },
    )}`;
}

function firing(all: readonly Firing[], plays: Plays): TemplateResult {
  return html`<section class="firing" aria-labelledby="firing">
    <h2 id="firing">Firing</h2>
    ${
      all.length === 0
        ? html`<p>Nothing fires.</p>`
        : html`<ul role="list">
            ${all.map(
              (one) =>
                html`<li>
                  <button
                    type="button"
                    @click=${() => {
                      plays.resolve([one]);
                    }}
                  >
                    <span class="unseen">Resolve </span>${one.session}: ${one.name}
                  </button>
                </li>`,
            )}
          </ul>`
    }
  </section>`;
}

function log(happenings: readonly Happening[]): TemplateResult {
  return html`<section class="log" aria-labelledby="log">
    <h2 id="log">What was done, and what to expect</h2>
    <div class="happenings" role="log" aria-labelledby="log" tabindex="0">
      ${
        happenings.length === 0
          ? html`<p>Nothing yet: let something happen, and see who is told.</p>`
          : happenings.map(
              ({ time, text, answer }) =>
                html`<p><time>${time}</time> ${text}${answer ? html` <em>${answer}</em>` : nothing}</p>`,
            )
      }
    </div>
  </section>`;
}

function button(label: string, press: () => void): TemplateResult {
  return html`<button type="button" @click=${press}>${label}</button>`;
}

function named<T>(values: readonly T[], names: readonly string[]): [T, string][] {
  return values.map((value, index) => [value, names[index] ?? String(value)]);
}

/** One of several. */
function choice<T>(
  legend: string,
  options: readonly (readonly [T, string])[],
  chosen: T,
  choose: (value: T) => void,
): TemplateResult {
  return html`<fieldset class="choice">
    <legend>${legend}</legend>
    <div>
      ${options.map(
        ([value, label]) =>
          html`<label>
            <input
              type="radio"
              name=${legend}
              .checked=${value === chosen}
              @change=${() => {
                choose(value);
              }}
            /><span>${label}</span>
          </label>`,
      )}
    </div>
  </fieldset>`;
}
