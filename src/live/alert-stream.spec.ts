import { EventEmitter, once } from 'node:events';
import { createServer, get } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { LONGEST_READ } from '../http/unread-answers.js';
import { AlertStream } from './alert-stream.js';

const ANN = { userId: 'ann', sessionName: undefined, expiresAt: undefined };

describe('A stream whose page does not read', () => {
  let server: Server;
  let stream: AlertStream;
  let response: ServerResponse;
  let page: IncomingMessage;
  const errors: Error[] = [];

  beforeEach(async () => {
    server = createServer((_request, opened) => {
      response = opened.on('error', (error) => errors.push(error));
      stream = new AlertStream(ANN, opened);
      stream.open({});
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const request = get({ host: '127.0.0.1', port, agent: false });
    [page] = (await once(request, 'response')) as [IncomingMessage];
    page.on('error', () => undefined);
    // Until the network takes no more.
    for (let change = 0; response.writableLength === 0; change += 1) {
      stream.showAlerts(JSON.stringify([change, 'x'.repeat(50_000)]), 2);
      await setImmediate();
    }
  });
  afterEach(() => {
    page.destroy();
    server.close();
    errors.length = 0;
  });

  it('says no more once it has ended, and is cut off in the end', async () => {
    stream.end('expired');
    stream.end('expired');
    stream.showAlerts('[]', 0);
    stream.showFeed('{}');
    stream.beatIfSilentSince(Infinity);
    await once(response, 'close');
    expect(errors).toEqual([]);
  });
});

describe('A stream', () => {
  /** Notes what it is told, in place of Node's. */
  class NotedResponse extends EventEmitter {
    head: unknown[] = [];
    text = '';
    isDestroyed = false;
    writableEnded = false;
    writableLength = 0;

    writeHead(...head: unknown[]): void {
      this.head = head;
    }
    write(text: string): void {
      this.text += text;
    }
    end(text = ''): void {
      this.writableEnded = true;
      this.text += text;
    }
    destroy(): void {
      this.isDestroyed = true;
    }
  }

  let response: NotedResponse;
  let stream: AlertStream;

  beforeEach(() => {
    jest.useFakeTimers();
    response = new NotedResponse();
    stream = new AlertStream(ANN, response as unknown as ServerResponse);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it("is opened with the host's headers, and ours, and says how soon to come back", () => {
    stream.open({ 'x-host': 'its', 'cache-control': 'no-store', connection: 'keep-alive' });
    expect(response.head).toEqual([
      200,
      {
        'x-host': 'its',
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store, no-transform',
        'x-accel-buffering': 'no',
        connection: 'close',
      },
    ]);
    expect(response.text).toBe('retry: 2000\n\n');
  });

  it('says what has changed: the number, the list, or both', () => {
    stream.showAlerts('[1]', 1);
    stream.showAlerts('[1]', 1);
    expect(response.text).toBe('event: total\ndata: 1\n\ndata: [1]\n\n');
    response.text = '';
    stream.showAlerts('[1]', 2);
    expect(response.text).toBe('event: total\ndata: 2\n\n');
    response.text = '';
    stream.showAlerts('[2]', 2);
    expect(response.text).toBe('data: [2]\n\n');
    response.text = '';
    stream.showFeed('{"status":"ok"}');
    expect(response.text).toBe('event: feed\ndata: {"status":"ok"}\n\n');
  });

  it('beats only where nothing else has been said since', () => {
    stream.showFeed('{}');
    const saidAt = performance.now();
    response.text = '';
    stream.beatIfSilentSince(saidAt - 1);
    expect(response.text).toBe('');
    jest.advanceTimersByTime(1_000);
    stream.beatIfSilentSince(saidAt);
    stream.beatIfSilentSince(saidAt);
    expect(response.text).toBe(':\n\n');
  });

  it('is cut off when it has had something unread for too long, and not when that was read meanwhile', () => {
    const after = (ms: number, unread: number): boolean => {
      jest.advanceTimersByTime(ms);
      response.writableLength = unread;
      stream.cutIfUnread();
      return response.isDestroyed;
    };
    expect(after(0, 1)).toBe(false);
    expect(after(LONGEST_READ, 2)).toBe(false);
    expect(after(1, 0)).toBe(false);
    expect(after(1, 1)).toBe(false);
    expect(after(LONGEST_READ, 1)).toBe(false);
    expect(after(1, 1)).toBe(true);
  });

  it('is cut off when its page is more than 256 KiB behind', () => {
    response.writableLength = 256 * 1024;
    stream.showFeed('{}');
    expect([response.isDestroyed, response.text]).toEqual([false, 'event: feed\ndata: {}\n\n']);
    response.writableLength += 1;
    stream.showFeed('{}');
    expect([response.isDestroyed, response.text]).toEqual([true, 'event: feed\ndata: {}\n\n']);
  });

  it.each([
    ['without a word', undefined, ''],
    ['with the reason', 'expired' as const, 'event: expired\ndata: {}\n\n'],
  ])('ends %s once, and is cut off where that is not read in 5 s', (_how, why, text) => {
    stream.end(why);
    stream.end('expired');
    expect(response.text).toBe(text);
    jest.advanceTimersByTime(4_999);
    expect(response.isDestroyed).toBe(false);
    jest.advanceTimersByTime(1);
    expect(response.isDestroyed).toBe(true);
  });

  it('is not cut off where it was read to its end', () => {
    stream.end();
    response.emit('close');
    jest.advanceTimersByTime(60_000);
    expect(response.isDestroyed).toBe(false);
    expect(jest.getTimerCount()).toBe(0);
  });
});
