import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { OpenPage } from '../support/event-stream.js';
import { startIssuer, waitUntil } from '../support/server.js';
import type { TestIssuer } from '../support/server.js';
import { query } from './support/postgres.js';
import type { PostgresNode } from './support/postgres-node.js';
import { noteInTable } from './support/reliability-table.js';
import { ReplicatedPostgres } from './support/replicated-postgres.js';
import { ServerProcess } from './support/server-process.js';
import { TurningProxy } from './support/turning-proxy.js';

const POSTERS = 4;
/** Between two webhooks of one poster (ms). */
const PAUSE = 50;
const USERS = Array.from({ length: 20 }, () => randomUUID());
/** Beside other suites time says nothing but that it ends; by hand, alone, it is held. */
const MORE_TIME = process.env['CI'] === undefined ? 1 : 20;
/** How long after there is a primary again the first webhook may be stored, and after that every page right (ms). */
const RECOVERY = 5_000 * MORE_TIME;
/** How long the address may lead to a read-only node unnoticed (ms). */
const NOTICE = 3_000 * MORE_TIME;
/** For any one wait, and for a test (ms). */
const LONGEST_WAIT = 120_000;
const LONGEST_TEST = 600_000;

/** A webhook of one alert, of a session of its own. */
interface Post {
  user: string;
  session: string;
  /** `performance.now()`. */
  sent: number;
  arrived: number;
  /** 0 for no answer at all. */
  status: number;
}

let cluster: ReplicatedPostgres;
let issuer: TestIssuer;

beforeAll(async () => {
  [cluster, issuer] = await Promise.all([ReplicatedPostgres.start(), startIssuer()]);
});
afterAll(async () => {
  await issuer.close();
  await cluster.close();
});

/** Two replicas, of which one stores what the other's pages show. */
class Failover {
  readonly posts: Post[] = [];
  private readonly isOver = new AbortController();
  private posting: Promise<unknown> | undefined;
  private readonly pages = new Map<string, OpenPage>();

  private constructor(
    private readonly database: string,
    private readonly servers: [ServerProcess, ServerProcess],
  ) {}

  static async start(primary: PostgresNode, addressOf: (database: string) => string): Promise<Failover> {
    const database = `failover_${randomUUID().replaceAll('-', '')}`;
    await query(primary.url, `CREATE DATABASE ${database}`);
    const start = (): Promise<ServerProcess> =>
      ServerProcess.start({ DATABASE_URL: addressOf(database), OIDC_ISSUER: issuer.issuer.url });
    const servers: [ServerProcess, ServerProcess] = [await start(), await start()];
    const failover = new Failover(database, servers);
    for (const user of USERS) await failover.shownTo(user);
    failover.posting = Promise.all(Array.from({ length: POSTERS }, () => failover.keepPosting()));
    await failover.untilStored(100);
    return failover;
  }

  /** Waits for so many more webhooks to be stored. */
  async untilStored(more: number): Promise<void> {
    const enough = this.stored.length + more;
    await waitUntil(() => this.stored.length >= enough, LONGEST_WAIT);
  }

  /** Waits for a while in which every webhook that is sent is refused by the server itself, with 503. */
  async untilRefused(): Promise<void> {
    const since = performance.now();
    const answersSince = (): Post[] => this.posts.filter(({ sent }) => sent > since);
    await waitUntil(
      () =>
        answersSince().slice(-20).length === 20 &&
        answersSince()
          .slice(-20)
          .every(({ status }) => status === 503),
      LONGEST_WAIT,
    );
  }

  /** How long after a moment the first webhook was sent that was stored, at the latest (ms). */
  async recoveryAfter(moment: number): Promise<number> {
    const first = (): Post | undefined =>
      this.posts.find(({ sent, status }) => sent > moment && status === 200);
    await waitUntil(() => first() !== undefined, LONGEST_WAIT);
    return (first()?.arrived ?? Infinity) - moment;
  }

