import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { onceOver } from './once-over.js';

describe('What is to be done once a request is over', () => {
  let server: Server;
  let client: Socket;
  let came: [request: IncomingMessage, response: ServerResponse][];
  const over = jest.fn();

  beforeEach(async () => {
    came = [];
    over.mockClear();
    server = createServer((request, response) => came.push([request, response]));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  });
  afterEach(() => {
    client.destroy();
    server.close();
  });

  /** Sends so many requests on one connection, and waits until all are there. */
  async function ask(count: number): Promise<void> {
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(count));
    while (came.length < count) await setImmediate();
  }

  async function leave(): Promise<void> {
    const [[request]] = came as [[IncomingMessage, ServerResponse]];
    client.destroy();
    while (!request.socket.destroyed) await setImmediate();
    await setImmediate();
  }

  it('adds one listener to a connection, however many requests wait on it', async () => {
    await ask(20);
    const [[{ socket }]] = came as [[IncomingMessage, ServerResponse]];
    const before = socket.listenerCount('close');
    for (const [request, response] of came) onceOver(request, response, over);
    expect(socket.listenerCount('close')).toBe(before + 1);
    await leave();
    expect(over).toHaveBeenCalledTimes(came.length);
  });

  it('is done when it is answered, and not again when the connection ends', async () => {
    await ask(1);
    const [[request, response]] = came as [[IncomingMessage, ServerResponse]];
    onceOver(request, response, over);
    expect(over).not.toHaveBeenCalled();
    response.end('done');
    await once(response, 'close');
    expect(over).toHaveBeenCalledTimes(1);
    await leave();
    expect(over).toHaveBeenCalledTimes(1);
  });

  it('is done when the caller leaves, for every request that waits on the connection', async () => {
    await ask(3);
    for (const [request, response] of came) onceOver(request, response, over);
    await leave();
    expect(over).toHaveBeenCalledTimes(3);
  });

  it('is done at once where the caller has left already', async () => {
    await ask(2);
    await leave();
    for (const [request, response] of came) onceOver(request, response, over);
    expect(over).toHaveBeenCalledTimes(2);
  });
});
