import { EventEmitter, getEventListeners } from 'node:events';
import timers from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { AlertsDatabase } from './alerts-database.js';
import { CHANNEL } from './transaction.statements.js';
import { ChangeListener } from './change-listener.service.js';

const LISTEN = `SET idle_session_timeout = 0; LISTEN ${CHANNEL}; SELECT pg_backend_pid() AS backend`;
const CHECK = 'SELECT pg_backend_pid() AS backend';
const LOST = 'The connection that hears of changes was lost';

function sleep<T>(ms?: number, value?: T, { signal }: { signal?: AbortSignal } = {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve(value as T);
    }, ms);
    const abort = (): void => {
      clearTimeout(timer);
      reject(new Error('aborted'));
    };
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort);
  });
}

describe('What hears of changes', () => {
  /** A connection, as pg has it. */
  class Client extends EventEmitter {
    readonly asked: string[] = [];
    isDestroyed = false;
    isReleased = false;
    readonly connection = {
      stream: {
        destroy: () => {
          this.isDestroyed = true;
          this.emit('end');
        },
      },
    };

    query(text: string): Promise<unknown> {
      this.asked.push(text);
      return answer(text);
    }
  }

  let clients: Client[];
  let answer: (text: string) => Promise<unknown>;
  let dataSource: { isInitialized: boolean; createQueryRunner: jest.Mock };
  let listener: ChangeListener;
  let heard: string[][];
  let states: boolean[];
  let warnings: unknown[];
  let errors: unknown[];
  let ping: (id: string) => Promise<void>;

  beforeEach(() => {
    jest.useFakeTimers();
    // jest's clock moves only those that call back.
    jest.spyOn(timers, 'setTimeout').mockImplementation(sleep);
    [clients, heard, states, warnings, errors] = [[], [], [], [], []];
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((line: unknown) => warnings.push(line));
    jest.spyOn(Logger.prototype, 'error').mockImplementation((line: unknown) => errors.push(line));
    jest.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
    answer = (text) => Promise.resolve(text === LISTEN ? [{ rows: [] }, rowsOf(7)] : rowsOf(7));
    dataSource = {
      isInitialized: true,
      createQueryRunner: jest.fn(() => {
        const client = new Client();
        clients.push(client);
        return {
          connect: () => Promise.resolve(client),
          release: () => {
            client.isReleased = true;
            return Promise.resolve();
          },
        };
      }),
    };
    ping = (id) => {
      clients.at(-1)?.emit('notification', { channel: CHANNEL, payload: `ping ${id}` });
      return Promise.resolve();
    };
    const database = { process: 'ours', ping: (id: string) => ping(id) };
    listener = new ChangeListener(dataSource as unknown as DataSource, database as unknown as AlertsDatabase);
    listener.notices.subscribe((userIds) => heard.push(userIds));
    listener.isListening.subscribe((isListening) => states.push(isListening));
  });
  afterEach(async () => {
    await listener.beforeApplicationShutdown();
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  const settle = () => jest.advanceTimersByTimeAsync(0);
  const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

  function rowsOf(backend: number): { rows: unknown[] } {
    return { rows: [{ backend: `${backend}` }] };
  }

  async function start(): Promise<Client> {
    listener.onApplicationBootstrap();
    await settle();
    return clients[0]!;
  }

  it('listens on a connection of its own, and says which process serves it', async () => {
    expect(listener.listeningBackend).toBeUndefined();
    const client = await start();
    expect(client.asked).toEqual([LISTEN]);
    expect(states).toEqual([false, true]);
    expect([listener.listeningBackend, listener.isMoved]).toEqual([7, false]);
  });

  it('tells whose alerts another replica has changed', async () => {
    const client = await start();
    client.emit('notification', { channel: CHANNEL, payload: 'theirs jane bob' });
    client.emit('notification', { channel: CHANNEL, payload: 'ours ann' });
    client.emit('notification', { channel: 'another', payload: 'theirs ann' });
    client.emit('notification', { channel: CHANNEL });
    expect(heard).toEqual([['jane', 'bob'], []]);
  });

  it('stops listening before it gives the connection back', async () => {
    const client = await start();
    await listener.beforeApplicationShutdown();
    expect(client.asked).toEqual([LISTEN, `UNLISTEN ${CHANNEL}; RESET idle_session_timeout`]);
    expect([client.isReleased, client.isDestroyed]).toEqual([true, false]);
    expect([states, warnings]).toEqual([[false, true, false], []]);
    client.emit('notification', { channel: CHANNEL, payload: 'theirs jane' });
    expect(heard).toEqual([]);
    await pass(60_000);
    expect(clients).toHaveLength(1);
  });

  it('stops as well while it is being connected', async () => {
    let connect: (client: Client) => void = () => undefined;
    const client = new Client();
    dataSource.createQueryRunner.mockReturnValueOnce({
      connect: () => new Promise<Client>((resolve) => (connect = resolve)),
      release: () => Promise.resolve(),
    });
    listener.onApplicationBootstrap();
    const stopped = listener.beforeApplicationShutdown();
    connect(client);
    await stopped;
    expect(client.asked.at(-1)).toMatch(/^UNLISTEN /);
  });

  it.each(['end', 'error'])('makes a lost connection again: %s', async (event) => {
    const client = await start();
    client.emit(event);
    await settle();
    expect([client.isDestroyed, client.isReleased, listener.listeningBackend]).toEqual([
      true,
      true,
      undefined,
    ]);
    expect(states).toEqual([false, true, false]);
    expect(warnings).toEqual([`${LOST}; making it again`]);
    await pass(99);
    expect(clients).toHaveLength(1);
    await pass(1);
    expect([clients.length, states.at(-1)]).toEqual([2, true]);
  });

  it('leaves nothing behind of the connections that it has lost', async () => {
    await start();
    for (let time = 0; time < 5; time += 1) {
      clients.at(-1)!.emit('end');
      await pass(100);
    }
    expect(clients).toHaveLength(6);
    expect(getEventListeners(listener['stopping'].signal, 'abort')).toHaveLength(1);
  });

  it('waits longer each time it fails, up to a second, and says nothing', async () => {
    answer = () => Promise.reject(new Error('away'));
    await start();
    const tries: number[] = [];
    for (let time = 0; time < 200; time += 1) {
      const before = clients.length;
      await pass(100);
      if (clients.length > before) tries.push((time + 1) * 100);
    }
    expect(tries.slice(0, 6)).toEqual([200, 600, 1_400, 2_400, 3_400, 4_400]);
    expect(tries.at(-1)).toBe(19_400);
    expect(clients.every(({ isReleased }) => isReleased)).toBe(true);
    expect([warnings, new Set(states)]).toEqual([[], new Set([false])]);
  });

  it('asks for no connection before there is a database', async () => {
    dataSource.isInitialized = false;
    await start();
    expect(clients).toEqual([]);
    dataSource.isInitialized = true;
    await pass(200);
    expect(states.at(-1)).toBe(true);
  });

  it('asks every 15 s whether the connection is served, and by whom', async () => {
    const client = await start();
    await pass(14_999);
    expect(client.asked).toEqual([LISTEN]);
    await pass(1);
    expect(client.asked).toEqual([LISTEN, CHECK]);
    expect([listener.listeningBackend, listener.isMoved]).toEqual([7, false]);
    answer = () => Promise.resolve(rowsOf(8));
    await pass(15_000);
    expect([listener.listeningBackend, listener.isMoved]).toEqual([8, true]);
    await pass(15_000);
    expect([listener.listeningBackend, listener.isMoved]).toEqual([8, false]);
    expect([clients.length, states.at(-1)]).toEqual([1, true]);
  });

  it('makes a connection again on which a check fails', async () => {
    const client = await start();
    answer = (text) => (text === CHECK ? Promise.reject(new Error('away')) : Promise.resolve(rowsOf(9)));
    await pass(15_000);
    expect([client.isDestroyed, warnings]).toEqual([true, [`${LOST}; making it again`]]);
    await pass(100);
    expect([clients.length, listener.listeningBackend, listener.isMoved]).toEqual([2, 9, false]);
  });

  it('makes a connection again that has not answered for five seconds', async () => {
    const client = await start();
    answer = () => new Promise(() => undefined);
    await pass(15_000 + 4_999);
    expect([client.isDestroyed, states.at(-1)]).toEqual([false, true]);
    await pass(1);
    expect([client.isDestroyed, states.at(-1)]).toEqual([true, false]);
    answer = () => Promise.resolve(rowsOf(7));
    await pass(100);
    expect(clients).toHaveLength(2);
    await pass(6_000);
    expect(clients[1]!.isDestroyed).toBe(false);
  });

  it('is deaf where its own notices do not come, and goes on trying until they do', async () => {
    const sound = ping;
    ping = () => Promise.resolve();
    await start();
    expect(listener.hearing).toBe('connecting');
    await pass(5_000);
    expect([listener.hearing, new Set(states)]).toEqual(['deaf', new Set([false])]);
    await pass(60_000);
    expect(errors).toEqual([expect.stringMatching(/^Changes are not heard: .*DATABASE_DIRECT_URL/)]);
    expect(clients.length).toBeGreaterThan(3);
    ping = sound;
    await pass(10_000);
    expect([listener.hearing, states.at(-1), warnings]).toEqual(['ok', true, []]);
  });

  it('becomes deaf where they come no more, within twenty seconds', async () => {
    const client = await start();
    const sound = ping;
    ping = () => Promise.resolve();
    await pass(20_000);
    expect([listener.hearing, states.at(-1), client.isDestroyed]).toEqual(['deaf', false, true]);
    ping = sound;
    await pass(200);
    expect([listener.hearing, states.at(-1), clients.length]).toEqual(['ok', true, 2]);
  });

  it.each([
    ['cannot even send', () => Promise.reject(new Error('away'))],
    ['waits for what it sends with', () => new Promise<void>(() => undefined)],
  ])('is not deaf where it %s', async (_what, instead) => {
    await start();
    ping = instead;
    await pass(60_000);
    expect([listener.hearing, clients.length, errors]).toEqual(['ok', 1, []]);
  });

  it('says why it was lost where it cannot even stop listening', async () => {
    const client = await start();
    answer = () => Promise.reject(new Error('away'));
    await listener.beforeApplicationShutdown();
    expect([client.isReleased, warnings]).toEqual([true, [`${LOST}: away`]]);
  });
});
