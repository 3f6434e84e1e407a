import { AlertsClient } from './alerts-client.js';

const SECOND = 1000;
/** The page that the client is in. */
const PAGE = { location: new URL('http://host/'), document: { baseURI: 'http://host/' } };
const encoder = new TextEncoder();

function alert(id: string) {
  return { id, title: `Alert ${id}`, creation_date: '2026-11-22T05:11:20.465Z' };
}

function jwt(sub: string, expires: number, serial = 0): string {
  return ['{}', JSON.stringify({ sub, exp: expires / 1000, serial }), ''].map((part) => btoa(part)).join('.');
}

interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Record<string, string>;
}

/** An API whose answers the test decides, and whose stream it writes. */
class FakeApi {
  readonly calls: Call[] = [];
  open: unknown = [];
  /** What each stream begins with. */
  greeting = '';
  answers: Partial<
    Record<'stream' | 'list' | 'feed' | 'history' | 'dismiss', () => Response | Promise<Response>>
  > = {};
  private streams: ReadableStreamDefaultController<Uint8Array>[] = [];

  readonly fetch = (address: string, init: RequestInit): Promise<Response> => {
    const url = new URL(address, 'http://host');
    const headers = init.headers as Record<string, string>;
    const method = init.method ?? 'GET';
    this.calls.push({ method, path: url.pathname, query: url.searchParams, headers });
    return new Promise((resolve, reject) => {
      init.signal?.addEventListener('abort', () => {
        reject(init.signal?.reason as Error);
      });
      Promise.resolve(this.answer(method, url, headers, init.signal ?? undefined)).then(resolve, reject);
    });
  };

  get callsToStream(): Call[] {
    return this.callsTo('/api/alerts/stream');
  }

  callsTo(path: string): Call[] {
    return this.calls.filter((call) => call.path === path);
  }

  /** Writes to the stream that is open. */
  write(text: string): void {
    this.streams.at(-1)?.enqueue(encoder.encode(text));
  }

  tell(...ids: string[]): void {
    this.write(`data: ${JSON.stringify(ids.map(alert))}\n\n`);
  }

  endStream(): void {
    this.streams.pop()?.close();
  }

  get openStreams(): number {
    return this.streams.length;
  }

  private answer(
    method: string,
    url: URL,
    headers: Record<string, string>,
    signal?: AbortSignal,
  ): Response | Promise<Response> {
    if (method === 'PATCH') return this.answers.dismiss?.() ?? json({});
    if (url.pathname.endsWith('/stream')) return this.answers.stream?.() ?? this.stream(signal);
    if (url.pathname.endsWith('/feed'))
      return this.answers.feed?.() ?? json({ status: 'ok', last_seen: null });
    if (url.searchParams.has('status')) return this.answers.history?.() ?? json([]);
    const etag = `"${JSON.stringify(this.open)}"`;
    if (this.answers.list) return this.answers.list();
    return headers['If-None-Match'] === etag
      ? new Response(null, { status: 304 })
      : json(this.open, { ETag: etag });
  }

  private stream(signal?: AbortSignal): Response {
    let controller!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (given) => {
        controller = given;
        this.streams.push(given);
        if (this.greeting) given.enqueue(encoder.encode(this.greeting));
      },
    });
    signal?.addEventListener('abort', () => {
      if (!this.streams.includes(controller)) return;
      this.streams = this.streams.filter((one) => one !== controller);
      controller.error(signal.reason);
    });
    return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
  }
}

function json(body: unknown, headers: Record<string, string> = {}, status = 200): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': 'application/json', ...headers },
  });
}

function refuse(): Promise<Response> {
  return Promise.reject(new TypeError('Failed to fetch'));
}

const status = (code: number) => () => json({ error: { code, message: '' } }, {}, code);

