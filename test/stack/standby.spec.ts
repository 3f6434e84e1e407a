import { setTimeout as sleep } from 'node:timers/promises';
import { cpuOfCluster } from '../../bench/proc.js';
import { AlertsService } from '../../src/alerts/alerts.service.js';
import { OpenAlerts } from '../../src/alerts/open-alerts.service.js';
import { AlertsApi, firing } from '../support/alerts.js';
import type { ShownAlert } from '../support/alerts.js';
import { doctorsFindings } from '../support/doctor.js';
import { OpenPage } from '../support/event-stream.js';
import { startIssuer, startTestServer, waitUntil } from '../support/server.js';
import type { TestIssuer, TestServer } from '../support/server.js';
import { Random } from './support/random.js';
import { PostgresNode } from './support/postgres-node.js';

interface Reads {
  from: 'primary' | 'standby';
  problems?: string[];
}

let primary: PostgresNode;
let issuer: TestIssuer;
let database: string;
const nodes: PostgresNode[] = [];
const servers: TestServer[] = [];

beforeAll(async () => {
  issuer = await startIssuer();
  primary = await PostgresNode.primary();
});
beforeEach(async () => {
  database = await primary.createDatabase();
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  for (const node of nodes.splice(0)) await node.stop();
});
afterAll(async () => {
  await primary.stop();
  await issuer.close();
});

async function startStandby(of = primary): Promise<PostgresNode> {
  const standby = await of.standby();
  nodes.push(standby);
  return standby;
}

async function startServer(readUrl: string | undefined): Promise<TestServer> {
  const env = { DATABASE_URL: primary.urlOf(database), DATABASE_READ_URL: readUrl };
  const server = await startTestServer(env, { issuer, upkeep: false });
  servers.push(server);
  return server;
}

/** What doctor finds where reads are to go. */
async function findingsOf(readUrl: string): Promise<unknown[]> {
  const env = { DATABASE_URL: primary.urlOf(database), DATABASE_READ_URL: readUrl };
  return (await doctorsFindings([], env)).filter(({ check }) => check === 'database.reads');
}

function warning(message: RegExp): unknown {
  return expect.objectContaining({ status: 'warning', message: expect.stringMatching(message) as string });
}

async function readsOf({ url }: TestServer): Promise<Reads> {
  const response = await fetch(`${url}/readyz`);
  expect(response.status).toBe(200);
  return ((await response.json()) as { reads: Reads }).reads;
}

async function untilReadsFrom(server: TestServer, from: Reads['from'], problem?: RegExp): Promise<void> {
  await waitUntil(async () => {
    const reads = await readsOf(server);
    return reads.from === from && (!problem || problem.test(reads.problems?.join() ?? ''));
  });
}

/** How many reads each node has served. */
async function countsOf({ url }: TestServer): Promise<{ primary: number; standby: number }> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const count = (node: string) =>
    Number(new RegExp(`^session_alerts_reads_total{node="${node}"} (\\d+)$`, 'm').exec(metrics)?.[1] ?? 0);
  return { primary: count('primary'), standby: count('standby') };
}

function apiOf({ url }: TestServer): AlertsApi {
  return new AlertsApi(`${url}/api/data`, issuer.issuer);
}

/** Lists as for the first time: what the server has kept of earlier answers is gone. */
function firstListing(server: TestServer, user: string): Promise<ShownAlert[]> {
  server.app.get(OpenAlerts, { strict: false }).forgetAll();
  return apiOf(server).openAlerts(user);
}

