import { TOKEN_ALGORITHMS } from './module-options.js';
import {
  group,
  isHttpUrl,
  isObject,
  list,
  milliseconds,
  oneOf,
  SHORTEST_SECRET,
  text,
  wholeNumber,
  wrong,
} from './option-checks.js';
import { deliverySettings } from './delivery-settings.js';
import type { DeliverySettings } from './delivery-settings.js';
import { EXTRAS, PARTS } from './registration.js';
import type {
  AlertmanagerOptions,
  AlertsModuleOptions,
  FeedOptions,
  GrafanaOptions,
  HostAuthOptions,
  LiveOptions,
  MetricsRegistry,
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
  grafana: GrafanaOptions;
  delivery: DeliverySettings;
  users: Required<UserDirectoryOptions> | undefined;
  metricsRegistry: MetricsRegistry | undefined;
  /** Where nothing is said the DataSource decides. */
  migrate: boolean | undefined;
}
export type ReconcileSettings = Required<Omit<ReconcileOptions, 'receiver'>> &
  Pick<ReconcileOptions, 'receiver'>;
export type TokenSettings = Required<Omit<TokenAuthOptions, 'jwksUri'>> & Pick<TokenAuthOptions, 'jwksUri'>;

export const ALERTS_SETTINGS = Symbol('ALERTS_SETTINGS');

const OPTIONS: Record<keyof AlertsModuleOptions, true> = {
  auth: true,
  webhookRole: true,
  adminRole: true,
  upkeep: true,
  reconcile: true,
  feed: true,
  live: true,
  grafana: true,
  delivery: true,
  users: true,
  metricsRegistry: true,
  migrate: true,
};

/**
 * Checks the options and fills in the defaults.
 * @throws Error with a sentence that says what to set
 */
export function alertsSettings(options: AlertsModuleOptions): AlertsSettings {
  checkPlaces(options);
  const given = group('', options, OPTIONS);
  const { webhookRole = 'alertmanager-webhook', adminRole = 'renku-admin' } = given;
  const { auth, reconcile, users, metricsRegistry, migrate } = given;
  const upkeep = group('upkeep', given.upkeep, {
    expireAfter: true,
    eventTtl: true,
    retention: true,
    interval: true,
  });
  const feed = group('feed', given.feed, { alertname: true, staleAfter: true });
  const live = group('live', given.live, { streams: true, streamsPerUser: true });
  const { secret } = group('grafana', given.grafana, { secret: true });
  return {
    auth: authSettings(auth),
    webhookRole: text('webhookRole', webhookRole),
    adminRole: text('adminRole', adminRole),
    upkeep: {
      expireAfter: milliseconds('upkeep.expireAfter', upkeep.expireAfter ?? 8100),
      eventTtl: milliseconds('upkeep.eventTtl', upkeep.eventTtl ?? 24 * 3600),
      retention: milliseconds('upkeep.retention', upkeep.retention ?? 90 * 24 * 3600),
      interval: milliseconds('upkeep.interval', upkeep.interval ?? 30),
    },
    reconcile: reconcile === undefined ? undefined : reconcileSettings(reconcile),
    feed: {
      alertname: text('feed.alertname', feed.alertname ?? 'Watchdog'),
      staleAfter: milliseconds('feed.staleAfter', feed.staleAfter ?? 600),
    },
    live: {
      streams: wholeNumber('live.streams', live.streams ?? 20_000),
      streamsPerUser: wholeNumber('live.streamsPerUser', live.streamsPerUser ?? 20),
    },
    grafana: secret === undefined ? {} : { secret: grafanaSecret(secret) },
    delivery: deliverySettings(given.delivery),
    users: users === undefined ? undefined : userSettings(users),
    metricsRegistry: metricsRegistry === undefined ? undefined : registry(metricsRegistry),
    migrate: migrate === undefined ? undefined : oneOf('migrate', [true, false] as const, migrate),
  };
}

/** What shapes the module has to be known before a factory is asked. */
function checkPlaces(options: object | undefined): void {
  for (const [name, value] of Object.entries(options ?? {})) {
    if (name in EXTRAS || (name in PARTS && typeof value === 'boolean')) {
      throw wrong(`${name} must stand beside useFactory in forRootAsync, not in what it returns`);
    }
  }
}

