import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { AddressParameters } from './address-parameters.js';

const MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

/** What Node's TLS is told of it. */
export type Encryption = Pick<
  ConnectionOptions,
  'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'checkServerIdentity'
>;

/** Whether a connection is encrypted, and by whose word the server is who it says. */
export interface Tls {
  when: 'never' | 'where offered' | 'always';
  /** For a new connection: certificates are replaced. Where one cannot be read now, it is what it was before. */
  options(): Encryption;
}

/**
 * Reads `sslmode` and its files with libpq's meanings, save that `allow` is `prefer`, that none is `disable`, and that
 * without `sslrootcert` Node's own certificates vouch.
 * @see https://www.postgresql.org/docs/current/libpq-ssl.html
 */
export function readTls(given: AddressParameters, problems: string[]): Tls {
  const root = given.valueOf('sslrootcert');
  const mode = given.valueOf('sslmode') ?? (root === 'system' ? 'verify-full' : 'disable');
  const known = MODES.find((one) => one === mode);
  if (!known) problems.push(`${given.nameOf('sslmode')} must be one of ${MODES.join(', ')}`);
  if (root === 'system' && mode !== 'verify-full') {
    problems.push(`${given.nameOf('sslmode')} must be verify-full where sslrootcert is system`);
  }
  if (mode === 'verify-ca' && root === undefined) {
    problems.push(
      `${given.nameOf('sslrootcert')} must name the certificate that vouches for the server: ${given.nameOf('sslmode')} is verify-ca`,
    );
  }
  if ((given.valueOf('sslcert') === undefined) !== (given.valueOf('sslkey') === undefined)) {
    problems.push(`${given.nameOf('sslcert')} and ${given.nameOf('sslkey')} go together: set both or none`);
  }
  if (known === undefined || known === 'disable') return { when: 'never', options: () => ({}) };

  const files = [
    ...(root === undefined || root === 'system' ? [] : [fileOf('ca', 'sslrootcert', given, problems)]),
    ...(given.valueOf('sslcert') === undefined ? [] : [fileOf('cert', 'sslcert', given, problems)]),
    ...(given.valueOf('sslkey') === undefined ? [] : [fileOf('key', 'sslkey', given, problems)]),
  ];
  const isVerified =
    known === 'verify-full' || known === 'verify-ca' || (known === 'require' && root !== undefined);
  return {
    when: known === 'allow' || known === 'prefer' ? 'where offered' : 'always',
    options: () => ({
      ...files.map((read) => read()).reduce((all, one) => ({ ...all, ...one }), {}),
      rejectUnauthorized: isVerified,
      ...(isVerified && known !== 'verify-full' && { checkServerIdentity: () => undefined }),
    }),
  };
}

function fileOf(
  option: 'ca' | 'cert' | 'key',
  name: 'sslrootcert' | 'sslcert' | 'sslkey',
  given: AddressParameters,
  problems: string[],
): () => Encryption {
  const path = given.valueOf(name) ?? '';
  let last = '';
  const read = (): void => {
    last = readFileSync(path, 'utf8');
  };
  try {
    read();
  } catch {
    problems.push(`${given.nameOf(name)} must name a file that can be read`);
  }
  return () => {
    try {
      read();
    } catch {
      // Just being replaced, or gone: the server says whether the last still serves.
    }
    return { [option]: last };
  };
}
