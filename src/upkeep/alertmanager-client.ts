import { fetchJson } from '../http/fetch-json.js';
import { recordsIn } from '../http/untyped.js';
import type { AlertmanagerOptions } from '../options/module-options.js';

/** How long Alertmanager may take to answer (ms), and how much it may send (bytes; an alert weighs about 1 kB). */
const TIMEOUT = 20_000;
const LONGEST_ANSWER = 256 * 1024 * 1024;

/** One alert of Alertmanager's own list; its labels and annotations are checked where they are used. */
export interface ListedAlert {
  labels: unknown;
  annotations: unknown;
  fingerprint: unknown;
  startsAt: unknown;
  status?: ListedStatus | null;
}

/** Whether Alertmanager notifies about an alert, and what holds it back. */
export interface ListedStatus {
  /** `active`, `suppressed` or `unprocessed`. */
  state?: unknown;
  silencedBy?: unknown;
  /** Names of time intervals. Told with groups only, and only from 0.28 on. */
  mutedBy?: unknown;
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
    const runningFor = (date ?? new Date()).getTime() - startedAt;
    if (Number.isNaN(runningFor)) throw new Error('its status does not say since when it runs');
    const original = status?.config?.original;
    return {
      startedAt,
      runningFor,
      cluster: String(status?.cluster?.status),
      config: typeof original === 'string' ? original : '',
    };
  }

  /** All alerts that have not ended, also those that are withheld or go elsewhere. */
  async alerts(filter: string[], signal: AbortSignal): Promise<ListedAlert[]> {
    const { body } = await this.get(`alerts${asked(queryOf(filter))}`, signal);
    if (!Array.isArray(body)) throw new Error('its list of alerts is no list');
    return body.filter(isListed);
  }

  /**
   * The same as they are grouped for receivers, where an alert occurs once for each route that it takes, with what
   * mutes that route.
   * @param receiver a regular expression that matches the whole name; undefined for all
   */
  async groupedAlerts(
    filter: string[],
    receiver: string | undefined,
    signal: AbortSignal,
  ): Promise<ListedAlert[]> {
    return (await this.groups(filter, receiver, signal)).flat();
  }

  /** The alerts of each group, as they are posted together. */
  async groups(
    filter: string[],
    receiver: string | undefined,
    signal: AbortSignal,
  ): Promise<ListedAlert[][]> {
    const query = queryOf(filter);
    if (receiver !== undefined) query.append('receiver', receiver);
    const { body } = await this.get(`alerts/groups${asked(query)}`, signal);
    if (!Array.isArray(body)) throw new Error('its list of groups is no list');
    return recordsIn(body).map(({ alerts }) => (Array.isArray(alerts) ? alerts.filter(isListed) : []));
  }

  private get(path: string, signal: AbortSignal): ReturnType<typeof fetchJson> {
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

function queryOf(filter: string[]): URLSearchParams {
  return new URLSearchParams(filter.map((matcher): [string, string] => ['filter', matcher]));
}

/** An address's query; Node 20 leaves an empty one out, Node 24 does not. */
function asked(query: URLSearchParams): string {
  return query.size === 0 ? '' : `?${query.toString()}`;
}

function isListed(alert: unknown): alert is ListedAlert {
  return typeof alert === 'object' && alert !== null;
}
