import { fetchJson } from '../http/fetch-json.js';
import type { AlertmanagerOptions } from '../alerts.module-definition.js';

/** How long Alertmanager may take to answer (ms), and how much it may send (bytes; an alert weighs about 1 kB). */
const TIMEOUT = 20_000;
const LONGEST_ANSWER = 256 * 1024 * 1024;

/** One alert of Alertmanager's own list; its labels and annotations are checked where they are used. */
export interface ListedAlert {
  labels: unknown;
  annotations: unknown;
  fingerprint: unknown;
  startsAt: unknown;
  status?: { state?: unknown } | null;
}

/** What an Alertmanager says of itself. */
export interface AlertmanagerStatus {
  /** When it started, by its own clock (ms since 1970): another time is another process. */
  startedAt: number;
  /** For how long it runs, by its own clock (ms). */
  runningFor: number;
  /** `ready`, `settling` or `disabled` (it runs alone). */
  cluster: string;
  /** Its running configuration in YAML, secrets hidden; empty where it does not tell. */
  config: string;
}

/**
 * Asks one Alertmanager.
 * @see https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
 */
export class AlertmanagerClient {
  constructor(private readonly options: AlertmanagerOptions) {}

  get url(): string {
    return this.options.url;
  }

  async status(signal: AbortSignal): Promise<AlertmanagerStatus> {
    const { body, date } = await this.get('status', signal);
    const status = body as {
      uptime?: unknown;
      cluster?: { status?: unknown } | null;
      config?: { original?: unknown } | null;
    } | null;
    const startedAt = new Date(String(status?.uptime)).getTime();
    const runningFor = date.getTime() - startedAt;
    if (Number.isNaN(runningFor)) throw new Error('its status does not say since when it runs');
    const original = status?.config?.original;
    return {
      startedAt,
      runningFor,
      cluster: String(status?.cluster?.status),
      config: typeof original === 'string' ? original : '',
    };
  }

  /** All alerts that have not ended, also those that a silence or inhibition holds back. */
  async alerts(filter: string[], signal: AbortSignal): Promise<ListedAlert[]> {
    const query = new URLSearchParams(filter.map((matcher): [string, string] => ['filter', matcher]));
    const { body } = await this.get(`alerts?${query.toString()}`, signal);
    if (!Array.isArray(body)) throw new Error('its list of alerts is no list');
    return body.filter((alert): alert is ListedAlert => typeof alert === 'object' && alert !== null);
  }

  private get(path: string, signal: AbortSignal): Promise<{ body: unknown; date: Date }> {
    return fetchJson(`${this.options.url.replace(/\/+$/, '')}/api/v2/${path}`, {
      headers: { Accept: 'application/json', ...this.authorization() },
      timeout: TIMEOUT,
      longest: LONGEST_ANSWER,
      signal,
    });
  }

  private authorization(): Record<string, string> {
    const { bearerToken, basicAuth } = this.options;
    if (bearerToken !== undefined) return { Authorization: `Bearer ${bearerToken}` };
    if (basicAuth === undefined) return {};
    const credentials = Buffer.from(`${basicAuth.username}:${basicAuth.password}`).toString('base64');
    return { Authorization: `Basic ${credentials}` };
  }
}
