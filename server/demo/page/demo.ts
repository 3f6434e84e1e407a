import { html, nothing, render } from 'lit';
import type { TemplateResult } from 'lit';
import type { ChangeDetail } from 'session-alerts-panel';
import { SessionAlertsElement } from '../../../panel/element.js';
import { Alertmanager } from './alertmanager.js';
import type { Series, Summary } from './alertmanager.js';
import { controls } from './controls.js';
import { loadConfig, sessionsOf } from './demo-config.js';
import type { DemoConfig, Network, Person, Session } from './demo-config.js';
import { endSession, setNetwork, setWatchdog } from './demo-switches.js';
import { loadMails } from './mails.js';
import type { Mail } from './mails.js';
import { SESSION_HREF, overview } from './overview.js';
import { panelSays, panelView } from './panel-view.js';
import type { PanelOf } from './panel-view.js';
import { sessionView } from './session-view.js';
import type { Wellbeing } from './session-view.js';
import { SharedState } from './shared-state.js';
import type { DemoState, Firing } from './shared-state.js';
import { stopDialog } from './stop-dialog.js';
import { TROUBLES } from './troubles.js';
import type { Trouble } from './troubles.js';

/** How often (ms) to look for mail. */
const MAILS_EVERY = 2_000;
/** So many things that were done are remembered. */
const REMEMBERED = 30;

const NETWORK_EXPECTED: Record<Network, string> = {
  normal: 'The network is normal again: the panels connect by themselves, within 30 seconds.',
  slow: 'The network is slow: each of the panels’ requests takes two seconds, so news does as well.',
  'stream-blocked':
    'Event streams get no answer: after three seconds the panels ask every five seconds instead, and say nothing of it.',
  away: 'The panels do not reach the server: they keep what they show, and say since when it may be out of date. What fires now is told once it is back.',
};

class Demo {
  private readonly alertmanager: Alertmanager;
  private readonly sessions: readonly Session[];
  private readonly shared: SharedState;
  private target: Session;
  private stopping: Session;
  private network: Network;
  private watchdogComes: boolean;
  private mails: Mail[] = [];
  private readonly panels = new Map<string, ChangeDetail>();

  constructor(
    private readonly config: DemoConfig,
    private readonly sheet: { controls: HTMLElement | undefined; sessions: HTMLElement },
  ) {
    this.sessions = sessionsOf(config);
    const [first] = this.sessions;
    if (!first) throw new Error("The demo's configuration names no session");
    this.target = this.stopping = first;
    this.alertmanager = new Alertmanager(config);
    this.network = config.network;
    this.watchdogComes = config.watchdogComes;
    this.shared = new SharedState(config.run, () => {
      this.draw();
    });
  }

  draw(): void {
    const state = this.shared.get();
    document.documentElement.dataset['theme'] = state.theme;
    const { controls: strip, sessions } = this.sheet;
    sessions.dir = state.direction;
    const isFramed = strip !== undefined && state.width !== 'full';
    render(isFramed ? frame(state.width) : this.sessionsView(state), sessions);
    if (strip) render(this.controlsView(state), strip);
  }

  private sessionsView(state: DemoState): TemplateResult {
    return html`${this.config.people.map((person) => {
        const own = this.sessions.filter((session) => session.person === person);
        if (own.length < 2) return nothing;
        const panel = this.panelOf(state, person, 'overview', { sessionHref: SESSION_HREF, quiet: true });
        return overview(person, own, panel, panelSays(this.panels.get('overview')));
      })}
      <div class="sessions">
        ${this.sessions.map((session, index) =>
          sessionView(
            session,
            index,
            wellbeing(state, session),
            this.panelOf(state, session.person, session.name, { session: session.name, quiet: state.quiet }),
            panelSays(this.panels.get(session.name)),
            () => {
              this.askToStop(session);
            },
          ),
        )}
      </div>
      ${stopDialog(this.stopping.name, () => void this.stop(this.stopping))}`;
  }

  private panelOf(
    state: DemoState,
    person: Person,
    name: string,
    options: Pick<PanelOf, 'session' | 'sessionHref' | 'quiet'>,
  ): TemplateResult {
    return panelView(
      { api: this.config.panelApi, state },
      {
        ...options,
        getToken: ({ refresh }) => this.tokenOf(person, refresh),
        onChange: (detail) => {
          this.panels.set(name, detail);
          this.draw();
        },
      },
    );
  }

