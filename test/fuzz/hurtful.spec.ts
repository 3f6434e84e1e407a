import { AT_ONCE, HEAVY_ROLES, HOSTILE_KINDS } from '../../bench/hostile-requests.js';
import type { HostileCallers } from '../../bench/hostile-requests.js';
import { WireConnection } from '../../bench/wire-connection.js';
import { firing } from '../support/alerts.js';
import { waitUntil } from '../support/server.js';
import { FuzzedServer, MOST_MEMORY } from './support/fuzzed-server.js';

/** ms; far longer than any of them should wait, even on a busy machine. */
const PATIENCE = 120_000;
/** At least so many polls of somebody else show how they fare. */
const LEAST_POLLS = 10;

let server: FuzzedServer;
let callers: HostileCallers;
let honestAlerts: unknown;

beforeAll(async () => {
  server = await FuzzedServer.start();
  const { issuer } = server;
  callers = {
    issuerUrl: issuer.url,
    userToken: await issuer.userToken({ sub: 'hostile', lifetime: 3600 }),
    heavyToken: await issuer.userToken({ sub: 'heavy', roles: HEAVY_ROLES, lifetime: 3600 }),
    webhookToken: await issuer.userToken({
      sub: 'alertmanager',
      roles: ['alertmanager-webhook'],
      lifetime: 3600,
    }),
  };
  await server.api.deliver(firing({ user: 'honest', session: 'honest-1' }));
  honestAlerts = await server.api.openAlerts('honest');
});
afterAll(async () => {
  await server.close();
});
afterEach(async () => {
  expect(server.isTheSame()).toBe(true);
  expect(server.errors).toEqual([]);
  expect(server.mostMemory).toBeLessThan(MOST_MEMORY);
  await server.untilQuiet();
});

it.each([
  ...HOSTILE_KINDS,
  {
    name: 'a token that verifies and whose payload is null',
    statuses: [401],
    request: () => [
      Buffer.from(
        `GET /api/data/alerts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${server.forgeToken('null')}\r\n\r\n`,
      ),
    ],
  },
])(`${AT_ONCE} times $name are answered, and everybody else is meanwhile`, async ({ statuses, request }) => {
  let underWay = AT_ONCE;
  const hurting = Promise.all(
    Array.from({ length: AT_ONCE }, () => statusOf(request(callers)).finally(() => (underWay -= 1))),
  );
  for (let polls = 0; underWay > 0 || polls < LEAST_POLLS; polls++) {
    expect(await server.api.openAlerts('honest')).toEqual(honestAlerts);
  }
  const answered = await hurting;
  expect(answered.filter((status) => !statuses.includes(status))).toEqual([]);
});

it(`${AT_ONCE} connections on which nobody reads what was asked for are closed`, async () => {
  const alerts = Array.from({ length: 480 }, (_, index) =>
    firing({ user: 'hostile', session: `session-${index}` }),
  );
  await server.api.deliver(...alerts);
  const poll = Buffer.from(
    `GET /api/data/alerts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${callers.userToken}\r\n\r\n`,
  );
  const before = server.openConnections();
  const connections = await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      const connection = await WireConnection.open(server.port);
      connection.stopReading();
      connection.write(...Array<Buffer>(200).fill(poll));
      return connection;
    }),
  );
  await waitUntil(async () => {
    expect(await server.api.openAlerts('honest')).toEqual(honestAlerts);
    return server.openConnections() <= before;
  }, PATIENCE);
  for (const connection of connections) connection.close();
});

async function statusOf(request: Buffer[]): Promise<number> {
  const connection = await WireConnection.open(server.port);
  try {
    connection.write(...request);
    const { answers, ending } = await connection.answers({ methods: ['POST'], timeout: PATIENCE });
    const [answer] = answers;
    if (!answer) throw new Error(`No answer came: ${ending}`);
    return answer.status;
  } finally {
    connection.close();
  }
}