describe('First listings and histories', () => {
  it('are read from the standby, and writes go to the primary', async () => {
    const standby = await startStandby();
    const server = await startServer(standby.urlOf(database));
    await untilReadsFrom(server, 'standby');
    await apiOf(server).deliver(firing());
    const before = await countsOf(server);
    const [alert] = await firstListing(server, 'jane');
    expect(alert).toMatchObject({ title: 'High memory usage' });
    await apiOf(server).update(alert!.id, { dismissed: true }, { sub: 'jane' });
    expect(await firstListing(server, 'jane')).toEqual([]);
    const history = await apiOf(server).call('GET', '/alerts?status=resolved', { as: { sub: 'jane' } });
    expect(history.body).toMatchObject([{ id: alert!.id, resolved_reason: 'dismissed' }]);
    expect(await countsOf(server)).toEqual({ ...before, standby: before.standby + 3 });
    expect(await findingsOf(standby.urlOf(database))).toEqual([expect.objectContaining({ status: 'ok' })]);
  });

  it('are read from the primary while the standby is behind by more than a second, and from the standby again afterwards', async () => {
    const standby = await startStandby();
    const server = await startServer(standby.urlOf(database));
    await untilReadsFrom(server, 'standby');
    await standby.query('SELECT pg_wal_replay_pause()');
    await apiOf(server).deliver(firing());
    expect(await firstListing(server, 'jane')).toHaveLength(1);
    await untilReadsFrom(server, 'primary', /behind the primary by more than a second/);
    const before = await countsOf(server);
    expect(await firstListing(server, 'jane')).toHaveLength(1);
    expect(await countsOf(server)).toEqual({ ...before, primary: before.primary + 1 });
    expect(await findingsOf(standby.urlOf(database))).toEqual([warning(/more than a second/)]);
    await standby.query('SELECT pg_wal_replay_resume()');
    await untilReadsFrom(server, 'standby');
    expect(await firstListing(server, 'jane')).toHaveLength(1);
  });

  it('are read from the primary while the standby is away, from the start and later', async () => {
    const standby = await startStandby();
    const url = standby.urlOf(database);
    const server = await startServer(url);
    await untilReadsFrom(server, 'standby');
    await apiOf(server).deliver(firing());
    await nodes.pop()?.stop();
    expect(await firstListing(server, 'jane')).toHaveLength(1);
    await untilReadsFrom(server, 'primary', /cannot be reached/);

    expect(await findingsOf(url)).toEqual([warning(/^The standby cannot be asked/)]);

    const late = await startServer(url);
    await untilReadsFrom(late, 'primary', /cannot be reached/);
    expect(await firstListing(late, 'jane')).toHaveLength(1);
  });

  it('are read from the primary where the address leads to another database, or to one of another cluster', async () => {
    const standby = await startStandby();
    const elsewhere = await primary.createDatabase();
    const another = await PostgresNode.primary();
    nodes.push(another);
    for (const url of [standby.urlOf(elsewhere), another.url]) {
      const server = await startServer(url);
      await untilReadsFrom(server, 'primary', /leads to another database/);
      expect(await findingsOf(url)).toEqual([warning(/leads to another database/)]);
    }
  });

  it('are read from the primary where the role may not read the alerts on the standby', async () => {
    await primary.query('CREATE ROLE onlooker LOGIN');
    const standby = await startStandby();
    const url = new URL(standby.urlOf(database));
    url.username = 'onlooker';
    const server = await startServer(url.href);
    await untilReadsFrom(server, 'primary', /lacks SELECT on session_alerts\.alerts/);
    await primary.query(
      'GRANT USAGE ON SCHEMA session_alerts TO onlooker; GRANT SELECT ON session_alerts.alerts TO onlooker',
      database,
    );
    await untilReadsFrom(server, 'standby');
  });

  it('are read where the address leads, also where that is the primary', async () => {
    const server = await startServer(primary.urlOf(database));
    await untilReadsFrom(server, 'standby');
    await apiOf(server).deliver(firing());
    expect(await firstListing(server, 'jane')).toHaveLength(1);
    expect(await findingsOf(primary.urlOf(database))).toEqual([warning(/leads to the primary/)]);
  });

  it('are read from the standby of several hosts, whichever comes first', async () => {
    const standby = await startStandby();
    const hosts = [primary, standby].map(({ url }) => new URL(url).host).join();
    const server = await startServer(`postgresql://postgres@${hosts}/${database}`);
    await untilReadsFrom(server, 'standby');
    const connected = `SELECT count(*) > 0 AS is FROM pg_stat_activity WHERE datname = '${database}'`;
    expect(await standby.query(connected)).toEqual([{ is: true }]);
  });

  it('are read from the primary where the standby has been promoted: it has a history of its own', async () => {
    const standby = await startStandby();
    const server = await startServer(standby.urlOf(database));
    await untilReadsFrom(server, 'standby');
    await standby.query('SELECT pg_promote()');
    await standby.query('CREATE TABLE of_its_own AS SELECT generate_series(1, 100000)');
    await untilReadsFrom(server, 'primary', /does not follow the primary/);
    await apiOf(server).deliver(firing());
    expect(await firstListing(server, 'jane')).toHaveLength(1);
  });
});

/** Measured by hand, on a machine that has nothing else to do. */
if (process.env['STANDBY_COST'] === '1')
  describe('What 2,000 first listings a second cost the primary', measureCost);

