import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { RetryLaterException } from './http-exceptions.js';
import { Standstill } from './standstill.service.js';

describe('A process that stands still', () => {
  let standstill: Standstill;

  beforeEach(() => {
    standstill = new Standstill();
  });
  afterEach(() => {
    standstill.onModuleDestroy();
    jest.useRealTimers();
  });

  it('knows it when it goes on, and for half a minute', () => {
    jest.useFakeTimers();
    let moment = 0;
    const now = jest.spyOn(performance, 'now').mockImplementation(() => moment);
    const goOn = (seconds: number): void => {
      for (let left = seconds; left > 0; left--) {
        moment += 1_000;
        jest.advanceTimersByTime(500);
      }
    };
    standstill.onModuleInit();
    goOn(60);
    expect(standstill.isRecent).toBe(false);
    // No timer runs while it stands.
    moment += 10_000;
    expect(standstill.isRecent).toBe(true);
    goOn(30);
    expect(standstill.isRecent).toBe(true);
    goOn(2);
    expect(standstill.isRecent).toBe(false);
    now.mockRestore();
  });

  describe('asks of a request', () => {
    let server: Server;
    let client: Socket;
    let request: IncomingMessage;

    beforeEach(async () => {
      server = createServer();
      await once(server.listen(0, '127.0.0.1'), 'listening');
      client = connect((server.address() as AddressInfo).port, '127.0.0.1');
      client.on('error', () => undefined);
      client.write('POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n{}');
      [request] = (await once(server, 'request')) as [IncomingMessage];
      request.resume();
      await once(request, 'end');
    });
    afterEach(async () => {
      client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });

    it('whether somebody waits for the answer', async () => {
      await expect(standstill.refuseAbandoned(request)).resolves.toBeUndefined();
    });

    it.each<[string, () => void]>([
      ['closed', () => client.end()],
      ['cut', () => client.resetAndDestroy()],
    ])('whether its connection was %s', async (_how, leave) => {
      leave();
      await once(client, 'close');
      await expect(standstill.refuseAbandoned(request)).rejects.toThrow(RetryLaterException);
    });
  });
});
