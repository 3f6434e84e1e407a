import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { readParameters } from './address-parameters.js';
import type { AddressParameters } from './address-parameters.js';
import { readTls } from './address-tls.js';
import type { Tls } from './address-tls.js';
import { EXAMPLE } from './connection-string.js';

/** One server of PostgreSQL; its host is a name, an address, or the folder of a Unix socket. */
export interface DatabaseNode {
  host: string;
  port: number;
}

/** As libpq's `target_session_attrs`: which of the nodes is wanted. */
export const TARGETS = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const;
export type Target = (typeof TARGETS)[number];

/** Where a database is, and how it is spoken to. */
export interface DatabaseAddress {
  /** At least one, in the order in which they are tried. */
  nodes: DatabaseNode[];
  target: Target;
  database: string;
  user: string;
  /** Asked anew for each connection where it stands in a file. */
  password: string | (() => Promise<string>) | undefined;
  tls: Tls;
  /** ms; undefined where it is left to us. */
  connectTimeout: number | undefined;
  /** What else PostgreSQL is told at the start of a connection, as `pg` calls it. */
  startup: { application_name: string | undefined; options: string | undefined };
  enableChannelBinding: boolean;
}

/**
 * Reads where a database is, as libpq does: from a connection string, and from libpq's variables what that leaves out.
 * @param variable that holds the connection string; where it ends in `_URL`, one ending in `_PASSWORD_FILE` may name a
 * file with the password
 * @param problems gets sentences that say what to set, and repeat no value
 * @param target of an address that names none
 * @returns undefined where there are problems
 */
export function readDatabaseAddress(
  env: NodeJS.ProcessEnv,
  variable: string,
  problems: string[],
  { target = 'read-write' }: { target?: Target } = {},
): DatabaseAddress | undefined {
  if (!isAddressGiven(env, variable)) {
    problems.push(`${variable} is missing: set it to something like ${EXAMPLE}`);
    return undefined;
  }
  const found: string[] = [];
  const given = readParameters(env, variable, found);
  const address = given && {
    nodes: readNodes(given, found),
    target: readTarget(given, target, found),
    ...readAccount(given, found),
    password: readPassword(env, variable, given, found),
    tls: readTls(given, found),
    connectTimeout: readTimeout(given, found),
    startup: {
      application_name: given.valueOf('application_name'),
      options: given.valueOf('options'),
    },
    enableChannelBinding: given.valueOf('channel_binding') === 'require',
  };
  problems.push(...found);
  return found.length === 0 ? address : undefined;
}

/** Whether anything says where the database is. */
export function isAddressGiven(env: NodeJS.ProcessEnv, variable: string): boolean {
  return Boolean(env[variable] || env['PGHOST']);
}

/**
 * The same of a connection string alone.
 * @throws Error with the sentences
 */
export function databaseAddress(url: string): DatabaseAddress {
  const problems: string[] = [];
  const address = readDatabaseAddress({ DATABASE_URL: url }, 'DATABASE_URL', problems);
  if (!address) throw new Error(problems.join('\n'));
  return address;
}

/** As TypeORM's DataSource takes it, and in `extra` as `pg` does. */
export function clientOptions(address: DatabaseAddress) {
  const { nodes, user, password, database, tls, connectTimeout, startup, enableChannelBinding } = address;
  const [node] = nodes as [DatabaseNode];
  const isSocket = node.host.startsWith('/');
  return {
    ...node,
    username: user,
    password,
    database,
    ssl: tls.when !== 'always' || isSocket ? false : tls.options(),
    extra: {
      ...(startup.application_name !== undefined && { application_name: startup.application_name }),
      ...(startup.options !== undefined && { options: startup.options }),
      ...(connectTimeout !== undefined && { connectionTimeoutMillis: connectTimeout }),
      enableChannelBinding,
    },
  };
}

/** How people call the nodes: `host:port`, with commas between. */
export function namesOf({ nodes }: DatabaseAddress): string {
  return nodes.map(nameOf).join();
}

export function nameOf({ host, port }: DatabaseNode): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function readNodes(given: AddressParameters, problems: string[]): DatabaseNode[] {
  const hosts = (given.valueOf('host') ?? '').split(',').map((host) => host.trim() || 'localhost');
  const ports = (given.valueOf('port') ?? '').split(',').map((port) => port.trim() || '5432');
  if (ports.length > 1 && ports.length !== hosts.length) {
    problems.push(`${given.nameOf('port')} must be one port for all hosts, or one for each`);
  }
  if (!ports.every((port) => /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535)) {
    problems.push(
      `${given.nameOf('port')} must be a whole number from 1 to 65535, or several with commas between`,
    );
  }
  if (hosts.some((host) => /[\s@?&=]/.test(host) || (host.includes('/') && !host.startsWith('/')))) {
    problems.push(
      `${given.nameOf('host')} must be names, addresses or paths to the folder of a socket, with commas between`,
    );
  }
  return hosts.map((host, index) => ({ host, port: Number(ports[index] ?? ports[0]) }));
}

function readTarget(given: AddressParameters, otherwise: Target, problems: string[]): Target {
  const value = given.valueOf('target_session_attrs') ?? otherwise;
  const target = TARGETS.find((one) => one === value);
  if (!target) problems.push(`${given.nameOf('target_session_attrs')} must be one of ${TARGETS.join(', ')}`);
  return target ?? otherwise;
}

function readAccount(given: AddressParameters, problems: string[]): { user: string; database: string } {
  const user = given.valueOf('user') ?? ownName();
  if (user === undefined) {
    problems.push(
      `${given.nameOf('user')} is missing beside ${given.nameOf('host')}: set the user who connects`,
    );
  }
  return { user: user ?? '', database: given.valueOf('dbname') ?? user ?? '' };
}

/** Of who runs this process: a container's user need not have one. */
function ownName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

function readPassword(
  env: NodeJS.ProcessEnv,
  variable: string,
  given: AddressParameters,
  problems: string[],
): DatabaseAddress['password'] {
  const file = variable.replace(/(_URL)?$/, '_PASSWORD_FILE');
  const path = env[file];
  const password = given.valueOf('password');
  if (!path) return password;
  if (password !== undefined) {
    problems.push(`${file} and ${given.nameOf('password')} are both set: set one of them`);
    return undefined;
  }
  try {
    readFileSync(path);
  } catch {
    problems.push(`${file} must name a file that can be read`);
  }
  return async () => (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
}

function readTimeout(given: AddressParameters, problems: string[]): number | undefined {
  const value = given.valueOf('connect_timeout');
  if (value === undefined || value === '0') return undefined;
  if (!/^\d{1,4}$/.test(value)) {
    problems.push(`${given.nameOf('connect_timeout')} must be a whole number of seconds up to 9999`);
  }
  return Number(value) * 1000;
}
