import { html, nothing, render } from 'lit';
import type { TemplateResult } from 'lit';
import { SessionAlertsElement } from '../../../panel/element.js';
import { Alertmanager } from './alertmanager.js';
import type { Series } from './alertmanager.js';
import { loadConfig } from './demo-config.js';
import type { DemoConfig, Person } from './demo-config.js';
import { sessionView } from './session-view.js';
import type { Wellbeing } from './session-view.js';
import { TROUBLES } from './troubles.js';
import type { Trouble } from './troubles.js';

/** A series that this page lets fire, and what it is called on its button. */
interface Firing {
  person: Person;
  trouble: Trouble;
  name: string;
  series: Series[];
}

class Demo {
  private readonly alertmanager: Alertmanager;
  private target: Person;
  private firing: Firing[] = [];
  private readonly restarted = new Set<Person>();
  private answer = 'Nothing posted yet.';

  constructor(
    private config: DemoConfig,
    private readonly place: HTMLElement,
  ) {
    const [first] = config.people;
    if (!first) throw new Error("The demo's configuration names nobody");
    this.target = first;
    this.alertmanager = new Alertmanager(config);
  }

  draw(): void {
    const { people, api } = this.config;
    render(
      html`<div class="sessions">
          ${people.map((person, index) =>
            sessionView(person, index, this.wellbeing(person), api, (options) =>
              this.tokenOf(person, options.refresh),
            ),
          )}
        </div>
        ${this.strip()}`,
      this.place,
    );
  }

  private strip(): TemplateResult {
    return html`<section class="strip" aria-labelledby="strip">
      <h2 id="strip">Alertmanager</h2>
      <fieldset>
        <legend class="unseen">Whose session</legend>
        ${this.config.people.map(
          (person) =>
            html`<label>
              <input
                type="radio"
                name="target"
                .checked=${person === this.target}
                @change=${() => {
                  this.target = person;
                  this.draw();
                }}
              /><span>${person.name}</span>
            </label>`,
        )}
      </fieldset>
      <div class="buttons">
        ${TROUBLES.map(
          (trouble) =>
            html`<button type="button" @click=${() => void this.fire(trouble)}>${trouble.label}</button>`,
        )}
        <button type="button" class="calm" @click=${() => void this.resolveAll()}>Resolve all</button>
      </div>
      <p class="answer" role="status">${this.answer}</p>
      ${this.firing.length > 0 ? this.firingList() : nothing}
    </section>`;
  }

  private firingList(): TemplateResult {
    return html`<ul class="firing" role="list" aria-label="Firing">
      ${this.firing.map(
        (one) =>
          html`<li>
            <button type="button" @click=${() => void this.resolve([one])}>
              <span class="unseen">Resolve </span>${one.person.name}: ${one.name}
            </button>
          </li>`,
      )}
    </ul>`;
  }

  private async fire(trouble: Trouble): Promise<void> {
    const person = this.target;
    const series = trouble.series(person);
    const isNew = !this.firing.some((one) => one.person === person && one.trouble === trouble);
    await this.post(async () => this.alertmanager.fire(series));
    if (trouble.id === 'oom') this.restarted.add(person);
    if (isNew) {
      const parts = trouble.id === 'storm' ? [series] : series.map((one) => [one]);
      this.firing.push(
        ...parts.map((part) => ({ person, trouble, name: nameOf(trouble, part), series: part })),
      );
    }
    this.draw();
  }

  private async resolve(these: readonly Firing[]): Promise<void> {
    await this.post(() => this.alertmanager.resolve(these.flatMap(({ series }) => series)));
    this.firing = this.firing.filter((one) => !these.includes(one));
    this.draw();
  }

  /** Also what fired before this page was loaded. */
  private async resolveAll(): Promise<void> {
    const person = this.target;
    await this.post(() => this.alertmanager.resolve(TROUBLES.flatMap((trouble) => trouble.series(person))));
    this.firing = this.firing.filter((one) => one.person !== person);
    this.restarted.delete(person);
    this.draw();
  }

  private async post(
    send: () => Promise<{ stored: number; resolved: number; skipped: number }>,
  ): Promise<void> {
    try {
      const { stored, resolved, skipped } = await send();
      this.answer = `Answered 200: stored ${stored}, resolved ${resolved}, skipped ${skipped}.`;
    } catch (error) {
      this.answer = error instanceof Error ? error.message : String(error);
    }
  }

  private wellbeing(person: Person): Wellbeing {
    const has = (id: Trouble['id']): boolean =>
      this.firing.some((one) => one.person === person && one.trouble.id === id);
    return {
      memory: has('memory') ? 0.94 : 0.38,
      disk: has('disk') ? 0.93 : 0.41,
      kernel: this.restarted.has(person) ? 'Restarted' : 'Idle',
    };
  }

  private async tokenOf(person: Person, refresh: boolean): Promise<string> {
    if (refresh) {
      const { people } = await loadConfig();
      person.token = people.find(({ userId }) => userId === person.userId)?.token ?? person.token;
    }
    return person.token;
  }
}

function nameOf(trouble: Trouble, [first]: Series[]): string {
  return first?.labels['persistentvolumeclaim'] ?? trouble.label;
}

// A bundler leaves out the module that defines it, as of the panel's package only what is built has effects.
customElements.define('session-alerts', SessionAlertsElement);

const place = document.querySelector('main');
if (!place) throw new Error('The page has no place for the demo');
try {
  new Demo(await loadConfig(), place).draw();
} catch (error) {
  render(html`<p class="broken">The demo cannot start: ${String(error)}</p>`, place);
}
