import pg from 'pg';
import type { Encryption } from './address-tls.js';
import type { Destination, WayToDatabase } from './way-to-database.js';

const ways = new WeakMap<object, WayToDatabase>();

/**
 * A connection that is cut off in the very packet that completes it has no listener: its pool has handed it out,
 * TypeORM has not taken it. The error would end the process; the pool discards the connection all the same.
 */
export class GuardedClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}

/** Of a pool whose connections lead where its way leads. */
export function clientOn(way: WayToDatabase): typeof pg.Client {
  return class extends GuardedClient {
    override connect(): Promise<pg.Client>;
    override connect(callback: (error?: Error) => void): void;
    override connect(callback?: (error?: Error) => void): Promise<pg.Client> | undefined {
      if (!callback) {
        return new Promise((resolve, reject) => {
          this.connect((error) => {
            if (error) reject(error);
            else resolve(this);
          });
        });
      }
      way.add(this);
      ways.set(this, way);
      const end = (error?: Error): void => {
        if (error) {
          way.forget();
          way.remove(this);
        }
        callback(error);
      };
      const go = (destination: Destination): void => {
        direct(this, destination);
        super.connect(end);
      };
      if (way.destination) go(way.destination);
      else void way.find().then(go, end);
      return undefined;
    }
  };
}

/** What we use of `pg` past its types. */
interface UnconnectedClient {
  host: string;
  port: number;
  ssl: Encryption | false;
  connectionParameters: { host: string; port: number };
  connection: { ssl: Encryption | false };
}

/** Says where to connect to, before that is done. */
function direct(client: pg.Client, { node, encryption }: Destination): void {
  const unconnected = client as unknown as UnconnectedClient;
  Object.assign(unconnected, node, { ssl: encryption });
  Object.assign(unconnected.connectionParameters, node);
  unconnected.connection.ssl = encryption;
}

/** Lets nobody use this connection or those made before it: its node is no longer what it was. */
export function leaveNodeOf(client: object): void {
  ways.get(client)?.leave();
}
