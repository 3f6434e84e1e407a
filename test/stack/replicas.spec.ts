import { setTimeout as sleep } from 'node:timers/promises';
import { OpenPage } from '../support/event-stream.js';
import { waitUntil } from '../support/server.js';
import { morePosts, rowOf, shownBy, startStorm, untilAgreed } from './support/agreement.js';
import type { Alertmanager } from './support/alertmanager.js';
import { Nginx } from './support/nginx.js';
import { startPostgres } from './support/postgres.js';
import type { StackPostgres } from './support/postgres.js';
import { Random } from './support/random.js';
import { noteInTable } from './support/reliability-table.js';
import { Sessions } from './support/sessions.js';
import { Stack } from './support/stack.js';

/** How long a replica is stopped (ms). */
const STOPPED = 60_000;
/** How long what has happened may be felt (s): as long as Alertmanager may be at a post before it tries anew, and more. */
const BOUND = 40;
/** For a page that is left alone by its server (ms). */
const RECOVERY = 60_000;

/** A machine whose clock is wrong: all that asks it for the time, but not for how much has passed. */
const WITH_CLOCK = (offset: string): NodeJS.ProcessEnv => ({
  LD_PRELOAD: '/usr/$LIB/faketime/libfaketime.so.1',
  FAKETIME: offset,
  FAKETIME_DONT_FAKE_MONOTONIC: '1',
});

const { seed } = new Random();
let postgres: StackPostgres;
let sessions: Sessions;
let replicas: Stack[];
let alertmanager: Alertmanager;

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.close());
beforeEach(() => {
  sessions = new Sessions(new Random(seed));
});
afterEach(() => replicas[0]?.close());

/** Replicas behind one address, to which Alertmanager posts, and half of the sessions in trouble. */
async function start(...envs: NodeJS.ProcessEnv[]): Promise<void> {
  const first = await Stack.start(postgres, envs[0]);
  replicas = [first];
  for (const env of envs.slice(1)) replicas.push(await first.startReplica(env));
  // As where a Service leads to them: what does not answer is asked no more for a while.
  const directives = 'proxy_connect_timeout 2s; proxy_read_timeout 3s;';
  const nginx = await Nginx.start(
    { all: { servers: replicas.map(({ server }) => server.url), directives } },
    '',
  );
  first.onClose(() => nginx.stop());
  alertmanager = await first.startAlertmanager({}, `${nginx.urls.all}/api/data/webhooks/alertmanager`);
  sessions.trouble(sessions.count / 2);
  await sessions.postAllTo(alertmanager);
  for (const replica of replicas) {
    await waitUntil(async () => (await shownBy(replica, sessions)).length === sessions.count / 2);
  }
}

/** Expects every replica to show soon what Alertmanager lists. */
async function expectAgreement(fault: string): Promise<void> {
  const { difference, seconds } = await untilAgreed(replicas, sessions, [alertmanager], BOUND);
  await noteInTable({ fault, ...rowOf(sessions, difference), seconds });
  expect(difference).toEqual({ lost: [], stale: [], isTrue: true });
}

/** Opens a page of each user's at a replica. */
async function openPages({ issuer, server }: Stack): Promise<Map<string, OpenPage>> {
  const pages = new Map<string, OpenPage>();
  for (const user of sessions.users) {
    const token = await issuer.userToken({ sub: user, lifetime: 3600 });
    pages.set(user, await OpenPage.open(`${server.url}/api/data`, token));
  }
  return pages;
}

/** Waits until each page shows what is true, or its server has ended it, upon which a page asks again. */
async function untilRight(pages: Map<string, OpenPage>): Promise<void> {
  for (const [user, page] of pages) {
    const expected = sessions.inTrouble.filter((key) => key.startsWith(`${user}/`)).join();
    await waitUntil(
      () =>
        page.isOver ||
        page.shown
          .at(-1)
          ?.map(({ session_name: name }) => `${user}/${name ?? ''}`)
          .sort()
          .join() === expected,
      RECOVERY,
    );
  }
}

describe(`Replicas behind one address, with SEED=${seed}`, () => {
  it('one of two is stopped for a minute under load, and goes on', async () => {
    await start({}, {});
    const pages = await openPages(replicas[1] as Stack);

    const endStorm = startStorm(sessions, alertmanager);
    await morePosts(alertmanager, 60);
    const goOn = (replicas[1] as Stack).server.pause();
    try {
      const paused = sleep(STOPPED);
      await morePosts(alertmanager, 300);
      await paused;
    } finally {
      goOn();
    }
    await morePosts(alertmanager, 60);
    await endStorm();

    await expectAgreement('One of two replicas stopped for 60 s (SIGSTOP)');
    await untilRight(pages);
    for (const page of pages.values()) page.leave();
  });

  it.each(['+10m', '-10m'])('one of two has a clock that is %s off', async (offset) => {
    await start({}, WITH_CLOCK(offset));
    const wrong = replicas[1] as Stack;
    const pages = await openPages(wrong);

    const endStorm = startStorm(sessions, alertmanager);
    const { failed } = await alertmanager.posts();
    await morePosts(alertmanager, 300);
    await endStorm();

    await expectAgreement(
      `The clock of one of two replicas 10 min ${offset[0] === '+' ? 'ahead' : 'behind'}`,
    );
    await untilRight(pages);
    // Tokens were taken, by which Alertmanager posts and users read.
    expect((await alertmanager.posts()).failed).toBe(failed);
    for (const page of pages.values()) {
      expect(page.isOver).toBe(false);
      page.leave();
    }
    // A page tells by it how old alerts are.
    const answer = await wrong.askForAlertsOf(sessions.users[0] ?? '');
    expect(Math.abs(Date.parse(answer.headers.get('date') ?? '') - Date.now())).toBeLessThan(30_000);
    // Alerts have their times by the database's clock.
    const [alert] = await wrong.alertsOf(sessions.inTrouble[0]?.split('/')[0] ?? '');
    expect(Math.abs(Date.parse(alert?.creation_date ?? '') - Date.now())).toBeLessThan(300_000);
  });

  it('three are restarted one after the other, twice, under load', async () => {
    await start({}, {}, {});

    const endStorm = startStorm(sessions, alertmanager);
    await morePosts(alertmanager, 60);
    for (const { server } of [...replicas, ...replicas]) {
      expect(await server.stop()).toBe(0);
      await morePosts(alertmanager, 30);
      await server.startAgain();
      await morePosts(alertmanager, 30);
    }
    await endStorm();

    await expectAgreement('Three replicas restarted one after the other, twice');
  });
});