function measureCost(): void {
  const PER_SECOND = 2_000;
  const SECONDS = 2;
  const ROUNDS = 3;
  const USERS = 1_000;
  const ALERTS = 3;
  const MOST = 1 / 3;

  it('is less than a third where there is a standby', async () => {
    const standby = await startStandby();
    const alone = await startServer(undefined);
    const relieved = await startServer(standby.urlOf(database));
    await untilReadsFrom(relieved, 'standby');
    const users = Array.from({ length: USERS }, (_, number) => `user-${number}`);
    await apiOf(alone).deliver(
      ...users.flatMap((user) =>
        Array.from({ length: ALERTS }, (_, number) => firing({ user, name: `Trouble ${number}` })),
      ),
    );
    await primary.query('VACUUM ANALYZE session_alerts.alerts', database);

    const costs = { alone: 0, relieved: 0 };
    for (let round = 0; round <= ROUNDS; round += 1) {
      const [one, other] = [await costOf(alone, users), await costOf(relieved, users)];
      // The first warms up.
      if (round === 0) continue;
      costs.alone += one;
      costs.relieved += other;
    }
    const each = (cost: number) => `${((cost * 1_000) / PER_SECOND / SECONDS / ROUNDS).toFixed(1)} µs`;
    process.stdout.write(
      `The primary's CPU: ${each(costs.alone)} a first listing, with a standby ${each(costs.relieved)}\n`,
    );
    const counts = await countsOf(relieved);
    expect(counts.standby).toBeGreaterThan(9 * counts.primary);
    expect(costs.relieved / costs.alone).toBeLessThan(MOST);
  });

  /** CPU (ms) of the primary while one after the other is read what a first listing shows, whether it keeps up or not. */
  async function costOf({ app }: TestServer, users: string[]): Promise<number> {
    const alerts = app.get(AlertsService, { strict: false });
    const before = cpuOfCluster(primary.pid) ?? NaN;
    const lists: Promise<unknown[]>[] = [];
    const startedAt = performance.now();
    while (lists.length < PER_SECOND * SECONDS) {
      const due = Math.min(((performance.now() - startedAt) * PER_SECOND) / 1_000, PER_SECOND * SECONDS);
      while (lists.length < due) lists.push(alerts.listOpen(users[lists.length % USERS] ?? ''));
      await sleep(1);
    }
    for (const list of await Promise.all(lists)) expect(list).toHaveLength(ALERTS);
    return (cpuOfCluster(primary.pid) ?? NaN) - before;
  }
}

