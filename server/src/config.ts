import { readFileSync } from 'node:fs';
import { TOKEN_ALGORITHMS } from 'nestjs-session-alerts';
import type {
  DeliveryOptions,
  FeedOptions,
  GrafanaOptions,
  LiveOptions,
  ReconcileOptions,
  TokenAlgorithm,
  UpkeepOptions,
} from 'nestjs-session-alerts';
import {
  isDuration,
  isHttpUrl,
  parseDuration,
  readDatabaseAddress,
  SHORTEST_SECRET,
} from 'nestjs-session-alerts/operations';
import type { DatabaseAddress } from 'nestjs-session-alerts/operations';

/** What the standalone server is told by its environment. */
export interface ServerConfig {
  port: number;
  host: string;
  databaseAddress: DatabaseAddress;
  /** Past every pooler that shares connections between transactions; undefined where there is none. */
  databaseDirectAddress: DatabaseAddress | undefined;
  /** Leads to hot standbys; undefined where the primary serves all. */
  databaseReadAddress: DatabaseAddress | undefined;
  /** Connections to each of the first and the last. */
  databasePoolSize: number;
  issuer: string;
  jwksUri: string | undefined;
  audience: string;
  algorithms: TokenAlgorithm[];
  webhookRole: string;
  adminRole: string;
  /** With a leading slash and no trailing one; empty for none. */
  globalPrefix: string;
  /** Whose pages may use the API from another origin. */
  corsOrigins: string[];
  migrateOnStart: boolean;
  /** Bytes. */
  bodyLimit: number;
  /** Of the request line and all headers together, in bytes. */
  headerLimit: number;
  upkeep: Required<UpkeepOptions>;
  feed: Required<FeedOptions>;
  live: Required<LiveOptions>;
  grafana: GrafanaOptions;
  delivery: DeliveryOptions;
  /** Undefined where no Alertmanager is named. */
  reconcile: ReconcileOptions | undefined;
  logLevel: LogLevelName;
  logFormat: 'json' | 'text';
  /** Whether the log has a line of every request. */
  accessLog: boolean;
}

const SEVERITIES = ['critical', 'error', 'warning', 'info'] as const;
const LOG_LEVELS = ['error', 'warn', 'log', 'debug'] as const;
export type LogLevelName = (typeof LOG_LEVELS)[number];
/** What most others call Nest's level `log`. */
const INFO = 'info';

/** Hearing of changes, upkeep and reconciling may hold a connection each at once; requests need some besides. */
const LEAST_POOL_SIZE = 5;

/** The environment cannot be served with; the message says, line by line, what to set. */
export class ConfigError extends Error {}

/**
 * Reads and checks the environment.
 * @throws ConfigError
 */
