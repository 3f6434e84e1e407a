import fc from 'fast-check';
import { AlertsRepository } from '../../src/alerts/alerts.repository.js';
import { AlertsService } from '../../src/alerts/alerts.service.js';
import type { Observation } from '../../src/alerts/observation.js';
import { AlertMapper } from '../../src/webhooks/alert-mapper.service.js';
import { ALERTMANAGER, GRAFANA } from '../../src/webhooks/senders.js';
import type { Sender } from '../../src/webhooks/senders.js';
import { parseWebhookBody } from '../../src/webhooks/webhook-body.js';
import { seriesFingerprint } from '../../src/webhooks/series-fingerprint.js';
import { startTestServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';

/** How many histories; more of them by hand, e.g. PROPERTY_RUNS=20000. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 1000);
const EPOCH = Date.parse('2026-01-01T00:00:00Z');

/** What a series does in truth: it fires, and ends or does not, again and again. Times in seconds. */
interface Episode {
  startsAt: number;
  endsAt: number;
  /** What it says of itself at first, and later. */
  severities: [string, string];
  /** It fires again with the same start: the resolve was false, as when Prometheus restarts. */
  isFalseEnd: boolean;
}
interface History {
  /** Series by number; the first two are two volumes of one session's one alert. */
  episodes: Episode[][];
  /** Whether the last episode of a series goes on. */
  goesOn: boolean[];
  /** Which Alertmanager says its next thing, how often it says it, by which door, and how late that is written. */
  turns: { alertmanager: number; series: number; copies: number; sender: Sender; delay: number }[];
  /** After which turn a person closes the alert of a series. */
  closings: { after: number; series: number }[];
  /** After which turn a series is silenced, and how many turns later that ends: reconciling notices both. */
  silences: { after: number; turns: number; series: number }[];
  /** Everything is written at once, in the order in which it came. */
  isOrderly: boolean;
}

const severity = fc.constantFrom('critical', 'error', 'warning', 'odd', 'info');
const GRAVEST_FIRST = ['critical', 'error', 'warning', 'odd', 'info'];

const SERIES = 4;

const history: fc.Arbitrary<History> = fc.record({
  episodes: fc.array(
    fc
      .array(
        fc.record({
          length: fc.integer({ min: 1, max: 9 }),
          pause: fc.integer({ min: 0, max: 9 }),
          severities: fc.tuple(severity, severity),
        }),
        { minLength: 1, maxLength: 3 },
      )
      .map((lengths) => {
        let time = 0;
        return lengths.map(({ length, pause, severities }, index) => {
          const startsAt = time;
          time += length;
          const endsAt = time;
          time += pause;
          return { startsAt, endsAt, severities, isFalseEnd: index % 2 === 0 && pause === 0 };
        });
      }),
    { minLength: SERIES, maxLength: SERIES },
  ),
  goesOn: fc.array(fc.boolean(), { minLength: SERIES, maxLength: SERIES }),
  turns: fc.array(
    fc.record({
      alertmanager: fc.integer({ min: 0, max: 1 }),
      series: fc.integer({ min: 0, max: SERIES - 1 }),
      copies: fc.integer({ min: 1, max: 3 }),
      sender: fc.constantFrom(ALERTMANAGER, GRAFANA),
      delay: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 4 })),
    }),
    { maxLength: 40 },
  ),
  closings: fc.array(
    fc.record({ after: fc.integer({ min: 0, max: 30 }), series: fc.integer({ min: 0, max: SERIES - 1 }) }),
    { maxLength: 2 },
  ),
  silences: fc.array(
    fc.record({
      after: fc.integer({ min: 0, max: 30 }),
      turns: fc.integer({ min: 1, max: 9 }),
      series: fc.integer({ min: 0, max: SERIES - 1 }),
    }),
    { maxLength: 2 },
  ),
  isOrderly: fc.boolean(),
});

/**
 * The first word of a series is written after its end, while another keeps their alert open; that is closed by hand, and
 * the series fires on.
 */
const CLOSED_WHILE_SLOW: History = {
  episodes: Array.from({ length: SERIES }, () => [
    { startsAt: 0, endsAt: 1, severities: ['warning', 'warning'], isFalseEnd: true },
  ]),
  goesOn: [true, false, false, false],
  turns: [
    { alertmanager: 0, series: 1, copies: 1, sender: GRAFANA, delay: 1 },
    { alertmanager: 0, series: 0, copies: 1, sender: ALERTMANAGER, delay: 2 },
  ],
  closings: [{ after: 3, series: 0 }],
  silences: [],
  isOrderly: false,
};

