import type pg from 'pg';
import { lockAll } from '../../src/database/transaction.statements.js';
import { AlertsService } from '../../src/alerts/alerts.service.js';
import type { Observation } from '../../src/alerts/observation.js';
import { AlertMapper } from '../../src/webhooks/alert-mapper.service.js';
import { ALERTMANAGER } from '../../src/webhooks/senders.js';
import { AlertsApi, expectError, firing, resolved, webhook } from '../support/alerts.js';
import type { AlertmanagerAlert, Answer, Summary } from '../support/alerts.js';
import { connectTo, execute, forgetAlerts } from '../support/database.js';
import { startTestServer, waitUntil } from '../support/server.js';
import type { TestServer } from '../support/server.js';

/** Webhooks that come while another is being written wait for it, and share the next transaction. */
describe('Webhooks that come while one is being written', () => {
  let server: TestServer;
  let api: AlertsApi;
  let alerts: AlertsService;
  /** Called once for each webhook that has come. */
  let apply: jest.SpiedFunction<AlertsService['apply']>;
  let answered: Answer<Summary>[];

  beforeAll(async () => {
    server = await startTestServer({}, { upkeep: false });
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
    alerts = server.app.get(AlertsService);
  });
  beforeEach(async () => {
    await forgetAlerts(server.databaseUrl);
    apply = jest.spyOn(alerts, 'apply');
    answered = [];
  });
  afterEach(() => {
    apply.mockRestore();
  });
  afterAll(() => server.close());

  /** Lets no other connection pass the lock meanwhile. */
  async function holding<T>(lock: pg.QueryConfig, work: () => Promise<T>): Promise<T> {
    const holder = await connectTo(server.databaseUrl);
    try {
      await holder.query('BEGIN');
      await holder.query(lock);
      return await work();
    } finally {
      await holder.end();
    }
  }

  /** Lets nothing be written meanwhile. */
  function holdingWrites<T>(work: () => Promise<T>): Promise<T> {
    return holding(lockAll(), work);
  }

  function post(...ofOneWebhook: AlertmanagerAlert[]): Promise<Answer<Summary>> {
    const answer = api.postWebhook(webhook(ofOneWebhook));
    void answer.then((one) => answered.push(one));
    return answer;
  }

  function untilCame(webhooks: number): Promise<void> {
    return waitUntil(() => apply.mock.calls.length === webhooks);
  }

  /** Posts the first and, when it is being written, the others; returns when all have come. */
  async function postAfterOne(
    others: AlertmanagerAlert[],
  ): Promise<{ first: Promise<Answer<Summary>>; others: Promise<Answer<Summary>>[] }> {
    const first = post(firing({ session: 'first' }));
    await untilCame(1);
    const posts = others.map((alert) => post(alert));
    await untilCame(1 + others.length);
    return { first, others: posts };
  }

  function inSessions(count: number): AlertmanagerAlert[] {
    return Array.from({ length: count }, (_, i) => firing({ session: `session-${i}` }));
  }

  async function openSessions(): Promise<(string | undefined)[]> {
    return (await api.openAlerts()).map((alert) => alert.session_name).sort();
  }

  /** Those of all open alerts, which are more than an answer carries. */
  async function storedSessions(): Promise<string[]> {
    const rows = await execute<{ session_name: string }>(
      server.databaseUrl,
      'SELECT session_name FROM session_alerts.alerts WHERE resolved_date IS NULL',
    );
    return rows.map((row) => row.session_name);
  }

  function statusesOf(answers: Answer[]): number[] {
    return answers.map(({ status }) => status);
  }

  /** Lets a trigger decide about every alert that is opened, or repeat that is noted, until the work is done. */
  async function withTrigger<T>(
    statements: string,
    isDeferred: boolean,
    work: () => Promise<T>,
    table: 'alerts' | 'sightings' = 'alerts',
  ): Promise<T> {
    const kind = isDeferred ? 'CONSTRAINT TRIGGER decides AFTER' : 'TRIGGER decides BEFORE';
    await execute(
      server.databaseUrl,
      `CREATE FUNCTION decide() RETURNS trigger LANGUAGE plpgsql
         AS $$ BEGIN ${statements}; RETURN NEW; END $$;
       CREATE ${kind} INSERT ON session_alerts.${table} ${isDeferred ? 'DEFERRABLE INITIALLY DEFERRED' : ''}
         FOR EACH ROW EXECUTE FUNCTION decide()`,
    );
    try {
      return await work();
    } finally {
      await execute(server.databaseUrl, 'DROP FUNCTION decide CASCADE');
    }
  }

  it('go together when their turn comes: forty take two transactions', async () => {
    const posts = await holdingWrites(async () => {
      const posted = inSessions(40).map((alert) => post(alert));
      await untilCame(40);
      return posted;
    });
    for (const answer of await Promise.all(posts)) {
      expect(answer).toMatchObject({ status: 200, body: { stored: 1, skipped: 0 } });
    }
    expect(await api.openAlerts()).toHaveLength(40);
    // The one that came first, and all that came after it.
    const written = `SELECT count(DISTINCT xmin::text)::int AS transactions FROM session_alerts.alerts`;
    expect(await execute(server.databaseUrl, written)).toEqual([{ transactions: 2 }]);
  });

  it('are told each what became of its own alerts', async () => {
    await api.deliver(firing({ session: 'known' }));
    apply.mockClear();
    const { first, others } = await holdingWrites(() =>
      postAfterOne([
        firing({ session: 'new' }),
        firing({ session: 'known' }),
        resolved(firing({ session: 'known', name: 'NeverSeen' })),
        firing({ session: 'also-new' }),
      ]),
    );
    expect((await first).body).toMatchObject({ stored: 1 });
    expect((await Promise.all(others)).map(({ body }) => body)).toEqual([
      { stored: 1, resolved: 0, skipped: 0, reasons: {} },
      { stored: 1, resolved: 0, skipped: 0, reasons: {} },
      { stored: 0, resolved: 0, skipped: 1, reasons: { unknown_series: 1 } },
      { stored: 1, resolved: 0, skipped: 0, reasons: {} },
    ]);
  });

  describe('are not answered', () => {
    it('while they wait', async () => {
      const { first, others } = await holdingWrites(async () => {
        const posts = await postAfterOne(inSessions(20));
        // Who only reads is.
        expect(await api.openAlerts()).toEqual([]);
        expect(answered).toEqual([]);
        return posts;
      });
      expect(statusesOf(await Promise.all([first, ...others]))).toEqual(Array<number>(21).fill(200));
    });

    it('before their transaction has been committed', async () => {
      const lock = { text: 'SELECT pg_advisory_xact_lock(1)' };
      await withTrigger(`PERFORM pg_advisory_xact_lock_shared(1)`, true, async () => {
        const posts = await holding(lock, async () => {
          const posted = inSessions(20).map((alert) => post(alert));
          await untilCame(20);
          await waitUntil(isCommitting);
          expect(await api.openAlerts()).toEqual([]);
          expect(answered).toEqual([]);
          return posted;
        });
        expect(statusesOf(await Promise.all(posts))).toEqual(Array<number>(20).fill(200));
      });
      expect(await api.openAlerts()).toHaveLength(20);
    });
  });

  describe('while it has only to be committed', () => {
    const lock = { text: 'SELECT pg_advisory_xact_lock(1)' };
    const waits = 'PERFORM pg_advisory_xact_lock_shared(1)';
    const ofOthers = Array.from({ length: 20 }, (_, i) => firing({ user: `user-${i}` }));

    it('those of others are written where it is a repeat, which tells nobody', async () => {
      await api.deliver(firing());
      const repeat = () =>
        holding(lock, async () => {
          const repeated = post(firing());
          await waitUntil(isCommitting);
          expect((await post(firing({ user: 'ann' }))).body).toMatchObject({ stored: 1 });
          expect(answered).toHaveLength(1);
          return { repeated };
        });
      const { repeated } = await withTrigger(waits, true, repeat, 'sightings');
      expect((await repeated).body).toMatchObject({ stored: 1 });
    });

    it('wait and go together where it tells of a change: such commits go one after the other', async () => {
      const posted = await withTrigger(waits, true, () =>
        holding(lock, async () => {
          const first = post(firing());
          await waitUntil(isCommitting);
          const others: Promise<Answer<Summary>>[] = [];
          for (const alert of ofOthers) {
            others.push(post(alert));
            await untilCame(1 + others.length);
          }
          return [first, ...others];
        }),
      );
      expect(statusesOf(await Promise.all(posted))).toEqual(Array<number>(21).fill(200));
      const written = `SELECT count(DISTINCT xmin::text)::int AS transactions FROM session_alerts.alerts`;
      expect(await execute(server.databaseUrl, written)).toEqual([{ transactions: 2 }]);
    });
  });

  async function isCommitting(): Promise<boolean> {
    const waiting = await execute(
      server.databaseUrl,
      `SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND query = 'COMMIT' AND wait_event_type = 'Lock'`,
    );
    return waiting.length === 1;
  }

  describe('when one of them cannot be written', () => {
    const others = inSessions(12);
    const bad = firing({ session: 'bad', title: 'Unwritable' });
    const together = [...others.slice(0, 6), bad, ...others.slice(6)];

    it.each([
      ['where it is written', false],
      ['where it is committed', true],
    ])('are stored all the same, and it alone fails: %s', async (_where, isDeferred) => {
      const failing = `IF NEW.title = 'Unwritable' THEN RAISE 'a secret of session_alerts.alerts'; END IF`;
      const answers = await withTrigger(failing, isDeferred, async () => {
        const posts = await holdingWrites(() => postAfterOne(together));
        return Promise.all([...posts.others, posts.first]);
      });
      const [failed] = answers.splice(6, 1);
      expect(JSON.stringify(expectError(failed!, 500))).not.toContain('secret');
      expect(statusesOf(answers)).toEqual(Array<number>(13).fill(200));
      expect(await openSessions()).toEqual(['first', ...others.map(sessionOf)].sort());

      await api.deliver(bad);
      expect(await openSessions()).toContain('bad');
    });

    it('fail together where the database cannot serve, and leave nothing half stored', async () => {
      const diskFull = `IF NEW.title = 'Unwritable' THEN RAISE 'disk full' USING ERRCODE = '53100'; END IF`;
      await withTrigger(diskFull, false, async () => {
        const posts = await holdingWrites(() => postAfterOne(together));
        expect((await posts.first).status).toBe(200);
        for (const answer of await Promise.all(posts.others)) expectError(answer, 503);
        expect(await openSessions()).toEqual(['first']);
      });
      await api.deliver(...together);
      expect(await openSessions()).toEqual(['bad', 'first', ...others.map(sessionOf)].sort());
    });

    function sessionOf(alert: AlertmanagerAlert): string {
      return alert.labels['statefulset']!;
    }
  });

  describe('are taken in the order in which they came (rule 7)', () => {
    it('rule 7: a firing and then its end leave nothing open', async () => {
      const answers = await inTurn(firing(), resolved(firing()));
      expect(answers.map(({ body }) => body)).toMatchObject([{ stored: 1 }, { resolved: 1 }]);
      expect(await openSessions()).toEqual(['first']);
    });

    it('rule 7: an end and then a firing leave a new alert open', async () => {
      await api.deliver(firing());
      const { id } = await api.onlyAlert();
      apply.mockClear();
      const answers = await inTurn(resolved(firing()), firing());
      expect(answers.map(({ body }) => body)).toMatchObject([{ resolved: 1 }, { stored: 1 }]);
      const open = await api.openAlerts('jane', 'jane-1');
      expect(open).toHaveLength(1);
      expect(open[0]!.id).not.toBe(id);
    });

    it('rule 7: whichever was ready to be written first', async () => {
      const arrivedAt = performance.now();
      const { first, outcomes } = await holdingWrites(async () => {
        const { first } = await postAfterOne([]);
        const end = alerts.apply([observed(resolved(firing()))], arrivedAt + 1);
        const start = alerts.apply([observed(firing())], arrivedAt);
        return { first, outcomes: [end, start] };
      });
      expect((await first).status).toBe(200);
      expect(await Promise.all(outcomes)).toEqual([[{ result: 'resolved' }], [{ result: 'opened' }]]);
      expect(await openSessions()).toEqual(['first']);
    });

    /** Posts both while another is being written, the second when the first has come. */
    async function inTurn(one: AlertmanagerAlert, other: AlertmanagerAlert): Promise<Answer<Summary>[]> {
      const { first, posts } = await holdingWrites(async () => {
        const { first } = await postAfterOne([]);
        const posts = [post(one)];
        await untilCame(2);
        posts.push(post(other));
        await untilCame(3);
        return { first, posts };
      });
      expect((await first).status).toBe(200);
      return Promise.all(posts);
    }

    function observed(alert: AlertmanagerAlert): Observation {
      const mapped = server.app.get(AlertMapper, { strict: false }).map(alert, ALERTMANAGER);
      if (!('observation' in mapped)) throw new Error('The test made an alert that cannot be shown');
      return mapped.observation;
    }
  });

  describe('where one is too large for one transaction', () => {
    const large = inSessions(4_500);
    const transactions = `SELECT count(DISTINCT xmin::text)::int AS transactions FROM session_alerts.alerts`;

    it('those of others go in between, and are answered before it', async () => {
      const { first, small } = await holdingWrites(async () => {
        const first = post(...large);
        await untilCame(1);
        const small = post(firing({ session: 'small' }));
        await untilCame(2);
        return { first, small };
      });
      expect((await small).body).toMatchObject({ stored: 1 });
      expect((await first).body).toMatchObject({ stored: 4_500, resolved: 0, skipped: 0 });
      expect(answered.map(({ body }) => body.stored)).toEqual([1, 4_500]);
      expect(await execute(server.databaseUrl, transactions)).toEqual([{ transactions: 4 }]);
    });

    it('its alerts take effect in their order all the same', async () => {
      const flap = firing({ session: 'session-0' });
      const { body } = await post(
        ...large,
        resolved(flap),
        firing({ session: 'last' }),
        resolved(large[4_499]!),
      );
      expect(body).toMatchObject({ stored: 4_501, resolved: 2, skipped: 0 });
      const open = await storedSessions();
      expect(open).toHaveLength(4_499);
      expect(open).toContain('last');
      expect(open).not.toContain('session-0');
      expect(open).not.toContain('session-4499');
    });

    it('what was stored of one that failed is stored once when it is sent again', async () => {
      const fails = `IF NEW.session_name = 'session-4400' THEN RAISE 'cannot be written'; END IF`;
      const failed = await withTrigger(fails, false, () => post(...large));
      expectError(failed, 500);
      expect(await storedSessions()).toHaveLength(4_000);
      expect((await post(...large)).body).toMatchObject({ stored: 4_500 });
      const stored = await storedSessions();
      expect(new Set(stored).size).toBe(4_500);
      expect(stored).toHaveLength(4_500);
    });
  });

  it('are refused with 503 when too many wait, of which nothing is stored, and all others are', async () => {
    // 980 alerts and the webhook itself count as 1,000: ten such fill the room for 10,000.
    const copies = (session: string) => Array<AlertmanagerAlert>(980).fill(firing({ session }));
    const sessions = Array.from({ length: 12 }, (_, i) => `session-${i}`);
    const { first, posts } = await holdingWrites(async () => {
      const { first } = await postAfterOne([]);
      const posts = sessions.map((session) => post(...copies(session)));
      await waitUntil(() => answered.length === 2);
      for (const answer of [...answered, await post(firing({ session: 'small' }))]) {
        expect(expectError(answer, 503).message).toBe('Too much at once. Try again.');
      }
      return { first, posts };
    });
    expect((await first).status).toBe(200);
    const statuses = statusesOf(await Promise.all(posts));
    expect(statuses.filter((status) => status === 200)).toHaveLength(10);
    expect(statuses.filter((status) => status === 503)).toHaveLength(2);
    const taken = sessions.filter((_, i) => statuses[i] === 200);
    expect(await openSessions()).toEqual(['first', ...taken].sort());

    await api.deliver(...sessions.flatMap(copies), firing({ session: 'small' }));
    expect(await openSessions()).toEqual(['first', 'small', ...sessions].sort());
  });
});
