import { isHttpUrl } from '../alerts-settings.js';

/** What the standalone server is told by its environment. */
export interface ServerConfig {
  port: number;
  host: string;
  databaseUrl: string;
  databasePoolSize: number;
  issuer: string;
  jwksUri: string | undefined;
  audience: string;
  webhookRole: string;
  adminRole: string;
  /** With a leading slash and no trailing one; empty for none. */
  globalPrefix: string;
  migrateOnStart: boolean;
  /** Bytes. */
  bodyLimit: number;
  logLevel: LogLevelName;
  logFormat: 'json' | 'text';
}

const LOG_LEVELS = ['error', 'warn', 'log', 'debug'] as const;
export type LogLevelName = (typeof LOG_LEVELS)[number];

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

  const config: ServerConfig = {
    port: wholeNumber('PORT', 3000, 0, 65535),
    host: text('HOST', '0.0.0.0'),
    databaseUrl: url('DATABASE_URL', isPostgresUrl, 'postgresql://user:password@host:5432/database', true),
    databasePoolSize: wholeNumber('DATABASE_POOL_SIZE', 10, 1, 1000),
    issuer: url('OIDC_ISSUER', isHttpUrl, 'https://host/auth/realms/Renku', true),
    jwksUri:
      url(
        'OIDC_JWKS_URI',
        isHttpUrl,
        'https://host/auth/realms/Renku/protocol/openid-connect/certs',
        false,
      ) || undefined,
    audience: text('TOKEN_AUDIENCE', 'renku'),
    webhookRole: text('ALERTMANAGER_WEBHOOK_ROLE', 'alertmanager-webhook'),
    adminRole: text('ADMIN_ROLE', 'renku-admin'),
    globalPrefix: prefix('GLOBAL_PREFIX', '/api/data'),
    migrateOnStart: oneOf('MIGRATE_ON_START', ['true', 'false'], 'true') === 'true',
    bodyLimit: wholeNumber('BODY_LIMIT_MB', 32, 1, 1024) * 1024 * 1024,
    logLevel: oneOf('LOG_LEVEL', LOG_LEVELS, 'log'),
    logFormat: oneOf('LOG_FORMAT', ['json', 'text'], 'json'),
  };
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return config;
}

/** The levels from the worst down to the given one, as Nest's loggers take them. */
export function levelsDownTo(level: LogLevelName): LogLevelName[] {
  return LOG_LEVELS.slice(0, LOG_LEVELS.indexOf(level) + 1);
}

function isPostgresUrl(value: string): boolean {
  return /^postgres(ql)?:\/\//.test(value) && URL.canParse(value);
}
