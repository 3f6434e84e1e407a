import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { AlertStream } from './alert-stream.js';

describe('A stream whose page does not read', () => {
  let server: Server;
  let stream: AlertStream;
  let response: ServerResponse;
  let page: IncomingMessage;
  const errors: Error[] = [];

  beforeEach(async () => {
    server = createServer((_request, opened) => {
      response = opened.on('error', (error) => errors.push(error));
      stream = new AlertStream({ userId: 'ann', sessionName: undefined, expiresAt: undefined }, opened);
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