describe('No page ever goes back in time', () => {
  const PEOPLE = 6;
  const STEPS = Number(process.env['STANDBY_STEPS'] ?? 60);
  const MOST_ROUNDS = 6;
  const random = new Random();

  /** What there is for a person to see, after each of the changes. */
  interface State {
    open: string[];
    closed: number;
  }

  /** Somebody whose pages ask now this replica, now that one; what they have been told they remember. */
  class Person {
    private readonly states: State[] = [{ open: [], closed: 0 }];
    /** The latest state that was told. */
    private told = 0;
    private reports = 0;
    private listed: ShownAlert[] = [];
    private stream: { page: OpenPage; seen: number; last: number } | undefined;

    constructor(
      private readonly name: string,
      private readonly replicas: TestServer[],
    ) {}

    async step(): Promise<void> {
      const server = random.oneOf(this.replicas);
      this.heedStream();
      await random.oneOf([
        () => this.report(server),
        () => this.report(server),
        () => this.dismiss(server),
        () => this.list(server),
        () => this.list(server),
        () => this.readHistory(server),
        () => this.openStream(server),
      ])();
      this.heedStream();
    }

    leave(): void {
      this.stream?.page.leave();
    }

    /** Alertmanager says something new; nobody is told by that. */
    private async report(server: TestServer): Promise<void> {
      this.reports += 1;
      const words = { title: `Report ${this.reports}` };
      const alerts = [firing({ user: this.name, name: 'Reports', ...words })];
      const open = [...this.latest.open.filter((title) => !title.startsWith('Report')), words.title];
      if (random.next() < 0.5) {
        const title = `Trouble ${this.reports}`;
        alerts.push(firing({ user: this.name, name: title, title }));
        open.push(title);
      }
      this.states.push({ ...this.latest, open });
      await apiOf(server).deliver(...alerts);
    }

    private async dismiss(server: TestServer): Promise<void> {
      const alert = this.listed.find(
        ({ title }) => title.startsWith('Trouble') && this.latest.open.includes(title),
      );
      if (!alert) return;
      const open = this.latest.open.filter((title) => title !== alert.title);
      this.states.push({ open, closed: this.latest.closed + 1 });
      const answer = await apiOf(server).update(alert.id, { dismissed: true }, { sub: this.name });
      expect(answer.status).toBe(200);
      this.told = this.states.length - 1;
    }

    private async list(server: TestServer): Promise<void> {
      const { told } = this;
      this.listed = await firstListing(server, this.name);
      this.hear(this.indexOf(this.listed), told, 'a listing');
    }

    private async readHistory(server: TestServer): Promise<void> {
      const { told } = this;
      const path = '/alerts?status=resolved&limit=200';
      const { body } = await apiOf(server).call<ShownAlert[]>('GET', path, { as: { sub: this.name } });
      // The latest of those that show as many: what else has changed, a history does not tell.
      const shown = this.states.findLastIndex(({ closed }) => closed === body.length);
      this.check(shown, told, 'a history');
      this.told = Math.max(
        this.told,
        this.states.findIndex(({ closed }) => closed === body.length),
      );
    }

    private async openStream(server: TestServer): Promise<void> {
      this.leave();
      const { told } = this;
      const token = await issuer.issuer.userToken({ sub: this.name });
      const page = await OpenPage.open(`${server.url}/api/data`, token);
      this.stream = { page, seen: 0, last: told };
      await waitUntil(() => page.shown.length > 0);
    }

    /** What the stream has brought since, which none of it may be older than. */
    private heedStream(): void {
      const { stream } = this;
      if (!stream) return;
      for (; stream.seen < stream.page.shown.length; stream.seen += 1) {
        const index = this.indexOf(stream.page.shown[stream.seen] ?? []);
        this.hear(index, stream.last, 'a stream');
        stream.last = index;
      }
    }

    private hear(index: number, told: number, from: string): void {
      this.check(index, told, from);
      this.told = Math.max(this.told, index);
    }

    private check(index: number, told: number, from: string): void {
      if (index < told)
        throw new Error(
          `${this.name} was told state ${told}, and then ${index} by ${from} (SEED=${random.seed})`,
        );
    }

    private indexOf(alerts: ShownAlert[]): number {
      const shown = keyOf(alerts.map(({ title }) => title));
      const index = this.states.findIndex(({ open }) => keyOf(open) === shown);
      if (index < 0) throw new Error(`${this.name} was shown what never was: ${shown}`);
      return index;
    }

    private get latest(): State {
      return this.states.at(-1) ?? { open: [], closed: 0 };
    }
  }

  function keyOf(titles: string[]): string {
    return [...titles].sort().join();
  }

  /** Holds up what a standby replays, again and again, for as long as chance will have it. */
  async function holdUp(standby: PostgresNode, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await standby.query('SELECT pg_wal_replay_pause()');
      await sleep(random.next() < 0.8 ? random.between(1, 60) : random.between(60, 600));
      await standby.query('SELECT pg_wal_replay_resume()');
      await sleep(random.between(1, 400));
    }
  }

  /** Whether both primary and standby have had to do with what each replica answered. */
  async function haveBothServed(replicas: TestServer[]): Promise<boolean> {
    const counts = await Promise.all(replicas.map(countsOf));
    return counts.every(({ primary, standby }) => Math.min(primary, standby) > STEPS / 6);
  }

  it('whichever replica it asks, while its standby lags at random', async () => {
    const standbys = [await startStandby(), await startStandby()];
    const replicas: TestServer[] = [];
    for (const standby of standbys) replicas.push(await startServer(standby.urlOf(database)));
    for (const server of replicas) await untilReadsFrom(server, 'standby');
    let isOver = false;
    const lags = standbys.map((standby) => holdUp(standby, () => isOver));
    const people = Array.from({ length: PEOPLE }, (_, number) => new Person(`person-${number}`, replicas));
    try {
      // On a quick machine few of so many steps fall into a lag.
      let rounds = 0;
      do {
        await Promise.all(
          people.map(async (person) => {
            for (let step = 0; step < STEPS; step += 1) await person.step();
          }),
        );
        rounds += 1;
      } while (rounds < MOST_ROUNDS && !(await haveBothServed(replicas)));
    } finally {
      isOver = true;
      for (const person of people) person.leave();
      await Promise.all(lags);
    }
    // Both have had to do with it.
    for (const server of replicas) {
      const counts = await countsOf(server);
      expect(counts.primary).toBeGreaterThan(STEPS / 6);
      expect(counts.standby).toBeGreaterThan(STEPS / 6);
    }
  });
});
