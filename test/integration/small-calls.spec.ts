import { gzipSync } from 'node:zlib';
import { AlertsApi, ADMIN, ALERTMANAGER, expectError, firing, webhook } from '../support/alerts.js';
import type { Person } from '../support/alerts.js';
import { RawConnection } from '../support/raw-connection.js';
import { forgetAlerts } from '../support/database.js';
import { startTestServer, waitUntil } from '../support/server.js';
import type { TestServer } from '../support/server.js';

const JANE: Person = { sub: 'jane' };
const KILOBYTE = 1024;
const MEGABYTE = 1024 * KILOBYTE;
const ID = '01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R';
const HUGE_LIST = `{"x":[${'1,'.repeat(15 * MEGABYTE)}1]}`;
const MANY_KEYS = JSON.stringify(
  Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`key${i}`, true])),
);

describe('A call costs what it is worth', () => {
  let server: TestServer;
  let api: AlertsApi;

  beforeAll(async () => {
    server = await startTestServer();
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  beforeEach(() => forgetAlerts(server.databaseUrl));
  afterAll(() => server.close());

  /** A request as it goes over the wire, on a connection of its own. */
  async function connection(): Promise<RawConnection> {
    return RawConnection.to(server.url);
  }
  async function headOf(method: string, path: string, as: Person, more: string[] = []): Promise<string> {
    const token = await server.issuer.userToken(as);
    const lines = [
      `${method} /api/data${path} HTTP/1.1`,
      'Host: localhost',
      `Authorization: Bearer ${token}`,
      'Content-Type: application/json',
      ...more,
    ];
    return `${lines.join('\r\n')}\r\n\r\n`;
  }

  describe('bodies', () => {
    it.each<[string, string, string, string, Person, number]>([
      ['100,000 keys to PATCH', 'PATCH', `/alerts/${ID}`, MANY_KEYS, JANE, 413],
      ['a list of millions to PATCH', 'PATCH', `/alerts/${ID}`, HUGE_LIST, JANE, 413],
      ['a list of millions to PATCH, by an administrator', 'PATCH', `/alerts/${ID}`, HUGE_LIST, ADMIN, 413],
      ['a list of millions to POST /alerts', 'POST', '/alerts', HUGE_LIST, ADMIN, 413],
      ['a list of millions to POST /alerts, by a user', 'POST', '/alerts', HUGE_LIST, JANE, 403],
      ['no JSON to POST /alerts, by a user', 'POST', '/alerts', '{', JANE, 403],
      ['no JSON to the webhook, by a user', 'POST', '/webhooks/alertmanager', '{', JANE, 403],
      [
        '4,097 bytes to PATCH',
        'PATCH',
        `/alerts/${ID}`,
        `${' '.repeat(4_097 - 18)}{"dismissed":true}`,
        JANE,
        413,
      ],
      [
        '128 kB and a byte to POST /alerts',
        'POST',
        '/alerts',
        `${' '.repeat(128 * KILOBYTE - 1)}{}`,
        ADMIN,
        413,
      ],
    ])('%s', async (_what, method, path, body, as, status) => {
      expectError(await api.call(method, path, { as, body }), status);
    });

    it('as large as they may be are taken', async () => {
      await api.deliver(firing());
      const { id } = await api.onlyAlert();
      const dismissal = '{"dismissed":true}';
      expect(
        await api.update(id, `${' '.repeat(4 * KILOBYTE - dismissal.length)}${dismissal}`, JANE),
      ).toMatchObject({ status: 200 });
      const alert = { title: 'Long', message: '', event_type: 'long', user_id: 'jane' };
      const message = 'm'.repeat(128 * KILOBYTE - JSON.stringify(alert).length);
      expect(await api.create({ ...alert, message })).toMatchObject({ status: 201 });
    });

    it.each<[string, string, Person, number]>([
      ['PATCH', `/alerts/${ID}`, JANE, 4 * KILOBYTE],
      ['POST', '/alerts', ADMIN, 128 * KILOBYTE],
    ])('that do not say how long they are are counted: %s %s', async (method, path, as, longest) => {
      const client = await connection();
      client.send(await headOf(method, path, as, ['Transfer-Encoding: chunked']));
      client.sendChunk('"'.padEnd(longest, 'x'));
      client.sendChunk('x');
      // It is answered though its end has not come.
      expectError(await client.answer(), 413);
      client.close();
      const patient = await connection();
      patient.send(await headOf(method, path, as, ['Transfer-Encoding: chunked']));
      patient.sendChunk(`"${'x'.repeat(longest - 2)}"`);
      patient.sendChunk('');
      expectError(await patient.answer(), 422);
      patient.close();
    });

    it('of webhooks that do not say how long they are take the room of the longest', async () => {
      const body = JSON.stringify(webhook([firing()]));
      const head = await headOf('POST', '/webhooks/alertmanager', ALERTMANAGER, [
        'Transfer-Encoding: chunked',
      ]);
      const first = await connection();
      first.send(head);
      first.sendChunk(body.slice(0, 10));
      const others = await Promise.all(
        Array.from({ length: 19 }, async () => {
          const other = await connection();
          await waitUntil(async () => {
            // The first is under way once another has no room.
            other.send(head);
            other.sendChunk(body);
            other.sendChunk('');
            return (await other.answer()).status === 503;
          });
          return other;
        }),
      );
      // One that says how little it is goes.
      expect(await api.deliver(firing({ user: 'ann' }))).toMatchObject({ stored: 1 });
      first.sendChunk(body.slice(10));
      first.sendChunk('');
      expect(await first.answer()).toMatchObject({ status: 200, body: { stored: 1 } });
      for (const other of [first, ...others]) other.close();
      // Once read, they weigh what they weigh.
      const answers = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const client = await connection();
          let answer = { status: 0 };
          await waitUntil(async () => {
            client.send(head);
            client.sendChunk(body);
            client.sendChunk('');
            answer = await client.answer();
            return answer.status !== 503;
          });
          client.close();
          return answer.status;
        }),
      );
      expect(answers).toEqual(Array<number>(20).fill(200));
    });

    it.each(['gzip', 'deflate', 'br', 'GZIP', 'identity, gzip', 'x-unknown'])(
      'that are compressed (%s) are refused as what they are',
      async (encoding) => {
        for (const [method, path, as] of [
          ['POST', '/webhooks/alertmanager', ALERTMANAGER],
          ['POST', '/alerts', ADMIN],
          ['PATCH', `/alerts/${ID}`, JANE],
        ] as const) {
          const client = await connection();
          const body = gzipSync(JSON.stringify(webhook([firing()])));
          client.send(
            await headOf(method, path, as, [
              `Content-Encoding: ${encoding}`,
              `Content-Length: ${body.length}`,
            ]),
          );
          client.send(body);
          expect(expectError(await client.answer(), 415).detail).toContain('compressed');
          client.close();
        }
      },
    );
  });

  describe('queries', () => {
    const calls: [string, string, Person][] = [
      ['GET', '/alerts', JANE],
      ['GET', '/alerts/stream', JANE],
      ['GET', '/alerts/feed', JANE],
      ['POST', '/alerts', ADMIN],
      ['PATCH', `/alerts/${ID}`, JANE],
      ['POST', '/webhooks/alertmanager', ALERTMANAGER],
    ];

    it.each(calls)('of more than 4 kB are refused: %s %s', async (method, path, as) => {
      const keys = Array.from({ length: 2_000 }, (_, i) => `k${i}=1`).join('&');
      for (const query of [keys, 'session_name='.padEnd(4_097, 'x')]) {
        const body = method === 'GET' ? undefined : {};
        expect(expectError(await api.call(method, `${path}?${query}`, { as, body }), 422).detail).toContain(
          'at most 4096 bytes',
        );
        expectError(await api.call(method, `${path}?${query}`, { body }), 401);
      }
    });

    it('of 4 kB are read', async () => {
      const query = `?session_name=${'x'.repeat(4_096 - 'session_name='.length)}`;
      expect(expectError(await api.call('GET', `/alerts${query}`, { as: JANE }), 422).detail).toContain(
        'session_name must be',
      );
    });
  });

  describe('what nobody knows is named', () => {
    it.each<[string, string, Person, unknown, string]>([
      ['GET', '/alerts?sesion_name=jane-1', JANE, undefined, 'sesion_name'],
      ['GET', '/alerts?status=resolved&page=2', JANE, undefined, 'page'],
      ['GET', '/alerts?session_name[]=jane-1', JANE, undefined, 'session_name[]'],
      ['GET', '/alerts?__proto__=x', JANE, undefined, '__proto__'],
      ['GET', '/alerts/stream?session=jane-1', JANE, undefined, 'session'],
      ['GET', '/alerts/feed?session_name=jane-1', JANE, undefined, 'session_name'],
      ['POST', '/alerts?dry_run=true', ADMIN, {}, 'dry_run'],
      ['POST', '/alerts', ADMIN, { sesion_name: 'jane-1' }, 'sesion_name'],
      ['PATCH', `/alerts/${ID}?force=true`, JANE, { dismissed: true }, 'force'],
      ['PATCH', `/alerts/${ID}`, JANE, { dismissed: true, reason: 'seen' }, 'reason'],
      ['GET', '/alerts?limit=5', JANE, undefined, 'limit'],
      ['GET', '/alerts?status=open&cursor=x', JANE, undefined, 'cursor'],
    ])('%s %s', async (method, path, as, body, name) => {
      expect(expectError(await api.call(method, path, { as, body }), 422).detail).toContain(name);
    });

    it('and says what is known', async () => {
      const answer = await api.call('GET', '/alerts?sesion_name=jane-1', { as: JANE });
      expect(expectError(answer, 422).detail).toBe(
        '"sesion_name" is no parameter of this call, which takes session_name, status, since, limit, cursor',
      );
    });

    it('save in webhooks, whose senders add what they like', async () => {
      const answer = await api.postWebhook(webhook([firing()], { tomorrow: 1 }), '?source=am-0');
      expect(answer).toMatchObject({ status: 200, body: { stored: 1 } });
    });
  });

  describe('what is personal, or an error, stays in no cache', () => {
    it.each<[string, string, Person | undefined, unknown, number]>([
      ['GET', '/alerts', JANE, undefined, 200],
      ['GET', '/alerts?status=resolved', JANE, undefined, 200],
      ['GET', '/alerts/feed', JANE, undefined, 200],
      ['POST', '/webhooks/alertmanager', ALERTMANAGER, webhook([]), 200],
      ['POST', '/alerts', ADMIN, { title: 'a', message: 'b', event_type: 'c', user_id: 'd-1' }, 201],
      ['GET', '/alerts', undefined, undefined, 401],
      ['PATCH', `/alerts/${ID}`, undefined, {}, 401],
      ['POST', '/alerts', JANE, {}, 403],
      ['PATCH', `/alerts/${ID}`, JANE, { dismissed: true }, 404],
      ['GET', '/nothing', JANE, undefined, 404],
      ['PATCH', `/alerts/${ID}`, JANE, MANY_KEYS, 413],
      ['POST', '/webhooks/alertmanager', ALERTMANAGER, 'x'.repeat(33 * MEGABYTE), 413],
      ['GET', '/alerts?x=1', JANE, undefined, 422],
      ['POST', '/alerts', ADMIN, '{', 422],
    ])('%s %s as %p', async (method, path, as, body, status) => {
      const answer = await api.call(method, path, { body, ...(as && { as }) });
      expect(answer.status).toBe(status);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    });

    it('nor does an answer that nothing has changed', async () => {
      const path = `${server.url}/api/data/alerts`;
      const headers = { Authorization: `Bearer ${await server.issuer.userToken(JANE)}` };
      const etag = (await fetch(path, { headers })).headers.get('etag') ?? '';
      const answer = await fetch(path, { headers: { ...headers, 'If-None-Match': etag } });
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([304, 'no-store']);
    });
  });

  it('pages say what they may be mixed with', async () => {
    const { headers } = await fetch(`${server.url}/api/data/docs`);
    expect(headers.get('content-type')).toContain('text/html');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
  });

  describe('headers', () => {
    it('may hold the token of somebody with 300 roles', async () => {
      const roles = Array.from({ length: 300 }, (_, i) => `project-${i}-${'member'.repeat(6)}`);
      expect((await api.call('GET', '/alerts', { as: { sub: 'jane', roles } })).status).toBe(200);
    });

    it('larger than that are refused in our words, and logged', async () => {
      const lines: string[] = [];
      const note = (line: unknown): number => lines.push(String(line));
      server.app.useLogger({ log: note, error: note, warn: note });
      const client = await connection();
      client.send(await headOf('GET', '/alerts', JANE, [`X-Much: ${'x'.repeat(70 * KILOBYTE)}`]));
      expectError(await client.answer(), 431);
      expect(lines.join('\n')).toMatch(/431.*HEADER_LIMIT_KB/);
      expect(await client.closed()).toBe(true);
      server.app.useLogger(false);
    });

    it.each<[string, string, number]>([
      ['no HTTP', 'hello there\r\n\r\n', 400],
      ['a method of nobody', 'FETCH / HTTP/1.1\r\nHost: localhost\r\n\r\n', 400],
      ['HTTP of the future', 'GET / HTTP/9.9\r\nHost: localhost\r\n\r\n', 400],
      ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
      ['a header without a name', 'GET / HTTP/1.1\r\n: x\r\n\r\n', 400],
      [
        'two lengths',
        'POST /api/data/alerts HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
        400,
      ],
      [
        'a length and chunks',
        'POST /api/data/alerts HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
        400,
      ],
      ['no host', 'GET /api/data/alerts HTTP/1.1\r\n\r\n', 400],
      ['an odd expectation', 'GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: the worst\r\n\r\n', 417],
      ['no address', 'GET /api/data/% HTTP/1.1\r\nHost: a\r\n\r\n', 404],
    ])('with %s are refused in our words', async (_what, request, status) => {
      const client = await connection();
      client.send(request);
      expectError(await client.answer(), status);
      client.close();
    });
  });

  it('a flood of bad alerts writes a line, not thousands', async () => {
    const lines: string[] = [];
    const note = (line: unknown): number => lines.push(String(line));
    server.app.useLogger({ log: note, error: note, warn: note });
    for (let time = 0; time < 50; time++) {
      await api.postWebhook(webhook(Array<null>(10).fill(null), { truncatedAlerts: 3 }));
    }
    server.app.useLogger(false);
    expect(lines.filter((line) => line.includes('not_an_object')).length).toBeLessThanOrEqual(1);
    expect(lines.filter((line) => line.includes('max_alerts')).length).toBeLessThanOrEqual(1);
    expect(lines.length).toBeGreaterThanOrEqual(1);
  });

  it('who asks on and on without waiting for answers is answered in turn', async () => {
    await api.deliver(firing());
    const client = await connection();
    client.send((await headOf('GET', '/alerts', JANE)).repeat(100));
    for (let answered = 0; answered < 100; answered++) {
      expect(await client.answer()).toMatchObject({ status: 200, body: [{ user_id: 'jane' }] });
    }
    client.close();
  });

  it('who does not read is not waited for', async () => {
    const alerts = Array.from({ length: 1_000 }, (_, i) =>
      firing({ session: `jane-${i}`, message: 'm'.repeat(20_000) }),
    );
    await api.deliver(...alerts);
    const [lists, stream] = [await connection(), await connection()];
    for (const client of [lists, stream]) client.pause();
    // The system takes some megabytes for them.
    lists.send((await headOf('GET', '/alerts', JANE)).repeat(100));
    stream.send(await headOf('GET', '/alerts/stream', JANE));
    let changes = 0;
    await waitUntil(async () => {
      await api.deliver(firing({ session: 'jane-999', message: `Change ${(changes += 1)}` }));
      return stream.isCut();
    }, 90_000);
    await waitUntil(() => lists.isCut(), 90_000);
  }, 200_000);
});
