import { connect } from 'node:net';
import pg from 'pg';
import type { Encryption } from './address-tls.js';
import { clientOptions, nameOf } from './database-address.js';
import type { DatabaseAddress, DatabaseNode } from './database-address.js';
import { READ_NODE_FACTS } from './node-facts.js';
import type { NodeFacts } from './node-facts.js';

/** How long (ms) a node may take to say what it is, where the address does not say. */
const PATIENCE = 3_000;

/** What asks a server whether it takes encrypted connections, as PostgreSQL's protocol has it. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/**
 * How connections to a node are encrypted, if at all.
 * @throws Error where it does not answer, and the address leaves it to the server
 */
export async function encryptionOf(
  address: DatabaseAddress,
  node: DatabaseNode,
): Promise<Encryption | false> {
  const { tls } = address;
  if (tls.when === 'where offered' && !isSocket(node)) return (await offersTls(node)) && tls.options();
  return encryptionAtOnce(address, node) ?? false;
}

/** The same where nobody has to be asked. */
export function encryptionAtOnce(
  { tls }: DatabaseAddress,
  node: DatabaseNode,
): Encryption | false | undefined {
  if (tls.when === 'never' || isSocket(node)) return false;
  return tls.when === 'always' ? tls.options() : undefined;
}

/** As with libpq, what stays within a machine is not encrypted. */
function isSocket({ host }: DatabaseNode): boolean {
  return host.startsWith('/');
}

/**
 * Asks a node what it is, on a connection of its own.
 * @throws Error that names the node
 */
export async function factsOf(
  address: DatabaseAddress,
  node: DatabaseNode,
  encryption: Encryption | false,
): Promise<NodeFacts> {
  const { extra, username, ...options } = clientOptions(address);
  const patience = Math.min(address.connectTimeout ?? PATIENCE, PATIENCE);
  const client = new pg.Client({
    ...options,
    ...extra,
    ...node,
    user: username,
    ssl: encryption,
    connectionTimeoutMillis: patience,
    query_timeout: patience,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<NodeFacts>(READ_NODE_FACTS);
    if (!rows[0]) throw new Error('It does not say what it is');
    return rows[0];
  } catch (cause) {
    throw new Error(nameOf(node), { cause });
  } finally {
    void client.end().catch(() => undefined);
  }
}

function offersTls(node: DatabaseNode): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => () => {
      socket.destroy();
      reject(new Error(`${nameOf(node)}: ${why}`));
    };
    const socket = connect(node.port, node.host)
      .setTimeout(PATIENCE, fail('It does not answer in time'))
      .once('connect', () => socket.write(SSL_REQUEST))
      .once('data', ([answer]: Buffer) => {
        socket.destroy();
        resolve(answer === 'S'.charCodeAt(0));
      })
      .once('error', (cause) => {
        reject(new Error(nameOf(node), { cause }));
      })
      .once('close', fail('It has closed the connection'));
  });
}