  private controlsView(state: DemoState): TemplateResult {
    const { sessions, target, network, watchdogComes, mails } = this;
    return controls(
      state,
      { sessions, target, network, watchdogComes, mails },
      {
        aim: (session) => {
          this.target = session;
          this.draw();
        },
        fire: (trouble) => void this.fire(trouble),
        resolve: (firing) => void this.resolve(firing),
        resolveTrouble: (id, volume) => void this.resolveTrouble(id, volume),
        resolveAll: () => void this.resolveAll(),
        network: (mode) => void this.setNetwork(mode),
        watchdog: (comes) => void this.setWatchdog(comes),
        set: (change) => {
          this.shared.set(change);
          this.draw();
        },
      },
    );
  }

  private async fire(trouble: Trouble): Promise<void> {
    const { target } = this;
    const series = trouble.series(target);
    const isNew = !this.shared.get().firing.some((one) => isOf(one, target, trouble.id));
    const expected = isNew
      ? trouble.expected(target.person.name)
      : `The same once more, as Alertmanager repeats it: ${target.person.name} is told nothing.`;
    await this.post(`${trouble.label} in ${target.name}. ${expected}`, () => this.alertmanager.fire(series));
    const { firing, restarted } = this.shared.get();
    if (isNew) {
      const parts = trouble.id === 'disk' ? series.map((one) => [one]) : [series];
      const added = parts.map((part) => ({
        session: target.name,
        trouble: trouble.id,
        name: nameOf(trouble, part, target),
        series: part,
      }));
      this.shared.set({ firing: [...firing, ...added] });
    }
    if (trouble.id === 'oom') this.shared.set({ restarted: [...restarted, target.name] });
    this.draw();
  }

  private async resolve(these: readonly Firing[]): Promise<void> {
    const [first] = these;
    const trouble = TROUBLES.find(({ id }) => id === first?.trouble);
    const session = this.sessions.find(({ name }) => name === first?.session);
    if (!first || !trouble || !session) return;
    await this.post(`Resolved: ${first.name} in ${session.name}. ${trouble.over(session.person.name)}`, () =>
      this.alertmanager.resolve(these.flatMap(({ series }) => series)),
    );
    const keys = these.map(keyOf);
    this.shared.set({ firing: this.shared.get().firing.filter((one) => !keys.includes(keyOf(one))) });
    this.draw();
  }

  /** Of the session that is aimed at; of one volume, where that is named. */
  private async resolveTrouble(id: Trouble['id'], volume?: string): Promise<void> {
    const { target } = this;
    const these = this.shared
      .get()
      .firing.filter((one) => isOf(one, target, id) && (volume === undefined || one.name === volume));
    if (these.length > 0) {
      await this.resolve(these);
    } else {
      this.note(`Nothing of that fires in ${target.name}: nothing was posted.`);
    }
  }

  /** Also what fired before this page was loaded. */
  private async resolveAll(): Promise<void> {
    const { target } = this;
    const { person, name } = target;
    await this.post(
      `Resolved: all that may fire in ${name}. Its alerts go; an OOM kill has happened and stays until ${person.name} dismisses it.`,
      () => this.alertmanager.resolve(TROUBLES.flatMap((trouble) => trouble.series(target))),
    );
    this.forgetFiring(target);
  }

  private askToStop(session: Session): void {
    this.stopping = session;
    this.draw();
    this.sheet.sessions.querySelector<HTMLDialogElement>('dialog.stopping')?.showModal();
  }

  private async stop(session: Session): Promise<void> {
    await this.doing(
      `The session ${session.name} has ended: all its alerts are closed, events as well.`,
      async () => {
        const closed = await endSession(session);
        return `Closed ${closed}.`;
      },
    );
    this.forgetFiring(session);
  }

  private forgetFiring({ name }: Session): void {
    const { firing, restarted } = this.shared.get();
    this.shared.set({
      firing: firing.filter(({ session }) => session !== name),
      restarted: restarted.filter((session) => session !== name),
    });
    this.draw();
  }

