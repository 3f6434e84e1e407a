/** A connection string that cannot be read; the message is a sentence without its subject, and repeats nothing of it. */
export class AddressError extends Error {}

export const EXAMPLE = 'postgresql://user:password@host:5432/database';

const URI =
  /^postgres(?:ql)?:\/\/(?:(?<account>[^/?#]*)@)?(?<hosts>[^/?#@]*)(?:\/(?<database>[^?#]*))?(?:\?(?<query>[^#]*))?$/;
const HOST = /^(?:\[(?<address>[\da-fA-F:.%]+)\]|(?<name>[^:[\]]*))(?::(?<port>\d*))?$/;
const PAIR =
  /\s*(?<key>[a-z_]+)\s*=\s*(?:'(?<quoted>(?:[^'\\]|\\.)*)'|(?<plain>(?:[^\s'\\]|\\.)*))(?:\s+|$)/sy;

/**
 * The parameters of a connection string under the names that libpq gives them, in either of its two forms.
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
 * @throws AddressError
 */
export function parametersOf(address: string): Map<string, string> {
  return /^\s*[a-z_]+\s*=/.test(address) ? parametersOfPairs(address) : parametersOfUri(address);
}

function parametersOfUri(address: string): Map<string, string> {
  const { account, hosts = '', database, query } = URI.exec(address)?.groups ?? {};
  if (!URI.test(address)) {
    throw new AddressError(
      `must look like ${EXAMPLE}; a /, ?, #, @, : or % in the user or the password is written %2F, %3F, %23, %40, %3A or %25`,
    );
  }
  const parameters = new Map<string, string>();
  const [user, ...password] = account?.split(':') ?? [];
  if (user) parameters.set('user', decoded(user));
  if (password.length > 0) parameters.set('password', decoded(password.join(':')));
  if (hosts !== '') {
    const nodes = hosts.split(',').map(nodeOf);
    parameters.set('host', nodes.map(({ host }) => host).join());
    if (nodes.some(({ port }) => port !== '')) parameters.set('port', nodes.map(({ port }) => port).join());
  }
  if (database) parameters.set('dbname', decoded(database));
  for (const pair of query?.split('&').filter(Boolean) ?? []) {
    const [key = '', value, ...more] = pair.split('=');
    if (value === undefined || more.length > 0) {
      throw new AddressError('must give each parameter after the ? as name=value, with & between');
    }
    parameters.set(decoded(key), decoded(value));
  }
  return parameters;
}

function nodeOf(text: string): { host: string; port: string } {
  const groups = HOST.exec(text)?.groups;
  if (!groups) {
    throw new AddressError(
      'must name each host as host:port, with a number for the port, or [address]:port where it is an IPv6 address; ' +
        'a / in the password is written %2F, a path to a socket too',
    );
  }
  return { host: groups['address'] ?? decoded(groups['name'] ?? ''), port: groups['port'] ?? '' };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AddressError(
      'has a % that begins no character written as % and two hexadecimal digits: write %25',
    );
  }
}

function parametersOfPairs(address: string): Map<string, string> {
  const parameters = new Map<string, string>();
  const text = address.trim();
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < text.length) {
    const groups = PAIR.exec(text)?.groups;
    if (!groups) {
      throw new AddressError(
        "must give each parameter as name=value, with spaces between; a value with spaces stands in '…', and a ' or \\ in it has a \\ before it",
      );
    }
    const value = groups['quoted'] ?? groups['plain'] ?? '';
    parameters.set(groups['key'] ?? '', value.replaceAll(/\\(.)/gs, '$1'));
  }
  return parameters;
}
