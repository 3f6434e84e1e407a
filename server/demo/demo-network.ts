import { request as ask } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';

/** `away`: nothing answers; `stream-blocked`: all but the event stream does; `slow`: a second there, and one back. */
export const NETWORKS = ['normal', 'slow', 'stream-blocked', 'away'] as const;
export type Network = (typeof NETWORKS)[number];

/** Of a slow network, each way (ms). */
const LATENCY = 1_000;
/** What comes below it goes to the address without it. */
const PREFIX = '/demo';

/** The way from the demo's panels to the API, which can be made bad. Other callers know the API's own address. */
export class DemoNetwork {
  private now: Network = 'normal';
  private readonly underWay = new Set<ServerResponse>();

  get state(): Network {
    return this.now;
  }

  /** Whatever is under way is cut off, as by a network that changes. */
  become(network: Network): void {
    this.now = network;
    for (const response of this.underWay) response.destroy();
  }

  /** Passes a request on to the API, if it is a panel's; otherwise it is left alone. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const { url = '' } = request;
    if (!url.startsWith(`${PREFIX}/api/`)) return false;
    this.underWay.add(response);
    response.once('close', () => this.underWay.delete(response));
    if (this.now === 'away') {
      response.destroy();
    } else if (this.now !== 'stream-blocked' || !url.includes('/alerts/stream')) {
      void this.pass(request, response, this.now === 'slow' ? LATENCY : 0);
    }
    return true;
  }

  private async pass(request: IncomingMessage, response: ServerResponse, latency: number): Promise<void> {
    const { url = '', method = 'GET', headers, socket } = request;
    await wait(latency);
    if (response.destroyed) return;
    const passed = ask({
      host: socket.localAddress,
      port: socket.localPort,
      path: url.slice(PREFIX.length),
      method,
      headers,
    });
    passed.once('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      pipeline(answer, delay(latency), response).catch(() => response.destroy());
    });
    passed.once('error', () => response.destroy());
    response.once('close', () => passed.destroy());
    await pipeline(request, passed).catch(() => response.destroy());
  }
}

function delay(latency: number): Transform {
  return new Transform({
    transform: (chunk, _encoding, done) => {
      setTimeout(done, latency, null, chunk);
    },
  });
}