function reconcileSettings(options: ReconcileOptions): ReconcileSettings {
  const given = group('reconcile', options, {
    alertmanagers: true,
    filter: true,
    receiver: true,
    interval: true,
    settleTime: true,
  });
  const { filter = ['purpose="renku-session"'], receiver, interval = 60, settleTime = 300 } = given;
  const alertmanagers = list('reconcile.alertmanagers', given.alertmanagers) as AlertmanagerOptions[];
  if (alertmanagers.length === 0) {
    throw wrong('reconcile.alertmanagers must name at least one Alertmanager');
  }
  for (const alertmanager of alertmanagers) checkAlertmanager(alertmanager);
  for (const matcher of list('reconcile.filter', filter)) text('reconcile.filter', matcher);
  if (receiver !== undefined && (typeof receiver !== 'string' || receiver === '')) {
    throw wrong(
      "reconcile.receiver must be the name of Alertmanager's receiver that posts here, or be left out",
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

function checkAlertmanager(options: AlertmanagerOptions): void {
  const names = { url: true, bearerToken: true, basicAuth: true } as const;
  const { url, bearerToken, basicAuth } = group('reconcile.alertmanagers', options, names);
  if (!isHttpUrl(url)) {
    throw wrong("reconcile.alertmanagers must have Alertmanager's http(s) address as url");
  }
  if (bearerToken !== undefined) text('reconcile.alertmanagers.bearerToken', bearerToken);
  if (basicAuth === undefined) return;
  const option = 'reconcile.alertmanagers.basicAuth';
  const { username, password } = group(option, basicAuth, { username: true, password: true });
  text(`${option}.username`, username);
  text(`${option}.password`, password);
}

function userSettings(options: UserDirectoryOptions): Required<UserDirectoryOptions> {
  const { directory, onFailure = 'open' } = group('users', options, { directory: true, onFailure: true });
  if (typeof directory !== 'function') throw wrong('users.directory must be a class of yours');
  return { directory, onFailure: oneOf('users.onFailure', ['open', 'closed'] as const, onFailure) };
}

/** One that cannot be guessed; the value is not repeated. */
function grafanaSecret(secret: unknown): string {
  if (typeof secret === 'string' && secret.length >= SHORTEST_SECRET) return secret;
  throw wrong(`grafana.secret must be a text of at least ${SHORTEST_SECRET} characters, or be left out`);
}

/** By what it can, as there may be several copies of prom-client. */
function registry(value: Partial<MetricsRegistry>): MetricsRegistry {
  if (!isObject(value) || typeof value.getSingleMetric !== 'function') {
    throw wrong("metricsRegistry must be one of prom-client's registries");
  }
  return value as MetricsRegistry;
}

function authSettings(
  auth: Partial<HostAuthOptions> | Partial<TokenAuthOptions> | undefined,
): HostAuthOptions | TokenSettings {
  if (!isObject(auth)) throw wrong('set auth to { issuer: … } or { guard: … }');
  if (!('guard' in auth)) return tokenSettings(auth as Partial<TokenAuthOptions>);
  const { guard, user } = group('auth', auth, { guard: true, user: true });
  if (typeof guard !== 'function') throw wrong('auth.guard must be a guard class of yours');
  if (user !== undefined && typeof user !== 'function') {
    throw wrong('auth.user must be a function that reads who calls from a request');
  }
  return { guard, ...(user && { user }) };
}

function tokenSettings(auth: Partial<TokenAuthOptions>): TokenSettings {
  const names = { issuer: true, jwksUri: true, audience: true, algorithms: true } as const;
  const { issuer, jwksUri, audience = 'renku', algorithms = ['RS256'] } = group('auth', auth, names);
  if (!isHttpUrl(issuer)) {
    throw wrong("set auth.issuer to your issuer's address, e.g. https://host/auth/realms/Renku");
  }
  if (jwksUri !== undefined && !isHttpUrl(jwksUri)) {
    throw wrong("auth.jwksUri must be the http(s) address of the issuer's key set");
  }
  const unknown = list('auth.algorithms', algorithms).filter(
    (algorithm) => !TOKEN_ALGORITHMS.some((known) => known === algorithm),
  );
  if (algorithms.length === 0 || unknown.length > 0) {
    throw wrong(
      `auth.algorithms must be some of ${TOKEN_ALGORITHMS.join(', ')}; got ${unknown.join(', ') || 'none'}`,
    );
  }
  return {
    issuer,
    audience: text('auth.audience', audience),
    algorithms,
    ...(jwksUri !== undefined && { jwksUri }),
  };
}
