import { TOKEN_ALGORITHMS } from './module-options.js';
import type { Registry } from 'prom-client';
import type {
  AlertsModuleOptions,
  FeedOptions,
  HostAuthOptions,
  LiveOptions,
  ReconcileOptions,
  TokenAuthOptions,
  UpkeepOptions,
  UserDirectoryOptions,
} from './module-options.js';

/** The options with their defaults filled in; durations in ms. */
export interface AlertsSettings {
  auth: HostAuthOptions | TokenSettings;
  webhookRole: string;
  adminRole: string;
  upkeep: Required<UpkeepOptions>;
  reconcile: ReconcileSettings | undefined;
  feed: Required<FeedOptions>;
  live: Required<LiveOptions>;
  users: Required<UserDirectoryOptions> | undefined;
  metricsRegistry: Registry | undefined;
}
export type ReconcileSettings = Required<Omit<ReconcileOptions, 'receiver'>> &
  Pick<ReconcileOptions, 'receiver'>;
export type TokenSettings = Required<Omit<TokenAuthOptions, 'jwksUri'>> & Pick<TokenAuthOptions, 'jwksUri'>;

export const ALERTS_SETTINGS = Symbol('ALERTS_SETTINGS');

/**
 * Checks the options and fills in the defaults.
 * @throws Error with a sentence that says what to set
 */
export function alertsSettings(options: AlertsModuleOptions): AlertsSettings {
  const { auth, webhookRole = 'alertmanager-webhook', adminRole = 'renku-admin' } = options;
  if (!webhookRole) throw new Error('AlertsModule: webhookRole must not be empty');
  if (!adminRole) throw new Error('AlertsModule: adminRole must not be empty');
  const { upkeep = {}, reconcile, feed = {}, live = {}, users, metricsRegistry } = options;
  return {
    auth: authSettings(auth),
    webhookRole,
    adminRole,
    upkeep: {
      expireAfter: milliseconds('upkeep.expireAfter', upkeep.expireAfter ?? 8100),
      eventTtl: milliseconds('upkeep.eventTtl', upkeep.eventTtl ?? 24 * 3600),
      retention: milliseconds('upkeep.retention', upkeep.retention ?? 90 * 24 * 3600),
      interval: milliseconds('upkeep.interval', upkeep.interval ?? 30),
    },
    reconcile: reconcile && reconcileSettings(reconcile),
    feed: {
      alertname: feed.alertname ?? 'Watchdog',
      staleAfter: milliseconds('feed.staleAfter', feed.staleAfter ?? 600),
    },
    live: {
      streams: wholeNumber('live.streams', live.streams ?? 20_000),
      streamsPerUser: wholeNumber('live.streamsPerUser', live.streamsPerUser ?? 20),
    },
    users: users && { onFailure: 'open', ...users },
    metricsRegistry,
  };
}

function reconcileSettings(options: ReconcileOptions): ReconcileSettings {
  const { alertmanagers, filter = ['purpose="renku-session"'], interval = 60, settleTime = 300 } = options;
  const { receiver } = options;
  if (alertmanagers.length === 0) {
    throw new Error('AlertsModule: reconcile.alertmanagers must name at least one Alertmanager');
  }
  for (const { url } of alertmanagers) {
    if (!isHttpUrl(url)) {
      throw new Error(
        "AlertsModule: reconcile.alertmanagers must have Alertmanager's http(s) address as url",
      );
    }
  }
  if (receiver === '') {
    throw new Error(
      "AlertsModule: reconcile.receiver must be the name of Alertmanager's receiver that posts here, or be left out",
    );
  }
  return {
    alertmanagers,
    filter,
    ...(receiver !== undefined && { receiver }),
    interval: milliseconds('reconcile.interval', interval),
    settleTime: milliseconds('reconcile.settleTime', settleTime),
  };
}

function milliseconds(option: string, seconds: number): number {
  if (!isDuration(seconds)) {
    throw new Error(
      `AlertsModule: ${option} must be a number of seconds from ${SHORTEST} to ${LONGEST} (100 years)`,
    );
  }
  return Math.round(seconds * 1000);
}

/** Bounds (s) of every duration that can be set; a year has 365 days. */
const SHORTEST = 1;
const LONGEST = 100 * 365 * 24 * 3600;

/** Whether so many seconds are no busy loop, and now less so many is a moment that everything can hold. */
export function isDuration(seconds: number): boolean {
  return seconds >= SHORTEST && seconds <= LONGEST;
}

function wholeNumber(option: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`AlertsModule: ${option} must be a whole number of at least 1`);
  }
  return value;
}

function authSettings(
  auth: Partial<HostAuthOptions> | Partial<TokenAuthOptions> | undefined,
): HostAuthOptions | TokenSettings {
  if (!auth) throw new Error('AlertsModule: set auth to { issuer: … } or { guard: … }');
  if (!('guard' in auth)) return tokenSettings(auth as Partial<TokenAuthOptions>);
  const { guard, ...rest } = auth;
  if (!guard) throw new Error('AlertsModule: auth.guard must be a guard class of yours');
  return { guard, ...rest };
}

function tokenSettings(auth: Partial<TokenAuthOptions>): TokenSettings {
  const { issuer, jwksUri, audience = 'renku', algorithms = ['RS256'] } = auth;
  if (!isHttpUrl(issuer)) {
    throw new Error(
      "AlertsModule: set auth.issuer to your issuer's address, e.g. https://host/auth/realms/Renku",
    );
  }
  if (jwksUri !== undefined && !isHttpUrl(jwksUri)) {
    throw new Error("AlertsModule: auth.jwksUri must be the http(s) address of the issuer's key set");
  }
  if (!audience) throw new Error('AlertsModule: auth.audience must not be empty');
  const unknown = algorithms.filter((algorithm) => !TOKEN_ALGORITHMS.includes(algorithm));
  if (algorithms.length === 0 || unknown.length > 0) {
    throw new Error(
      `AlertsModule: auth.algorithms must be some of ${TOKEN_ALGORITHMS.join(', ')}; got ${unknown.join(', ') || 'none'}`,
    );
  }
  return { issuer, audience, algorithms, ...(jwksUri !== undefined && { jwksUri }) };
}

export function isHttpUrl(value: unknown): value is string {
  return typeof value === 'string' && /^https?:\/\/\S+$/.test(value) && URL.canParse(value);
}