  private async setNetwork(mode: Network): Promise<void> {
    const before = this.network;
    await this.doing(NETWORK_EXPECTED[mode], async () => {
      await setNetwork(mode);
      this.network = mode;
      return '';
    });
    // Blocked streams are tried again ever more seldom, or when the browser says that it is online again.
    if (before === 'stream-blocked') window.dispatchEvent(new Event('online'));
  }

  private async setWatchdog(comes: boolean): Promise<void> {
    const expected = comes
      ? 'The watchdog comes again: alerts reach the server, and within ten seconds the panels say nothing of it any more.'
      : 'The watchdog stays away: within twenty seconds the panels say that alerts may be out of date.';
    await this.doing(expected, async () => {
      await setWatchdog(comes);
      this.watchdogComes = comes;
      return '';
    });
  }

  private post(text: string, send: () => Promise<Summary>): Promise<void> {
    return this.doing(text, async () => {
      const { stored, resolved, skipped } = await send();
      return `Answered 200: stored ${stored}, resolved ${resolved}, skipped ${skipped}.`;
    });
  }

  /** Does something, and notes what is to be expected of it, or why it failed. */
  private async doing(text: string, act: () => Promise<string>): Promise<void> {
    try {
      this.note(text, await act());
    } catch (error) {
      this.note('That failed.', error instanceof Error ? error.message : String(error));
    }
  }

  /** Looks for mail from now on. */
  async watchMails(): Promise<void> {
    for (;;) {
      const mails = await loadMails().catch(() => this.mails);
      if (mails[0]?.date !== this.mails[0]?.date) {
        this.mails = mails;
        this.draw();
      }
      await new Promise((resolve) => setTimeout(resolve, MAILS_EVERY));
    }
  }

  private note(text: string, answer = ''): void {
    const time = new Date().toLocaleTimeString('en-GB');
    const { happenings } = this.shared.get();
    this.shared.set({ happenings: [{ time, text, answer }, ...happenings].slice(0, REMEMBERED) });
    this.draw();
  }

  private async tokenOf(person: Person, refresh: boolean): Promise<string> {
    if (refresh) {
      const { people } = await loadConfig();
      person.token = people.find(({ userId }) => userId === person.userId)?.token ?? person.token;
    }
    return person.token;
  }
}

function isOf(firing: Firing, session: Session, trouble: Trouble['id']): boolean {
  return firing.session === session.name && firing.trouble === trouble;
}

function keyOf({ session, trouble, name }: Firing): string {
  return `${session} ${trouble} ${name}`;
}

function nameOf(trouble: Trouble, [first]: Series[], { name }: Session): string {
  return first?.labels['persistentvolumeclaim']?.slice(name.length + 1) ?? trouble.label;
}

function wellbeing({ firing, restarted }: DemoState, session: Session): Wellbeing {
  const has = (id: Trouble['id']): boolean => firing.some((one) => isOf(one, session, id));
  return {
    memory: has('memory-critical') ? 0.99 : has('memory') ? 0.94 : 0.38,
    disk: has('disk') ? 0.93 : 0.41,
    kernel: restarted.includes(session.name) ? 'Restarted' : 'Idle',
  };
}

/** The page's sessions in a window of their own, as narrow as a telephone's. */
function frame(width: string): TemplateResult {
  return html`<iframe
    title="The sessions, ${width} px wide"
    src="/?only=sessions"
    style="width: ${width}px"
  ></iframe>`;
}

// A bundler leaves out the module that defines it, as of the panel's package only what is built has effects.
customElements.define('session-alerts', SessionAlertsElement);

const sessions = document.querySelector('main');
const strip = document.querySelector('aside');
if (!sessions || !strip) throw new Error('The page has no place for the demo');
const isFrame = new URLSearchParams(location.search).has('only');
if (isFrame) strip.remove();
document.documentElement.classList.toggle('framed', isFrame);
try {
  const place = strip.querySelector<HTMLElement>('.controls') ?? undefined;
  const demo = new Demo(await loadConfig(), { controls: isFrame ? undefined : place, sessions });
  demo.draw();
  if (!isFrame) void demo.watchMails();
} catch (error) {
  render(html`<p class="broken">The demo cannot start: ${String(error)}</p>`, sessions);
}
