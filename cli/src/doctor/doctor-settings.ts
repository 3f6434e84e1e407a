import type { AlertmanagerOptions, DeliveryOptions, TokenAlgorithm } from 'nestjs-session-alerts';
import { isAddressGiven } from 'nestjs-session-alerts/operations';
import type { DatabaseAddress } from 'nestjs-session-alerts/operations';
import { givenSecret } from '../given-secret.js';
import { httpAddress } from '../instance-addresses.js';
import { NOT_GIVEN, withNotGiven } from '../server-environment.js';
import { ConfigError, readConfig } from 'session-alerts-server/config';
import type { ServerConfig } from 'session-alerts-server/config';

/** What doctor is told on the command line. */
export interface DoctorFlags {
  instance?: string;
  apiUrl?: string;
  issuer?: string;
  clientId: string;
  clientSecretFile?: string;
  alertmanagerUrl?: string[];
  prometheusUrl?: string;
}

/** What doctor knows of the chain; what is undefined is not checked. */
export interface DoctorSettings {
  /** What is wrong with the server's environment, a line each. */
  problems: string[];
  /** Our API with its prefix, without a slash at its end. */
  url: string | undefined;
  /** Of PostgreSQL itself. */
  databaseAddress: DatabaseAddress | undefined;
  /** Of what stands before it, where the server goes through that. */
  poolerAddress: DatabaseAddress | undefined;
  databaseReadAddress: DatabaseAddress | undefined;
  /** As it stands in the tokens' `iss`. */
  issuer: string | undefined;
  jwksUri: string | undefined;
  audience: string;
  /** At least one. */
  algorithms: TokenAlgorithm[];
  webhookRole: string;
  adminRole: string;
  clientId: string;
  clientSecret: string | undefined;
  alertmanagers: AlertmanagerOptions[];
  /** Of those that post here, where the server reconciles. */
  reconcileReceiver: string | undefined;
  /** Without a slash at its end. */
  prometheusUrl: string | undefined;
  /** Seconds. */
  expireAfter: number;
  /** Seconds for `staleAfter`. */
  watchdog: { alertname: string; staleAfter: number };
  delivery: DeliveryOptions;
}

/**
 * Reads the command line and the server's environment. What is wrong with the environment is a finding; what is
 * wrong with the command line is not.
 * @throws UsageError
 */
export function readDoctorSettings(flags: DoctorFlags, env: NodeJS.ProcessEnv): DoctorSettings {
  const { config, problems, isDatabaseGiven } = readServerConfig(env);
  const given = (name: keyof typeof NOT_GIVEN, value: string): string | undefined =>
    value === NOT_GIVEN[name] ? undefined : value;
  const flag = (option: string, value: string | undefined): string | undefined =>
    value === undefined ? undefined : httpAddress(option, value);
  const instance = flag('--instance', flags.instance);
  const ofInstance = (path: string): string | undefined =>
    instance === undefined ? undefined : instance + path;
  const alertmanagers = config.reconcile?.alertmanagers ?? [];
  const { databaseAddress, databaseDirectAddress: directAddress } = config;
  const flagged = flags.alertmanagerUrl?.map((value) => {
    const url = httpAddress('--alertmanager-url', value);
    // The environment's credentials are for the environment's addresses alone.
    return alertmanagers.find((one) => one.url === url) ?? { url };
  });
  return {
    problems,
    url: flag('--api-url', flags.apiUrl) ?? ofInstance('/api/data'),
    databaseReadAddress: config.databaseReadAddress,
    databaseAddress: isDatabaseGiven ? (directAddress ?? databaseAddress) : undefined,
    poolerAddress: isDatabaseGiven && directAddress ? databaseAddress : undefined,
    issuer:
      issuerAddress(flags.issuer) ?? given('OIDC_ISSUER', config.issuer) ?? ofInstance('/auth/realms/Renku'),
    jwksUri: config.jwksUri,
    audience: config.audience,
    algorithms: config.algorithms,
    webhookRole: config.webhookRole,
    adminRole: config.adminRole,
    clientId: flags.clientId,
    clientSecret: givenSecret(env, {
      file: flags.clientSecretFile,
      option: '--client-secret-file',
      variable: 'ALERTMANAGER_CLIENT_SECRET',
    }),
    alertmanagers: flagged ?? alertmanagers,
    reconcileReceiver: config.reconcile?.receiver,
    prometheusUrl: flag('--prometheus-url', flags.prometheusUrl),
    expireAfter: config.upkeep.expireAfter,
    watchdog: config.feed,
    delivery: config.delivery,
  };
}

/** As it was written, as in the environment: tokens name their issuer to the letter, slash and all. */
function issuerAddress(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  httpAddress('--issuer', value);
  return value;
}

interface ReadConfig {
  config: ServerConfig;
  problems: string[];
  isDatabaseGiven: boolean;
}

function readServerConfig(env: NodeJS.ProcessEnv): ReadConfig {
  const read = withNotGiven(env);
  const problems = credentialProblems(env);
  try {
    if (problems.length === 0) {
      return { config: readConfig(read), problems, isDatabaseGiven: isAddressGiven(env, 'DATABASE_URL') };
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.message.split('\n'));
  }
  // The rest of the chain is looked at with what is right.
  const wrong = new Set(problems.flatMap((problem) => problem.match(/[A-Z][A-Z_]+[A-Z]/g) ?? []));
  const sound = Object.fromEntries(Object.entries(env).filter(([name]) => !wrong.has(name)));
  const rest = readServerConfig(sound);
  return { ...rest, problems: [...problems, ...rest.problems] };
}

/** Addresses with a password in them cannot be fetched from, and would be printed. */
function credentialProblems(env: NodeJS.ProcessEnv): string[] {
  return ['OIDC_ISSUER', 'OIDC_JWKS_URI', 'ALERTMANAGER_URLS']
    .filter((name) => (env[name] ?? '').split(/[\s,]+/).some(hasCredentials))
    .map((name) => `${name} must hold no user and password`);
}

function hasCredentials(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { username, password } = new URL(url);
  return username !== '' || password !== '';
}