/** One thing that an Alertmanager says about a series. */
interface Notice {
  series: number;
  startsAt: number;
  severity: string;
  message: string;
  /** Set where it says "resolved". */
  endsAt?: number;
}

/** All that an Alertmanager says about a series, in order. */
function noticesOf(series: number, episodes: Episode[], goesOn: boolean): Notice[] {
  return episodes.flatMap(({ startsAt, endsAt, severities, isFalseEnd }, index) => {
    const isLast = index === episodes.length - 1;
    const said = (time: 0 | 1): Notice => ({
      series,
      startsAt,
      severity: severities[time],
      message: `Volume ${series} in episode ${index}, ${time === 0 ? 'at first' : 'later'}`,
    });
    const resolved = { ...said(1), endsAt };
    if (isLast && goesOn) return isFalseEnd ? [said(0), resolved, said(1)] : [said(0), said(1)];
    return isFalseEnd
      ? [said(0), resolved, said(1), { ...resolved, endsAt: endsAt + 0.5 }]
      : [said(0), resolved];
  });
}

/** An open alert as its user sees it. */
interface Shown {
  identity: string;
  severity: string;
  message: string;
  /** Messages of the series that fire, the gravest first. */
  firing: string[];
  hasEscalated: boolean;
}

interface ModelAlert {
  shown: string;
  hasEscalated: boolean;
}

/** The rules, as plainly as they can be said, for notices in their order of arrival. */
class Model {
  private readonly series = Array.from({ length: SERIES }, (_, number) => ({
    number,
    isFiring: false,
    startsAt: -Infinity,
    silentUpTo: -Infinity,
    severity: '',
    message: '',
    alert: undefined as ModelAlert | undefined,
  }));
  private readonly open = new Map<string, ModelAlert>();
  /** How many alerts were closed by a silence. */
  silenced = 0;

  /** @param tieOf what decides between series that are as grave and as old */
  constructor(private readonly tieOf: (series: number) => string) {}

  notice({ series: number, startsAt, endsAt, severity, message }: Notice): void {
    const series = this.series[number]!;
    if (endsAt === undefined) {
      const fires = series.isFiring && this.isShown(number);
      if (fires ? startsAt < series.startsAt : startsAt <= series.silentUpTo) return;
      Object.assign(series, { isFiring: true, startsAt, severity, message });
      const identity = identityOf(number);
      const alert = this.open.get(identity) ?? { shown: severity, hasEscalated: false };
      this.open.set(identity, alert);
      series.alert = alert;
      this.show(alert);
    } else if (series.isFiring && this.isShown(number) && endsAt > series.startsAt) {
      this.end(number);
    }
  }

  /** What is shown is withheld from now on, until it is reported again. */
  silence(number: number): void {
    const series = this.series[number]!;
    if (!series.isFiring || !this.isShown(number)) return;
    this.end(number);
    if (!this.open.has(identityOf(number))) this.silenced += 1;
  }

  private end(number: number): void {
    const series = this.series[number]!;
    series.isFiring = false;
    const alert = series.alert!;
    if (this.firing(alert).length === 0) this.open.delete(identityOf(number));
    else this.show(alert);
  }

  close(number: number): void {
    const identity = identityOf(number);
    const alert = this.open.get(identity);
    if (!alert) return;
    this.open.delete(identity);
    for (const one of this.series) {
      if (one.alert === alert) one.silentUpTo = Math.max(one.silentUpTo, one.startsAt);
    }
  }

  openAlerts(): Shown[] {
    const shown = [...this.open].map(([identity, alert]) => {
      const firing = this.firing(alert);
      const [{ severity, message }] = firing as [(typeof firing)[0]];
      const { hasEscalated } = alert;
      return { identity, severity, message, firing: firing.map((one) => one.message), hasEscalated };
    });
    return shown.sort(byIdentity);
  }

  private show(alert: ModelAlert): void {
    const [gravest] = this.firing(alert);
    if (gravityOf(gravest!.severity) < gravityOf(alert.shown)) alert.hasEscalated = true;
    alert.shown = gravest!.severity;
  }

