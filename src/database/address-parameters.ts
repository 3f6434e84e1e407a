import { AddressError, parametersOf } from './connection-string.js';

/** A parameter's environment variable, as libpq reads it where the connection string leaves it out. */
const VARIABLES = {
  host: 'PGHOST',
  port: 'PGPORT',
  dbname: 'PGDATABASE',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  target_session_attrs: 'PGTARGETSESSIONATTRS',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  application_name: 'PGAPPNAME',
  options: 'PGOPTIONS',
  channel_binding: 'PGCHANNELBINDING',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
} as const;

/** Known to libpq, and of no effect here: what they are about we set ourselves, or `pg` does not have. */
const WITHOUT_EFFECT = [
  'client_encoding',
  'fallback_application_name',
  'gssencmode',
  'keepalives',
  'keepalives_count',
  'keepalives_idle',
  'keepalives_interval',
  'tcp_user_timeout',
  'uselibpqcompat',
];

/** Known to libpq, and asking for what we cannot do. */
const UNSUPPORTED = [
  'gssdelegation',
  'gsslib',
  'hostaddr',
  'krbsrvname',
  'load_balance_hosts',
  'passfile',
  'replication',
  'require_auth',
  'requirepeer',
  'service',
  'ssl_max_protocol_version',
  'ssl_min_protocol_version',
  'sslcertmode',
  'sslcompression',
  'sslcrl',
  'sslcrldir',
  'sslnegotiation',
  'sslpassword',
  'sslsni',
];

type ParameterName = keyof typeof VARIABLES;

/** What a connection string and libpq's variables say together. */
export interface AddressParameters {
  /** Undefined where it is given nowhere, or is empty. */
  valueOf(name: ParameterName): string | undefined;
  /** How a sentence names the place to set it. */
  nameOf(name: ParameterName): string;
}

/**
 * @param variable that holds the connection string, if it is set
 * @param problems gets sentences that say what to set
 * @returns undefined where the connection string cannot be read
 */
export function readParameters(
  env: NodeJS.ProcessEnv,
  variable: string,
  problems: string[],
): AddressParameters | undefined {
  const given = env[variable] ?? '';
  let parameters = new Map<string, string>();
  try {
    if (given !== '') parameters = parametersOf(given);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    problems.push(`${variable} ${error.message}`);
    return undefined;
  }
  readSsl(parameters, variable, problems);
  for (const name of parameters.keys()) {
    if (name in VARIABLES || WITHOUT_EFFECT.includes(name)) continue;
    if (UNSUPPORTED.includes(name)) {
      problems.push(`${variable} has the parameter ${name}, which is not supported here: leave it out`);
    } else {
      // Not named: it may be a part of the password.
      problems.push(
        `${variable} has a parameter that is not known: leave it out. Known are ${Object.keys(VARIABLES).join(', ')}; ` +
          'a ? or & in the user or the password is written %3F or %26',
      );
    }
  }
  return {
    valueOf: (name) => parameters.get(name) || env[VARIABLES[name]] || undefined,
    nameOf: (name) => {
      const isInString = parameters.get(name) || (given !== '' && !env[VARIABLES[name]]);
      return isInString ? `${name} in ${variable}` : VARIABLES[name];
    },
  };
}

/** What other drivers write for `sslmode`; libpq knows this much of it. */
function readSsl(parameters: Map<string, string>, variable: string, problems: string[]): void {
  const ssl = parameters.get('ssl');
  parameters.delete('ssl');
  if (ssl === undefined) return;
  if (ssl !== 'true') problems.push(`ssl in ${variable} must be true, or better left out for sslmode`);
  else if (!parameters.has('sslmode')) parameters.set('sslmode', 'require');
}