export function readConfig(env: NodeJS.ProcessEnv): ServerConfig {
  const problems: string[] = [];

  const text = (name: string, fallback: string): string => env[name] || fallback;
  const wholeNumber = (name: string, fallback: number, lowest: number, highest: number): number => {
    const value = env[name] ? Number(env[name]) : fallback;
    if (!Number.isInteger(value) || value < lowest || value > highest) {
      problems.push(`${name} must be a whole number from ${lowest} to ${highest}, not "${env[name] ?? ''}"`);
    }
    return value;
  };
  const oneOf = <T extends string>(name: string, values: readonly T[], fallback: T): T => {
    const value = env[name] || fallback;
    const found = values.find((one) => one === value);
    if (found === undefined) problems.push(`${name} must be one of ${values.join(', ')}, not "${value}"`);
    return found ?? fallback;
  };
  const url = (
    name: string,
    test: (value: string) => boolean,
    example: string,
    required: boolean,
  ): string => {
    const value = env[name] ?? '';
    if (value === '' && required) problems.push(`${name} is missing: set it to something like ${example}`);
    // The value itself may hold a password: it is not repeated.
    if (value !== '' && !test(value)) problems.push(`${name} must look like ${example}`);
    return value;
  };
  const prefix = (name: string, fallback: string): string => {
    const value = (env[name] ?? fallback).replace(/^\/+|\/+$/g, '');
    if (!/^[\w\-./~]*$/.test(value)) problems.push(`${name} must be a path like /api/data, not "${value}"`);
    return value && `/${value}`;
  };

  const seconds = (name: string, fallback: string): number => {
    const value = parseDuration(text(name, fallback));
    if (value === undefined || !isDuration(value)) {
      problems.push(
        `${name} must be a duration from 1s to 100y, like 90s, 2h15m or 90d, not "${env[name] ?? ''}"`,
      );
    }
    return value ?? 1;
  };
  const secretFile = (name: string): string | undefined => {
    const path = env[name];
    if (!path) return undefined;
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      problems.push(`${name} must name a file that can be read, not "${path}"`);
      return undefined;
    }
  };
  const grafana = (): GrafanaOptions => {
    const secret = secretFile('GRAFANA_WEBHOOK_SECRET_FILE');
    if (secret === undefined) return {};
    if (secret.length < SHORTEST_SECRET) {
      problems.push(
        `GRAFANA_WEBHOOK_SECRET_FILE must hold a secret of at least ${SHORTEST_SECRET} characters, such as \`openssl rand -hex 32\` makes`,
      );
    }
    return { secret };
  };
  const delivery = (): DeliveryOptions => {
    const sessionUrl = text('SESSION_URL', '');
    const publicUrl = url('PUBLIC_URL', isHttpUrl, 'https://host/api/data', false);
    const server = smtpServer();
    const from = text('MAIL_FROM', '');
    const ca = secretFile('SMTP_CA_FILE');
    const publicKey = text('WEB_PUSH_PUBLIC_KEY', '');
    const privateKey = secretFile('WEB_PUSH_PRIVATE_KEY_FILE');
    const subject = text('WEB_PUSH_SUBJECT', '');
    const webhookUrl = url('DELIVERY_WEBHOOK_URL', isHttpUrl, 'https://bridge.example.org/alerts', false);
    const webhookSecret = secretFile('DELIVERY_WEBHOOK_SECRET_FILE');
    together({ SMTP_URL: server !== '', MAIL_FROM: from !== '' });
    if (server !== '' && publicUrl === '')
      problems.push('PUBLIC_URL is missing: mail says there how it is turned off');
    together({
      WEB_PUSH_PUBLIC_KEY: publicKey !== '',
      WEB_PUSH_PRIVATE_KEY_FILE: privateKey !== undefined,
      WEB_PUSH_SUBJECT: subject !== '',
    });
    together({
      DELIVERY_WEBHOOK_URL: webhookUrl !== '',
      DELIVERY_WEBHOOK_SECRET_FILE: webhookSecret !== undefined,
    });
    return {
      grace: seconds('DELIVERY_GRACE', '2m'),
      perHour: wholeNumber('DELIVERY_PER_HOUR', 20, 1, 1000),
      ...(sessionUrl !== '' && { sessionUrl }),
      ...(publicUrl !== '' && { publicUrl }),
      ...(server !== '' && from !== '' && { email: { server, from, ...(ca !== undefined && { ca }) } }),
      ...(privateKey !== undefined && {
        webPush: { subject, publicKey, privateKey, services: list('WEB_PUSH_SERVICES', '') },
      }),
      ...(webhookSecret !== undefined && {
        webhook: {
          url: webhookUrl,
          secret: webhookSecret,
          severity: oneOf('DELIVERY_WEBHOOK_SEVERITY', SEVERITIES, 'info'),
        },
      }),
    };
  };
  const together = (given: Record<string, boolean>): void => {
    const names = Object.keys(given);
    if (new Set(Object.values(given)).size > 1)
      problems.push(`${names.join(', ')} go together: set all or none`);
  };
  /** The password may stand in a file of its own. */
  const smtpServer = (): string => {
    const address = url('SMTP_URL', isSmtpUrl, 'smtp://user@host:587', false);
    const password = secretFile('SMTP_PASSWORD_FILE');
    if (password === undefined || !isSmtpUrl(address)) return address;
    const parsed = new URL(address);
    parsed.password = encodeURIComponent(password);
    return parsed.href;
  };
  const list = (name: string, fallback: string): string[] =>
    text(name, fallback)
      .split(/[\s,]+/)
      .filter(Boolean);
  const origins = (name: string): string[] => {
    const values = list(name, '');
    const wrong = values.filter((value) => !isOrigin(value));
    if (wrong.length > 0) {
      problems.push(
        `${name} must be origins as browsers send them, like https://sessions.example.org or http://localhost:5173, with commas between, not "${wrong.join(', ')}"`,
      );
    }
    return values;
  };
  const algorithms = (): TokenAlgorithm[] => {
    const names = list('TOKEN_ALGORITHMS', 'RS256');
    const known = TOKEN_ALGORITHMS.filter((algorithm) => names.includes(algorithm));
    if (names.length === 0 || names.some((name) => !known.some((algorithm) => algorithm === name))) {
      problems.push(
        `TOKEN_ALGORITHMS must be some of ${TOKEN_ALGORITHMS.join(', ')}, not "${env['TOKEN_ALGORITHMS'] ?? ''}"`,
      );
    }
    return known;
  };
  const log = (): Pick<ServerConfig, 'logLevel' | 'logFormat' | 'accessLog'> => {
    const level = oneOf('LOG_LEVEL', [...LOG_LEVELS, INFO], 'log');
    const logLevel = level === INFO ? 'log' : level;
    const accessLog = oneOf('ACCESS_LOG', ['true', 'false'], 'false') === 'true';
    if (accessLog && !levelsDownTo(logLevel).includes('log')) {
      problems.push('ACCESS_LOG=true writes lines of the level log: set LOG_LEVEL to log, info or debug');
    }
    return { logLevel, logFormat: oneOf('LOG_FORMAT', ['json', 'text'], 'json'), accessLog };
  };
  const reconcile = (): ReconcileOptions | undefined => {
    const urls = list('ALERTMANAGER_URLS', '');
    const interval = seconds('RECONCILE_INTERVAL', '60s');
    const settleTime = seconds('RECONCILE_SETTLE_TIME', '5m');
    const bearerToken = secretFile('ALERTMANAGER_BEARER_TOKEN_FILE');
    const password = secretFile('ALERTMANAGER_PASSWORD_FILE');
    const username = text('ALERTMANAGER_USERNAME', '');
    if ((username === '') !== (password === undefined)) {
      problems.push('ALERTMANAGER_USERNAME and ALERTMANAGER_PASSWORD_FILE go together: set both or none');
    }
    if (!urls.every(isHttpUrl)) {
      problems.push('ALERTMANAGER_URLS must be addresses like http://alertmanager:9093, with commas between');
    }
    // They are named in the log, and fetch refuses them.
    if (urls.some((url) => URL.canParse(url) && new URL(url).password !== '')) {
      problems.push(
        'ALERTMANAGER_URLS must hold no password: set ALERTMANAGER_USERNAME and ALERTMANAGER_PASSWORD_FILE instead',
      );
    }
    if (urls.length === 0) return undefined;
    return {
      alertmanagers: urls.map((url) => ({
        url,
        ...(bearerToken !== undefined && { bearerToken }),
        ...(password !== undefined && { basicAuth: { username, password } }),
      })),
      filter: text('RECONCILE_FILTER', 'purpose="renku-session"').split(/\s*;\s*/),
      receiver: text('RECONCILE_RECEIVER', 'renku-webhook'),
      interval,
      settleTime,
    };
  };

  const config: ServerConfig = {
    port: wholeNumber('PORT', 3000, 0, 65535),
    host: text('HOST', '0.0.0.0'),
    // Where there is none, there are problems.
    databaseAddress: readDatabaseAddress(env, 'DATABASE_URL', problems) as DatabaseAddress,
    databaseDirectAddress: env['DATABASE_DIRECT_URL']
      ? readDatabaseAddress(env, 'DATABASE_DIRECT_URL', problems)
      : undefined,
    databaseReadAddress: env['DATABASE_READ_URL']
      ? readDatabaseAddress(env, 'DATABASE_READ_URL', problems, { target: 'prefer-standby' })
      : undefined,
    databasePoolSize: wholeNumber('DATABASE_POOL_SIZE', 10, LEAST_POOL_SIZE, 1000),
    issuer: url('OIDC_ISSUER', isHttpUrl, 'https://host/auth/realms/Renku', true),
    jwksUri:
      url(
        'OIDC_JWKS_URI',
        isHttpUrl,
        'https://host/auth/realms/Renku/protocol/openid-connect/certs',
        false,
      ) || undefined,
    audience: text('TOKEN_AUDIENCE', 'renku'),
    algorithms: algorithms(),
    webhookRole: text('ALERTMANAGER_WEBHOOK_ROLE', 'alertmanager-webhook'),
    adminRole: text('ADMIN_ROLE', 'renku-admin'),
    globalPrefix: prefix('GLOBAL_PREFIX', '/api/data'),
    corsOrigins: origins('CORS_ORIGINS'),
    migrateOnStart: oneOf('MIGRATE_ON_START', ['true', 'false'], 'true') === 'true',
    bodyLimit: wholeNumber('BODY_LIMIT_MB', 32, 1, 1024) * 1024 * 1024,
    headerLimit: wholeNumber('HEADER_LIMIT_KB', 64, 8, 1024) * 1024,
    upkeep: {
      expireAfter: seconds('EXPIRE_AFTER', '2h15m'),
      eventTtl: seconds('EVENT_TTL', '24h'),
      retention: seconds('RETENTION', '90d'),
      interval: seconds('UPKEEP_INTERVAL', '30s'),
    },
    feed: {
      alertname: text('WATCHDOG_ALERTNAME', 'Watchdog'),
      staleAfter: seconds('FEED_STALE_AFTER', '10m'),
    },
    live: {
      streams: wholeNumber('STREAMS', 20_000, 1, 1_000_000),
      streamsPerUser: wholeNumber('STREAMS_PER_USER', 20, 1, 10_000),
    },
    grafana: grafana(),
    delivery: delivery(),
    reconcile: reconcile(),
    ...log(),
  };
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return config;
}

/** The levels from the worst down to the given one, as Nest's loggers take them. */
export function levelsDownTo(level: LogLevelName): LogLevelName[] {
  return LOG_LEVELS.slice(0, LOG_LEVELS.indexOf(level) + 1);
}

/** Browsers write one in one way only: in lower case, without a path or the port that goes without saying. */
function isOrigin(value: string): boolean {
  return isHttpUrl(value) && new URL(value).origin === value && !value.includes('*');
}

function isSmtpUrl(value: string): boolean {
  return /^smtps?:\/\/[^/]/.test(value) && URL.canParse(value);
}
