import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AlertmanagerAlert } from './alerts.js';

/** ms since 1970 */
function hourAgo(): number {
  return Date.now() - 3_600_000;
}

/**
 * The answers of an Alertmanager to what reconciling asks, so that faults can be had at will. What a real one
 * answers is for the stack suite.
 */
export class ListingAlertmanager {
  alerts: { alert: AlertmanagerAlert; state: 'active' | 'suppressed' }[] = [];
  startedAt = hourAgo();
  cluster = 'disabled';
  fault: 'none' | 'error' | 'hang up' | 'no json' | 'no list' = 'none';
  /** Done, once, before the list is given. */
  whenAsked: (() => Promise<void>) | undefined;
  readonly queries: string[] = [];
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      const { pathname, search } = new URL(request.url ?? '', 'http://localhost');
      if (this.fault === 'hang up') return void request.socket.destroy();
      if (this.fault === 'error') return void response.writeHead(500).end();
      if (this.fault === 'no json') return void response.end('<html>');
      if (this.fault === 'no list' && pathname.endsWith('/alerts')) return void response.end('{}');
      if (pathname === '/am/api/v2/status') {
        response.end(
          JSON.stringify({
            uptime: new Date(this.startedAt).toISOString(),
            cluster: { status: this.cluster },
          }),
        );
      } else if (pathname === '/am/api/v2/alerts') {
        this.queries.push(search);
        const list = JSON.stringify(
          this.alerts.map(({ alert, state }) => ({
            ...alert,
            status: { state, silencedBy: [], inhibitedBy: [] },
          })),
        );
        const first = this.whenAsked?.() ?? Promise.resolve();
        this.whenAsked = undefined;
        void first.then(() => response.end(list));
      } else {
        response.writeHead(404).end();
      }
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/am/`;
  }

  lists(...alerts: AlertmanagerAlert[]): void {
    this.alerts = alerts.map((alert) => ({ alert, state: 'active' }));
  }

  reset(): void {
    Object.assign(this, { alerts: [], startedAt: hourAgo(), cluster: 'disabled', fault: 'none' });
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => {
        resolve();
      });
      this.server.closeAllConnections();
    });
  }
}
