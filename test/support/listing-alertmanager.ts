import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AlertmanagerAlert } from './alerts.js';

/** ms since 1970 */
function hourAgo(): number {
  return Date.now() - 3_600_000;
}

/** An alert as Alertmanager holds it. */
export interface HeldAlert {
  alert: AlertmanagerAlert;
  /** Default: nothing withholds it. */
  withheld?: 'silenced' | 'inhibited' | 'muted';
  /** The receivers that it goes to. Default: that of the deployment's files. */
  receivers?: string[];
}

/**
 * The answers of an Alertmanager to what reconciling asks, so that faults can be had at will. What a real one
 * answers is for the stack suite.
 */
export class ListingAlertmanager {
  alerts: HeldAlert[] = [];
  /** Its configuration; it is empty where nobody reads it. */
  config = '';
  /** Whether it says which alerts time intervals mute: from 0.28 on. */
  tellsMuted = true;
  startedAt = hourAgo();
  statusCalls = 0;
  cluster = 'disabled';
  fault: 'none' | 'error' | 'hang up' | 'no json' | 'no list' | 'no groups' = 'none';
  /** Done, once, before the list is given. */
  whenAsked: (() => Promise<void>) | undefined;
  /** Those of the list of alerts, and of the groups. */
  readonly queries: string[] = [];
  readonly groupQueries: string[] = [];
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      const { pathname, search } = new URL(request.url ?? '', 'http://localhost');
      if (this.fault === 'hang up') return void request.socket.destroy();
      if (this.fault === 'error') return void response.writeHead(500).end();
      if (this.fault === 'no json') return void response.end('<html>');
      if (this.fault === 'no list' && pathname.endsWith('/alerts')) return void response.end('{}');
      if (this.fault === 'no groups' && pathname.endsWith('/groups')) return void response.end('{}');
      if (pathname === '/am/api/v2/status') {
        this.statusCalls += 1;
        response.end(
          JSON.stringify({
            uptime: new Date(this.startedAt).toISOString(),
            cluster: { status: this.cluster },
            config: { original: this.config },
          }),
        );
      } else if (pathname === '/am/api/v2/alerts/groups') {
        this.groupQueries.push(search);
        const receiver = new RegExp(`^(?:${new URLSearchParams(search).get('receiver') ?? '.*'})$`);
        response.end(
          JSON.stringify(
            this.alerts.flatMap((held) =>
              (held.receivers ?? ['renku-webhook'])
                .filter((name) => receiver.test(name))
                .map((name) => ({ receiver: { name }, alerts: [this.tell(held, true)] })),
            ),
          ),
        );
      } else if (pathname === '/am/api/v2/alerts') {
        this.queries.push(search);
        const list = JSON.stringify(this.alerts.map((held) => this.tell(held, false)));
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
    this.alerts = alerts.map((alert) => ({ alert }));
  }

  reset(): void {
    Object.assign(this, {
      alerts: [],
      config: '',
      tellsMuted: true,
      startedAt: hourAgo(),
      cluster: 'disabled',
      fault: 'none',
    });
  }

  /** Time intervals show in groups alone, as they are of routes. */
  private tell({ alert, withheld, receivers = ['renku-webhook'] }: HeldAlert, isGrouped: boolean): object {
    const isMuted = withheld === 'muted' && isGrouped && this.tellsMuted;
    const isHeld = withheld === 'silenced' || withheld === 'inhibited' || isMuted;
    return {
      ...alert,
      receivers: receivers.map((name) => ({ name })),
      status: {
        state: isHeld ? 'suppressed' : 'active',
        silencedBy: withheld === 'silenced' ? ['a silence'] : [],
        inhibitedBy: withheld === 'inhibited' ? ['another alert'] : [],
        ...(this.tellsMuted && { mutedBy: isMuted ? ['nights'] : [] }),
      },
    };
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