  /** Waits for both to say why they are not ready. */
  async untilSaid(sentence: RegExp): Promise<void> {
    await waitUntil(async () => {
      const answers = await Promise.all(this.servers.map(({ url }) => fetch(`${url}/readyz`)));
      const texts = await Promise.all(answers.map((answer) => answer.text()));
      return answers.every(({ status }) => status === 503) && texts.every((text) => sentence.test(text));
    }, LONGEST_WAIT);
  }

  async untilReady(): Promise<void> {
    await waitUntil(async () => {
      const answers = await Promise.all(this.servers.map(({ url }) => fetch(`${url}/readyz`)));
      return answers.every(({ ok }) => ok);
    }, LONGEST_WAIT);
  }

  /** Ends the load. */
  async endLoad(): Promise<void> {
    this.isOver.abort();
    await this.posting;
  }

  /** Waits for every page to show what its user has open; returns how long it took (ms). */
  async untilPagesAreRight(): Promise<number> {
    const since = performance.now();
    for (const user of USERS) {
      const expected = (await this.openSessionsOf(user)).join();
      await waitUntil(async () => (await this.shownTo(user)).sort().join() === expected, LONGEST_WAIT);
    }
    return performance.now() - since;
  }

  /** Waits for each page to show one alert more, which is stored now; returns how long it took (ms). */
  async untilPagesHear(): Promise<number> {
    const since = performance.now();
    await Promise.all(
      USERS.map(async (user) => {
        const { session, status } = await this.post(user);
        expect(status).toBe(200);
        await waitUntil(async () => (await this.shownTo(user)).includes(session), LONGEST_WAIT);
      }),
    );
    return performance.now() - since;
  }

  /** The sessions that the user's page shows alerts of; where the server has ended its stream, it opens another. */
  private async shownTo(user: string): Promise<string[]> {
    let page = this.pages.get(user);
    if (!page || page.isOver || !page.response.ok) {
      const token = await issuer.issuer.userToken({ sub: user, lifetime: 3600 });
      page = await OpenPage.open(`${this.servers[1].url}/api/data`, token);
      this.pages.set(user, page);
    }
    return (page.shown.at(-1) ?? []).map(({ session_name: name }) => name ?? '');
  }

  /** Sessions whose webhook was answered 200, and that the database does not have. */
  async lostIn(primary: PostgresNode): Promise<string[]> {
    const url = primary.url.replace(/postgres$/, this.database);
    const rows = await query<{ name: string }>(url, 'SELECT session_name AS name FROM session_alerts.alerts');
    const names = new Set(rows.map(({ name }) => name));
    return this.stored.map(({ session }) => session).filter((session) => !names.has(session));
  }

  get stored(): Post[] {
    return this.posts.filter(({ status }) => status === 200);
  }

  async close(): Promise<void> {
    await this.endLoad();
    for (const page of this.pages.values()) page.leave();
    for (const server of this.servers) await server.stop();
  }

  private async keepPosting(): Promise<void> {
    while (!this.isOver.signal.aborted) {
      await this.post(USERS[Math.floor(Math.random() * USERS.length)] ?? '');
      await sleep(PAUSE);
    }
  }

  private async post(user: string): Promise<Post> {
    const session = `session-${randomUUID()}`;
    const token = await issuer.issuer.userToken({ sub: 'alertmanager', roles: ['alertmanager-webhook'] });
    const alert = {
      status: 'firing',
      labels: { alertname: 'RenkuSessionHighMemory', safe_username: user, statefulset: session },
      annotations: { title: 'High memory usage', description: 'Memory usage over 90% of capacity' },
      startsAt: '2025-11-27T12:00:00Z',
      endsAt: '0001-01-01T00:00:00Z',
    };
    const sent = performance.now();
    const status = await fetch(this.servers[0].webhookUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ version: '4', status: 'firing', receiver: 'failover', alerts: [alert] }),
    }).then(
      async (response) => {
        await response.text();
        return response.status;
      },
      () => 0,
    );
    const post = { user, session, sent, arrived: performance.now(), status };
    this.posts.push(post);
    return post;
  }

  private async openSessionsOf(user: string): Promise<string[]> {
    const token = await issuer.issuer.userToken({ sub: user });
    const response = await fetch(`${this.servers[0].url}/api/data/alerts`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const alerts = (await response.json()) as { session_name: string }[];
    return alerts.map(({ session_name: name }) => name).sort();
  }
}