describe('The client', () => {
  let api: FakeApi;
  let client: AlertsClient;
  let tokens: { refresh: boolean }[];
  let giveToken: (refresh: boolean) => string;
  let problems: string[];
  const realFetch = globalThis.fetch;

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    api = new FakeApi();
    globalThis.fetch = api.fetch as typeof fetch;
    tokens = [];
    problems = [];
    Object.assign(globalThis, PAGE);
    giveToken = () => '';
    client = new AlertsClient(
      {
        api: '/api',
        sessionName: 's-1',
        credentials: 'same-origin',
        getToken: (options) => {
          tokens.push(options);
          return giveToken(options.refresh);
        },
      },
      { change: () => undefined, problem: (kind) => problems.push(kind) },
    );
  });
  afterEach(() => {
    client.stop();
    globalThis.fetch = realFetch;
    jest.restoreAllMocks();
    jest.useRealTimers();
  });

  async function pass(milliseconds = 0): Promise<void> {
    await jest.advanceTimersByTimeAsync(milliseconds);
  }

  function shownIds(): string[] | undefined {
    return client.state.alerts?.map(({ id }) => id);
  }

  async function goLive(...ids: string[]): Promise<void> {
    client.start();
    await pass();
    api.tell(...ids);
    await pass();
  }

  it('knows nothing before the first answer', async () => {
    client.start();
    await pass();
    expect(client.state).toEqual({
      alerts: undefined,
      total: 0,
      leaving: new Set(),
      session: '',
      connection: 'connecting',
      trueUntil: undefined,
      feed: { status: 'unknown', last_seen: null },
      keepsSeen: true,
    });
  });

  it("follows the stream of its session's alerts and of the feed", async () => {
    await goLive('a');
    expect(client.state).toMatchObject({ connection: 'live', feed: { status: 'unknown' } });
    api.tell('b', 'a');
    api.write('event: feed\ndata: {"status":"stale","last_seen":"2026-11-22T05:00:00Z"}\n\n');
    await pass();
    expect(shownIds()).toEqual(['b', 'a']);
    expect(client.state.feed.status).toBe('stale');

    expect(api.calls).toHaveLength(1);
    expect(api.callsToStream[0]?.query.toString()).toBe('session_name=s-1');
    expect(api.callsToStream[0]?.headers).toMatchObject({ Accept: 'text/event-stream' });
  });

  it('opens a stream that ended again within a second, and stays calm', async () => {
    await goLive('a');
    await pass(20 * SECOND);
    api.endStream();
    await pass();
    expect(client.state).toMatchObject({ connection: 'connecting', trueUntil: undefined });
    expect(shownIds()).toEqual(['a']);
    await pass(SECOND);
    expect(api.callsToStream).toHaveLength(2);
    api.tell('b');
    await pass();
    expect(client.state.connection).toBe('live');
    expect(shownIds()).toEqual(['b']);
    expect(api.callsTo('/api/alerts')).toHaveLength(0);
  });

  it('waits as long as the stream asks', async () => {
    await goLive('a');
    api.write('retry: 6000\n\n');
    await pass(20 * SECOND);
    api.endStream();
    await pass(2900);
    expect(api.callsToStream).toHaveLength(1);
    await pass(200);
    expect(api.callsToStream).toHaveLength(2);
  });

  it('gives up a stream that is silent for too long', async () => {
    await goLive('a');
    await pass(39 * SECOND);
    api.write(': still here\n\n');
    await pass(39 * SECOND);
    expect(api.callsToStream).toHaveLength(1);
    await pass(2 * SECOND);
    expect(api.callsToStream).toHaveLength(2);
  });

  it('says up to when all is known where the API is out of reach, and recovers by itself', async () => {
    await goLive('a');
    await pass(20 * SECOND);
    api.write(': still here\n\n');
    await pass();
    const lastHeard = Date.now();
    api.answers = { stream: refuse, list: refuse };
    await pass(5 * SECOND);
    api.endStream();
    await pass(SECOND);
    expect(client.state).toMatchObject({ connection: 'down', trueUntil: lastHeard });
    expect(shownIds()).toEqual(['a']);

    await pass(600 * SECOND);
    const asked = api.callsTo('/api/alerts').length;
    // Back-off of at most 30 s, half of which is drawn here.
    expect(asked).toBeGreaterThan(600 / 20);
    expect(asked).toBeLessThan(600 / 10);

    api.answers = {};
    await pass(15 * SECOND);
    expect(client.state).toMatchObject({ connection: 'polling', trueUntil: undefined });
    api.tell('b');
    await pass();
    expect(client.state.connection).toBe('live');
    expect(shownIds()).toEqual(['b']);
  });

  it('soon has a stream again where the first answer after an outage is that there is none yet', async () => {
    await goLive('a');
    api.answers = { stream: refuse, list: refuse };
    api.endStream();
    await pass(600 * SECOND);
    api.answers = { stream: status(503) };
    const triesWhileDown = api.callsToStream.length;
    await pass(15 * SECOND);
    expect(client.state.connection).toBe('polling');
    expect(api.callsToStream.length).toBeGreaterThan(triesWhileDown);
    api.answers = {};
    api.greeting = `data: ${JSON.stringify([alert('b')])}\n\n`;
    await pass(15 * SECOND);
    expect(client.state.connection).toBe('live');
    expect(shownIds()).toEqual(['b']);
  });

  it('does not know whether there are alerts where the API was never in reach', async () => {
    api.answers = { stream: refuse, list: refuse };
    client.start();
    await pass(SECOND);
    expect(client.state).toMatchObject({ alerts: undefined, connection: 'down', trueUntil: undefined });
  });

  describe.each([
    ['is refused on its way', refuse],
    [
      'is answered with something else',
      () => new Response('<p>Blocked</p>', { headers: { 'Content-Type': 'text/html' } }),
    ],
    ['is not to be had', status(404)],
    ['is one too many', status(503)],
    ['ends at once', () => new Response('', { headers: { 'Content-Type': 'text/event-stream' } })],
    [
      'is of no list',
      () => new Response('data: {}\n\n', { headers: { 'Content-Type': 'text/event-stream' } }),
    ],
  ])('where the stream %s', (_, answer) => {
    beforeEach(() => {
      api.answers.stream = answer;
    });

    it('polls every five seconds, and is told only what is new', async () => {
      api.open = [alert('a')];
      client.start();
      await pass();
      expect(client.state).toMatchObject({ connection: 'polling', feed: { status: 'ok' } });
      expect(shownIds()).toEqual(['a']);

      const known = client.state.alerts;
      await pass(10 * SECOND);
      expect(client.state.alerts).toBe(known);
      const polls = api.callsTo('/api/alerts');
      expect(polls).toHaveLength(3);
      expect(polls.map(({ headers }) => headers['If-None-Match'] !== undefined)).toEqual([false, true, true]);

      api.open = [];
      await pass(5 * SECOND);
      expect(shownIds()).toEqual([]);
      expect(api.callsTo('/api/alerts/feed')).toHaveLength(1);
      await pass(15 * SECOND);
      expect(api.callsTo('/api/alerts/feed')).toHaveLength(2);
    });

    it('tries the stream again, ever more seldom, and stops polling when it works', async () => {
      client.start();
      await pass(600 * SECOND);
      const tries = api.callsToStream.length;
      expect(tries).toBeGreaterThan(4);
      expect(tries).toBeLessThan(12);
      api.answers = {};
      api.greeting = `data: ${JSON.stringify([alert('b')])}\n\n`;
      await pass(150 * SECOND);
      const polls = api.callsTo('/api/alerts').length;
      await pass(30 * SECOND);
      expect(client.state.connection).toBe('live');
      expect(api.callsTo('/api/alerts')).toHaveLength(polls);
      expect(shownIds()).toEqual(['b']);
    });
  });

  it('polls after three seconds where the stream says nothing, and leaves it after ten', async () => {
    api.open = [alert('a')];
    client.start();
    await pass(2900);
    expect(client.state.alerts).toBeUndefined();
    await pass(200);
    expect(client.state.connection).toBe('polling');
    expect(shownIds()).toEqual(['a']);
    expect(api.openStreams).toBe(1);
    await pass(7 * SECOND);
    expect(api.openStreams).toBe(0);
    await pass(3 * SECOND);
    expect(client.state.connection).toBe('polling');
  });

  it('polls while a stream that never lasts is tried again', async () => {
    await goLive('a');
    await pass(SECOND);
    api.open = [alert('b')];
    api.endStream();
    await pass();
    expect(client.state.connection).toBe('polling');
    expect(shownIds()).toEqual(['b']);
  });

  it('does without a feed where the API has none', async () => {
    api.answers = { stream: refuse, feed: status(404) };
    client.start();
    await pass();
    expect(client.state).toMatchObject({ connection: 'polling', feed: { status: 'unknown' } });
  });

  describe('with tokens', () => {
    it('sends them in the header alone', async () => {
      giveToken = () => 'opaque';
      await goLive('a');
      expect(api.callsToStream[0]?.headers['Authorization']).toBe('Bearer opaque');
      expect(api.callsToStream[0]?.query.toString()).not.toContain('opaque');
    });

    it('asks for a new one where the last one is refused, once', async () => {
      giveToken = (refresh) => (refresh ? 'new' : 'old');
      api.answers.stream = () =>
        api.calls.at(-1)?.headers['Authorization'] === 'Bearer new' ? refuse() : status(401)();
      client.start();
      await pass();
      expect(api.callsToStream.map(({ headers }) => headers['Authorization'])).toEqual([
        'Bearer old',
        'Bearer new',
      ]);
      expect(tokens.slice(0, 2)).toEqual([{ refresh: false }, { refresh: true }]);
    });

    it('does not repeat a call with the token that was refused', async () => {
      giveToken = () => 'same';
      api.answers = { stream: status(401), list: status(401) };
      client.start();
      await pass();
      expect(api.callsToStream).toHaveLength(1);
      expect(client.state).toMatchObject({ connection: 'down', alerts: undefined });
    });

    it('asks for a new one at once where the stream ends with it', async () => {
      let serial = 0;
      giveToken = () => jwt('ann', Date.now() + 300 * SECOND, (serial += 1));
      await goLive('a');
      for (let time = 0; time < 300; time += 15) {
        api.write(': still here\n\n');
        await pass(15 * SECOND);
      }
      api.endStream();
      await pass();
      expect(tokens).toEqual([{ refresh: false }, { refresh: true }]);
      expect(api.callsToStream).toHaveLength(2);
    });

    it('does not hurry where every stream ends with its token at once', async () => {
      giveToken = () => jwt('ann', Date.now());
      api.answers.stream = () =>
        new Response('data: []\n\n', { headers: { 'Content-Type': 'text/event-stream' } });
      client.start();
      await pass(60 * SECOND);
      expect(api.callsToStream.length).toBeLessThan(12);
    });

    it('forgets what it knew when they are of another person', async () => {
      giveToken = () => jwt('ann', Date.now() + 3600 * SECOND);
      await goLive('a');
      await pass(20 * SECOND);
      giveToken = () => jwt('bob', Date.now() + 3600 * SECOND);
      client.reconnect();
      await pass();
      expect(client.state.alerts).toBeUndefined();
      api.tell('b');
      await pass();
      expect(shownIds()).toEqual(['b']);
    });

    it('is down where the page cannot give any', async () => {
      giveToken = () => {
        throw new Error('logged out');
      };
      client.start();
      await pass();
      expect(client.state).toMatchObject({ connection: 'down', alerts: undefined });
      expect(api.calls).toHaveLength(0);
    });
  });

  describe('in a hidden page', () => {
    it('lets go of its connection after a moment, and catches up when shown', async () => {
      await goLive('a');
      client.setVisible(false);
      await pass(9 * SECOND);
      expect(api.openStreams).toBe(1);
      await pass(2 * SECOND);
      expect(api.openStreams).toBe(0);
      const calls = api.calls.length;
      await pass(3600 * SECOND);
      expect(api.calls).toHaveLength(calls);
      expect(shownIds()).toEqual(['a']);

      client.setVisible(true);
      await pass();
      api.tell('b');
      await pass();
      expect(shownIds()).toEqual(['b']);
      expect(client.state.connection).toBe('live');
    });

    it('keeps it where the page comes back soon', async () => {
      await goLive('a');
      client.setVisible(false);
      await pass(5 * SECOND);
      client.setVisible(true);
      await pass(20 * SECOND);
      expect(api.callsToStream).toHaveLength(1);
    });

    it('begins when it is shown', async () => {
      client.setVisible(false);
      client.start();
      await pass();
      expect(api.calls).toHaveLength(0);
      client.setVisible(true);
      await pass();
      expect(api.calls).toHaveLength(1);
    });
  });

  it('tries at once when the network is back', async () => {
    api.answers = { stream: refuse, list: refuse };
    client.start();
    await pass(300 * SECOND);
    api.answers = {};
    client.hurry();
    await pass();
    api.tell('a');
    await pass();
    expect(client.state.connection).toBe('live');
    client.hurry();
    await pass();
    expect(api.openStreams).toBe(1);
  });

  it('ends everything when stopped', async () => {
    await goLive('a');
    client.stop();
    await pass();
    expect(api.openStreams).toBe(0);
    const calls = api.calls.length;
    await pass(600 * SECOND);
    expect(api.calls).toHaveLength(calls);
  });

  describe('dismissing', () => {
    const shown = (id: string) => client.state.alerts!.find((one) => one.id === id)!;
    const calls = () => api.calls.filter(({ method }) => method === 'PATCH').map(({ path }) => path);
    const leaving = () => [...client.state.leaving];

    it('leaves the alert in its place for five seconds, and then lets it go for good', async () => {
      await goLive('b', 'a');
      const dismissal = client.dismiss(shown('a'));
      expect([shownIds(), leaving()]).toEqual([['b', 'a'], ['a']]);
      await pass(5 * SECOND - 1);
      expect([shownIds(), leaving(), calls()]).toEqual([['b', 'a'], ['a'], []]);
      await pass(1);
      expect([shownIds(), leaving(), calls()]).toEqual([['b'], [], ['/api/alerts/a']]);
      expect(await dismissal).toBe('dismissed');
      // What was on its way when it was dismissed.
      api.tell('b', 'a');
      await pass();
      expect(shownIds()).toEqual(['b']);
      expect(client.wasDismissed('a')).toBe(true);
      expect(client.wasDismissed('b')).toBe(false);
    });

    it('can be undone before it is sent', async () => {
      api.open = [alert('a')];
      await goLive('a');
      const dismissal = client.dismiss(shown('a'));
      await pass(4 * SECOND);
      client.undo('a');
      expect(await dismissal).toBe('undone');
      await pass(60 * SECOND);
      expect([shownIds(), leaving(), calls()]).toEqual([['a'], [], []]);
      client.undo('a');
      client.undo('z');
    });

    it('is sent once where it is said twice', async () => {
      await goLive('a');
      const first = client.dismiss(shown('a'));
      await pass(3 * SECOND);
      const second = client.dismiss(shown('a'));
      expect(await first).toBe('undone');
      await pass(5 * SECOND);
      expect(await second).toBe('dismissed');
      expect(calls()).toEqual(['/api/alerts/a']);
    });

    it.each([
      [
        'the page is left',
        () => {
          client.leave();
        },
      ],
      [
        'the element goes',
        () => {
          client.stop();
        },
      ],
    ])('is sent at once where %s, with the token at hand', async (_, leave) => {
      giveToken = () => 'token';
      await goLive('b', 'a');
      void client.dismiss(shown('a'));
      void client.dismiss(shown('b'));
      const asked = tokens.length;
      leave();
      // No time is left for anything that has to be waited for.
      expect(calls()).toEqual(['/api/alerts/a', '/api/alerts/b']);
      expect(tokens).toHaveLength(asked);
      expect(api.calls.at(-1)?.headers).toMatchObject({ Authorization: 'Bearer token' });
    });

    it.each([
      ['ends', []],
      ['becomes graver', [{ ...alert('a'), escalated_date: '2026-11-22T05:12:00.000Z' }]],
    ])('is not sent where the alert %s meanwhile', async (_, list) => {
      await goLive('a');
      const dismissal = client.dismiss(shown('a'));
      api.write(`data: ${JSON.stringify(list)}\n\n`);
      await pass();
      expect(await dismissal).toBe('overtaken');
      expect(leaving()).toEqual([]);
      await pass(60 * SECOND);
      expect(calls()).toEqual([]);
    });

    it('is sent where the alert is only not among those that are listed any more', async () => {
      await goLive('a');
      const dismissal = client.dismiss(shown('a'));
      api.write('event: total\ndata: 3\n\n');
      api.tell('c', 'b');
      await pass(5 * SECOND);
      expect(await dismissal).toBe('dismissed');
      expect(calls()).toEqual(['/api/alerts/a']);
    });

    it.each([
      ['the API fails', status(500)],
      ['it is refused', status(403)],
      ['it is out of reach', refuse],
    ])('brings it back where %s', async (_, answer) => {
      await goLive('b', 'a');
      api.answers.dismiss = answer;
      const dismissal = client.dismiss(shown('a'));
      const failed = expect(dismissal).rejects.toThrow();
      await pass(5 * SECOND);
      await failed;
      expect([shownIds(), leaving()]).toEqual([['b', 'a'], []]);
    });

    it('is done where the alert is gone already', async () => {
      await goLive('a');
      api.answers.dismiss = status(404);
      const dismissal = client.dismiss(shown('a'));
      await pass(5 * SECOND);
      expect(await dismissal).toBe('dismissed');
      expect(shownIds()).toEqual([]);
    });
  });

  describe('of more alerts than are listed', () => {
    it('hears by the stream how many there are, together with the list', async () => {
      client.start();
      await pass();
      api.write('event: total\ndata: 3\n\n');
      api.tell('b', 'a');
      await pass();
      expect(client.state.total).toBe(3);

      // One began that is not listed.
      api.write('event: total\ndata: 4\n\n');
      await pass();
      expect(client.state.total).toBe(4);
      expect(shownIds()).toEqual(['b', 'a']);

      // A list that comes with its total is not shown without it, nor the other way round.
      const list = `data: ${JSON.stringify([alert('a')])}\n\n`;
      api.write(`event: total\ndata: 1\n\n${list.slice(0, 9)}`);
      await pass();
      expect([client.state.total, shownIds()]).toEqual([4, ['b', 'a']]);
      api.write(list.slice(9));
      await pass();
      expect([client.state.total, shownIds()]).toEqual([1, ['a']]);
    });

    it('hears it by polling', async () => {
      api.answers = { stream: refuse, list: () => json([alert('a')], { 'X-Total-Count': '601' }) };
      client.start();
      await pass();
      expect(client.state.total).toBe(601);
    });

    it.each([
      ['does not say it', {}],
      ['may not be heard', { 'X-Total-Count': '' }],
      ['says less than it lists', { 'X-Total-Count': '1' }],
    ])('counts those that are listed where the API %s', async (_, headers: Record<string, string>) => {
      api.answers = { stream: refuse, list: () => json([alert('b'), alert('a')], headers) };
      client.start();
      await pass();
      expect(client.state.total).toBe(2);
    });

    it('counts those no more that are dismissed', async () => {
      client.start();
      await pass();
      api.write('event: total\ndata: 3\n\n');
      api.tell('b', 'a');
      await pass();
      void client.dismiss(client.state.alerts![1]!);
      expect(client.state.total).toBe(3);
      await pass(5 * SECOND);
      expect(client.state.total).toBe(2);
      api.write('event: total\ndata: 2\n\n');
      api.tell('c', 'b');
      await pass();
      expect([client.state.total, shownIds()]).toEqual([2, ['c', 'b']]);
    });
  });

  it('asks for what ended', async () => {
    api.answers.history = () => json([{ ...alert('z'), resolved_reason: 'expired' }]);
    jest.setSystemTime(Date.parse('2026-11-22T05:00:00Z'));
    const ended = await client.history('s-1', 24 * 3600 * SECOND);
    expect(ended).toMatchObject([{ id: 'z', resolved_reason: 'expired' }]);
    expect(api.calls[0]?.query.toString()).toBe(
      'status=resolved&since=2026-11-21T05%3A00%3A00.000Z&limit=50&session_name=s-1',
    );
  });

  describe('with a clock that is wrong', () => {
    const server = Date.parse('2026-11-22T05:00:00Z');
    const dated = () => json([], { Date: new Date(server).toUTCString() });

    it.each([-3, 3])('tells times by the server (%d hours)', async (hours) => {
      jest.setSystemTime(server + hours * 3600 * SECOND);
      api.answers = { stream: refuse, list: dated };
      client.start();
      await pass();
      expect(Math.abs(client.now() - server)).toBeLessThan(2 * SECOND);
      api.answers.list = refuse;
      await pass(10 * SECOND);
      expect(client.state.connection).toBe('down');
      expect(Math.abs(client.state.trueUntil! - server)).toBeLessThan(10 * SECOND);
      await client.history('', 3600 * SECOND).catch(() => undefined);
      const since = Date.parse(api.callsTo('/api/alerts').at(-1)?.query.get('since') ?? '');
      expect(Math.abs(since - server + 3600 * SECOND)).toBeLessThan(30 * SECOND);
    });

    it('takes no notice of seconds, which the header has no more than', async () => {
      jest.setSystemTime(server + 1.4 * SECOND);
      api.answers = { stream: refuse, list: dated };
      client.start();
      await pass();
      expect(client.now()).toBe(Date.now());
    });

    it('does not take a token for over that the server has not', async () => {
      jest.setSystemTime(server + 3 * 3600 * SECOND);
      giveToken = () => jwt('ann', server + 300 * SECOND);
      api.answers.list = dated;
      api.answers.stream = status(503);
      client.start();
      await pass(1 * SECOND);
      delete api.answers.stream;
      await pass(10 * SECOND);
      tokens.length = 0;
      api.tell('a');
      await pass(20 * SECOND);
      api.endStream();
      await pass(5 * SECOND);
      expect(tokens.length).toBeGreaterThan(0);
      expect(tokens.every(({ refresh }) => !refresh)).toBe(true);
    });
  });

  describe('tells the page what only its developer can mend', () => {
    it.each([
      ['address', 'a wrong address', () => ({ list: status(404), stream: status(404) })],
      [
        'address',
        'an address with a page',
        () => ({
          list: () => new Response('<p>', { headers: { 'Content-Type': 'text/html' } }),
          stream: refuse,
        }),
      ],
      ['unauthorized', 'a 401 that stays', () => ({ list: status(401), stream: status(401) })],
    ] as const)('%s: %s', async (kind, _, answers) => {
      api.answers = answers();
      client.start();
      await pass(5 * SECOND);
      expect(new Set(problems)).toEqual(new Set([kind]));
    });

    it('token: getToken throws, or gives none', async () => {
      giveToken = () => {
        throw new Error('not logged in');
      };
      client.start();
      await pass(5 * SECOND);
      expect(new Set(problems)).toEqual(new Set(['token']));
      expect(client.state.connection).toBe('down');

      problems.length = 0;
      giveToken = () => undefined as unknown as string;
      client.reconnect();
      await pass(5 * SECOND);
      expect(new Set(problems)).toEqual(new Set(['token']));
    });

    it.each([
      ['of a server that is away', status(503), []],
      ['of what is out of reach', refuse, []],
    ])('nothing %s', async (_, answer, expected) => {
      api.answers = { list: answer, stream: answer };
      client.start();
      await pass(20 * SECOND);
      expect(problems).toEqual(expected);
    });

    it.each([
      ['answers', true, ['cors']],
      ['is out of reach', false, []],
    ])('cors: where another origin refuses to be read and %s', async (_, answers, expected) => {
      globalThis.fetch = ((address: string, init: RequestInit) =>
        init.mode === 'no-cors' && answers
          ? Promise.resolve(new Response(null))
          : Promise.reject(new TypeError(`Failed to fetch ${address}`))) as typeof fetch;
      client = new AlertsClient(
        { api: 'http://other/api', sessionName: '', credentials: 'omit', getToken: () => '' },
        { change: () => undefined, problem: (kind) => problems.push(kind) },
      );
      client.start();
      await pass(20 * SECOND);
      expect([...new Set(problems)]).toEqual(expected);
    });
  });
});