  private firing(alert: ModelAlert) {
    return this.series
      .filter((one) => one.isFiring && one.alert === alert)
      .sort(
        (one, other) =>
          gravityOf(one.severity) - gravityOf(other.severity) ||
          other.startsAt - one.startsAt ||
          this.tieOf(one.number).localeCompare(this.tieOf(other.number)),
      );
  }

  private isShown(number: number): boolean {
    return this.open.get(identityOf(number)) === this.series[number]!.alert;
  }
}

function gravityOf(severity: string): number {
  return GRAVEST_FIRST.indexOf(severity);
}

function byIdentity(one: Shown, other: Shown): number {
  return one.identity.localeCompare(other.identity);
}

/** Series 0 and 1 are two volumes of one alert; the others stand alone, one for another user. */
function identityOf(series: number): string {
  return series <= 1 ? 'ann/s-0' : series === 2 ? 'ann/s-2' : 'bob/s-3';
}

/** What is in trouble when everything has been said. */
function stillFiring({ goesOn }: History): string[] {
  const firing = goesOn.flatMap((goes, series) => (goes ? [identityOf(series)] : []));
  return [...new Set(firing)].sort();
}

describe('any history of series, however it is delivered', () => {
  let server: TestServer;
  let alerts: AlertsService;
  let mapper: AlertMapper;
  let run = 0;

  beforeAll(async () => {
    server = await startTestServer();
    alerts = server.app.get(AlertsService);
    mapper = server.app.get(AlertMapper);
  });
  afterAll(() => server.close());

  it(
    `leaves open what the rules say, in ${RUNS} histories`,
    async () => {
      await fc.assert(
        fc.asyncProperty(history, async (told) => {
          const suffix = `-${(run += 1)}`;
          const model = new Model((series) =>
            seriesFingerprint(new Map(Object.entries(labelsOf(series, suffix)))),
          );
          await deliver(told, suffix, model);
          const expected = model.openAlerts();
          const shown = await openAlerts(suffix);
          // What came late may have been grave while nobody knew.
          if (!told.isOrderly) for (const alert of [...expected, ...shown]) alert.hasEscalated = false;
          expect(shown).toEqual(expected);
          expect(await silencedAlerts(suffix)).toBe(model.silenced);
          if (told.closings.length === 0) {
            expect(expected.map(({ identity }) => identity)).toEqual(stillFiring(told));
          }
        }),
        { numRuns: RUNS, endOnFailure: false, examples: [[CLOSED_WHILE_SLOW]] },
      );
    },
    30 * 60_000,
  );

  /** Lets both Alertmanagers say all they have to say, in the order and with the faults that the history tells. */
  async function deliver(told: History, suffix: string, model: Model): Promise<void> {
    const queues = [0, 1].map(() =>
      told.episodes.map((episodes, series) => noticesOf(series, episodes, told.goesOn[series]!)),
    );
    // What the turns leave over is said in the end: everything is delivered.
    const rest = queues.flatMap((bySeries, alertmanager) =>
      bySeries.flatMap((notices, series) =>
        notices.map(() => ({ alertmanager, series, copies: 1, sender: GRAFANA, delay: 0 })),
      ),
    );
    const now = performance.now() - 500;
    const late: { writeAfter: number; write: () => Promise<unknown> }[] = [];
    let turn = 0;
    const lastNotices: (Notice | undefined)[] = [];
    const silences = told.silences.map((silence) => ({ ...silence, end: silence.after + silence.turns }));
    /** When reconciling looks: after what has come by then, and each time later. */
    let looks = 0;
    const askedAt = (): number => now + turn + 0.05 * ++looks;
    /** Reconciling finds that a silence has begun. */
    const silence = async (series: number): Promise<void> => {
      const last = lastNotices[series];
      if (!last) return;
      const ending = { ...observationOf({ ...last, endsAt: 0 }, suffix), endsAt: undefined } as Observation;
      model.silence(series);
      await alerts.apply([ending], askedAt(), 'silenced');
    };
    /** Reconciling finds that it has ended: what fires by then is shown again. */
    const endSilence = async (series: number): Promise<void> => {
      const last = lastNotices[series];
      if (!last || last.endsAt !== undefined) return;
      model.notice(last);
      await alerts.apply([observationOf(last, suffix)], askedAt());
    };
    for (const { alertmanager, series, copies, sender, delay: toldDelay } of [...told.turns, ...rest]) {
      const delay = told.isOrderly ? 0 : toldDelay;
      const notice = queues[alertmanager]![series]!.shift();
      if (!notice) continue;
      for (const closing of told.closings.filter(({ after }) => after === turn)) {
        // A person sees, and closes, what has been written.
        await Promise.all(late.splice(0).map(({ write }) => write()));
        model.close(closing.series);
        await close(closing.series, suffix);
      }
      for (const { series: one, after, end } of silences) {
        if (after !== turn && end !== turn) continue;
        await Promise.all(late.splice(0).map(({ write }) => write()));
        await (after === turn ? silence(one) : endSilence(one));
      }
      turn += 1;
      const arrivedAt = now + turn;
      model.notice(notice);
      lastNotices[series] = notice;
      const write = (): Promise<unknown> => alerts.apply([observationOf(notice, suffix, sender)], arrivedAt);
      if (delay > 0) late.push({ writeAfter: turn + delay, write });
      const due = late.filter(({ writeAfter }) => writeAfter <= turn);
      for (const one of due) late.splice(late.indexOf(one), 1);
      await Promise.all([
        ...(delay > 0 ? [] : Array.from({ length: copies }, write)),
        ...due.map((one) => one.write()),
      ]);
    }
    await Promise.all(late.map(({ write }) => write()));
    for (const { series, end } of silences) if (end >= turn) await endSilence(series);
  }

  function labelsOf(series: number, suffix: string): Record<string, string> {
    const [user = '', session = ''] = identityOf(series).split('/');
    return {
      alertname: 'HighDiskUsage',
      safe_username: `${user}${suffix}`,
      statefulset: session,
      persistentvolumeclaim: `volume-${series}`,
    };
  }

  /** A severity that changes is no other series: here its fingerprint says so. */
  function observationOf(notice: Notice, suffix: string, sender = ALERTMANAGER): Observation {
    const { series, startsAt, endsAt, severity, message } = notice;
    const labels = labelsOf(series, suffix);
    const sent = {
      status: endsAt === undefined ? 'firing' : 'resolved',
      labels: { ...labels, severity },
      annotations: {
        [sender === GRAFANA ? 'summary' : 'title']: 'Low disk space',
        description: message,
      },
      startsAt: new Date(EPOCH + startsAt * 1000).toISOString(),
      endsAt: endsAt === undefined ? '0001-01-01T00:00:00Z' : new Date(EPOCH + endsAt * 1000).toISOString(),
      fingerprint: seriesFingerprint(new Map(Object.entries(labels))),
    };
    const body = { version: sender.version, alerts: [sent] };
    const mapped = mapper.map(parseWebhookBody(body, sender).alerts[0], sender);
    if (!('observation' in mapped)) throw new Error('The test made an alert that cannot be shown');
    return mapped.observation;
  }

  async function close(series: number, suffix: string): Promise<void> {
    const [user, session] = identityOf(series).split('/');
    for (const alert of await alerts.listOpen(`${user}${suffix}`, session)) {
      await alerts.dismiss(alert.id, alert.user_id);
    }
  }

  /** How many of the users' alerts were closed by a silence. */
  async function silencedAlerts(suffix: string): Promise<number> {
    const users = ['ann', 'bob'].map((user) => `${user}${suffix}`);
    const lists = await Promise.all(users.map((user) => alerts.listResolved(user, { limit: 200 })));
    return lists.flat().filter((alert) => alert.resolved_reason === 'silenced').length;
  }

  async function openAlerts(suffix: string): Promise<Shown[]> {
    const repository = server.app.get(AlertsRepository, { strict: false });
    const lists = await repository.listOpen(['ann', 'bob'].map((user) => `${user}${suffix}`));
    const shown = lists.flatMap((list) =>
      list.alerts.map((alert) => ({
        identity: `${alert.user_id.slice(0, -suffix.length)}/${alert.session_name}`,
        severity: alert.severity ?? '',
        message: alert.message,
        firing: alert.series?.map((series) => series.message) ?? [alert.message],
        hasEscalated: alert.escalated_date !== undefined,
      })),
    );
    return shown.sort(byIdentity);
  }
});