interface Outcome {
  fault: string;
  recoveries: number[];
  heard: number;
}

/** Ends a run: nothing is lost, nothing is wrong, and all was soon over. */
async function judge(
  failover: Failover,
  primary: PostgresNode,
  { fault, recoveries, heard }: Outcome,
): Promise<void> {
  await failover.endLoad();
  const shown = await failover.untilPagesAreRight();
  const lost = await failover.lostIn(primary);
  const statuses = new Set(failover.posts.map(({ status }) => status));
  const refused = failover.posts.length - failover.stored.length;
  await noteInTable({
    fault,
    load: `${failover.stored.length} webhooks answered 200, ${refused} answered 503; ${USERS.length} pages, right ${(heard / 1000).toFixed(1)} s later`,
    lost: lost.length,
    seconds: Math.max(...recoveries) / 1000,
  });
  expect(lost).toEqual([]);
  expect([...statuses].sort()).toEqual([200, 503]);
  expect(Math.max(...recoveries)).toBeLessThan(RECOVERY);
  expect(Math.max(heard, shown)).toBeLessThan(RECOVERY);
}

it(
  'loses nothing behind a proxy that turns to the new primary, and at times to a read-only node',
  async () => {
    const [first, second] = cluster.nodes;
    const proxy = await TurningProxy.start(first.port);
    const failover = await Failover.start(
      first,
      (database) => `postgresql://postgres@127.0.0.1:${proxy.port}/${database}`,
    );
    const recoveries: number[] = [];
    try {
      await first.kill();
      proxy.turnTo(second.port);
      await failover.untilSaid(/The database is a standby, which is read-only/);
      await failover.untilRefused();
      recoveries.push(await failover.recoveryAfter(await second.promote()));
      const heard = await failover.untilPagesHear();

      await first.follow(second);
      await second.waitForStandby();
      await failover.untilStored(100);
      // Connections that were made before stay at the primary.
      proxy.turnTo(first.port);
      const turned = performance.now();
      await failover.untilSaid(/The database is a standby, which is read-only/);
      expect(performance.now() - turned).toBeLessThan(NOTICE);
      await failover.untilRefused();
      proxy.turnTo(second.port);
      recoveries.push(await failover.recoveryAfter(performance.now()));
      await failover.untilReady();
      await failover.untilStored(100);
      await judge(failover, second, {
        fault: 'Primary killed behind a proxy, its standby promoted',
        recoveries,
        heard,
      });
    } finally {
      await failover.close();
      await proxy.close();
    }
  },
  LONGEST_TEST,
);

it(
  'loses nothing where the address names both nodes, and finds the new primary by itself',
  async () => {
    const [first, second] = cluster.nodes;
    const failover = await Failover.start(
      second,
      (database) => `postgresql://postgres@127.0.0.1:${first.port},127.0.0.1:${second.port}/${database}`,
    );
    try {
      await second.kill();
      await failover.untilSaid(/No node of the database that answers is its primary/);
      await failover.untilRefused();
      const recoveries = [await failover.recoveryAfter(await first.promote())];
      const heard = await failover.untilPagesHear();
      await second.follow(first);
      await first.waitForStandby();
      await failover.untilStored(100);
      await failover.untilReady();
      await judge(failover, first, {
        fault: 'Primary killed, its standby promoted; address with both',
        recoveries,
        heard,
      });
    } finally {
      await failover.close();
    }
  },
  LONGEST_TEST,
);
