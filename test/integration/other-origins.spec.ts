import { AlertsApi, firing } from '../support/alerts.js';
import { startTestServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';

const PAGE = 'https://sessions.example';
const OTHER_PAGE = 'http://localhost:5173';
const JANE = { sub: 'jane' };
const ULID = '01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R';

/** What a browser needs to see on an answer to let a page of that origin read it. */
function allowing(origin: string): Record<string, string> {
  return {
    vary: 'Origin',
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'ETag, X-Total-Count, Date, Retry-After',
  };
}

function corsOf({ headers }: Response): Record<string, string> {
  const isCors = ([name]: [string, string]): boolean => name === 'vary' || name.startsWith('access-control-');
  return Object.fromEntries([...headers].filter(isCors));
}

describe('Pages of other origins', () => {
  let server: TestServer;
  let token: string;

  beforeAll(async () => {
    server = await startTestServer({ CORS_ORIGINS: `${PAGE},${OTHER_PAGE}`, STREAMS: '1' });
    token = await server.issuer.userToken(JANE);
    await new AlertsApi(`${server.url}/api/data`, server.issuer).deliver(firing());
  });
  afterAll(() => server.close());

  function ask(path: string, { headers, ...more }: RequestInit & { headers: Record<string, string> }) {
    return fetch(`${server.url}/api/data${path}`, { ...more, headers });
  }

  /** As the page of that origin, with the user's token. */
  function from(origin: string): { headers: Record<string, string> } {
    return { headers: { Origin: origin, Authorization: `Bearer ${token}` } };
  }

  function preflight(origin: string, path: string): Promise<Response> {
    return ask(path, {
      method: 'OPTIONS',
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': 'PATCH',
        'Access-Control-Request-Headers': 'authorization,content-type',
      },
    });
  }

  it.each(['/alerts', '/alerts/stream', `/alerts/${ULID}`])(
    'are answered before %s what they may send, without a token',
    async (path) => {
      const answer = await preflight(PAGE, path);
      expect(answer.status).toBe(204);
      expect(corsOf(answer)).toEqual({
        ...allowing(PAGE),
        'access-control-allow-methods': 'GET, POST, PUT, PATCH',
        'access-control-allow-headers': 'Authorization, Content-Type, If-None-Match, traceparent, tracestate',
        'access-control-max-age': '7200',
      });
    },
  );

  it.each([PAGE, OTHER_PAGE])('at %s read lists', async (origin) => {
    const answer = await ask('/alerts', from(origin));
    expect(answer.status).toBe(200);
    expect(corsOf(answer)).toEqual(allowing(origin));
    expect(Date.parse(answer.headers.get('date') ?? '')).not.toBeNaN();

    const { headers } = from(origin);
    const again = await ask('/alerts', {
      headers: { ...headers, 'If-None-Match': answer.headers.get('etag') ?? '' },
    });
    expect(again.status).toBe(304);
    expect(corsOf(again)).toEqual(allowing(origin));
  });

  it('read streams, and why there is none', async () => {
    const leaving = new AbortController();
    const stream = await ask('/alerts/stream', { ...from(PAGE), signal: leaving.signal });
    expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(corsOf(stream)).toEqual(allowing(PAGE));
    const beyond = await ask('/alerts/stream', from(PAGE));
    expect(beyond.status).toBe(503);
    expect(corsOf(beyond)).toEqual(allowing(PAGE));
    leaving.abort();
  });

  it.each<[number, string, string, unknown]>([
    [401, 'GET', '/alerts', null],
    [401, 'PATCH', `/alerts/${ULID}`, {}],
    [404, 'PATCH', `/alerts/${ULID}`, { dismissed: true }],
    [404, 'GET', '/nothing', null],
    [422, 'GET', '/alerts?since=yesterday&status=resolved', null],
    [422, 'PATCH', `/alerts/${ULID}`, { dismissed: 'yes' }],
  ])('read errors: %d of %s %s', async (status, method, path, body) => {
    const { headers } = from(PAGE);
    const answer = await ask(path, {
      method,
      headers: {
        ...headers,
        ...(status === 401 && { Authorization: 'Bearer none' }),
        ...(body !== null && { 'Content-Type': 'application/json' }),
      },
      body: body === null ? null : JSON.stringify(body),
    });
    expect(await answer.json()).toMatchObject({ error: { code: status } });
    expect(answer.status).toBe(status);
    expect(corsOf(answer)).toEqual(allowing(PAGE));
  });

  it.each([
    'https://sessions.example.evil.example',
    'http://sessions.example',
    'https://sessions.example:8443',
    'https://SESSIONS.example',
    'null',
  ])('that are not named may read nothing: %s', async (origin) => {
    const asked = await preflight(origin, '/alerts');
    expect(asked.status).toBe(404);
    expect(corsOf(asked)).toEqual({ vary: 'Origin' });
    expect(corsOf(await ask('/alerts', from(origin)))).toEqual({ vary: 'Origin' });
  });

  it('are nobody where a request names none', async () => {
    expect(corsOf(await ask('/alerts', { headers: {} }))).toEqual({ vary: 'Origin' });
  });
});

describe('Without CORS_ORIGINS', () => {
  it('pages of other origins may read nothing, and no answer says so', async () => {
    const server = await startTestServer();
    try {
      const answers = ['GET', 'OPTIONS'].map((method) =>
        fetch(`${server.url}/api/data/alerts`, { method, headers: { Origin: PAGE } }),
      );
      for (const answer of await Promise.all(answers)) expect(corsOf(answer)).toEqual({});
    } finally {
      await server.close();
    }
  });
});
