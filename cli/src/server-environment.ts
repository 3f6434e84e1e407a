import { isAddressGiven } from 'nestjs-session-alerts/operations';
import { ConfigError, readConfig } from 'session-alerts-server/config';
import type { ServerConfig } from 'session-alerts-server/config';
import { UsageError } from './command-error.js';

/** Stands where the server requires something that a command can do without. */
export const NOT_GIVEN = {
  DATABASE_URL: 'postgresql://not-given@not-given.invalid/',
  OIDC_ISSUER: 'https://not-given.invalid/',
};

/** The server's environment, with these in what it lacks. */
export function withNotGiven(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const read = { ...env };
  if (!isAddressGiven(env, 'DATABASE_URL')) read['DATABASE_URL'] = NOT_GIVEN.DATABASE_URL;
  read['OIDC_ISSUER'] ||= NOT_GIVEN.OIDC_ISSUER;
  return read;
}

/**
 * The server's settings, for a command that needs neither its database nor its issuer.
 * @throws UsageError what is wrong with them
 */
export function serverConfig(env: NodeJS.ProcessEnv): ServerConfig {
  try {
    return readConfig(withNotGiven(env));
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}
