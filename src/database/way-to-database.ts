import type pg from 'pg';
import type { Encryption } from './address-tls.js';
import type { DatabaseAddress, DatabaseNode, Target } from './database-address.js';
import { firstInTurn } from './first-in-turn.js';
import { isFit, UnfitNodeError } from './node-facts.js';
import type { NodeFacts } from './node-facts.js';
import { encryptionAtOnce, encryptionOf, factsOf } from './node-scout.js';

/** How often the way is looked at while there are connections (ms). */
const LOOK_EVERY = 2_000;
/** How long a node may take before the next is asked as well (ms). */
const PATIENCE = 250;

/** A node, and how it is spoken to. */
export interface Destination {
  node: DatabaseNode;
  encryption: Encryption | false;
}

interface Found extends Destination {
  facts: NodeFacts;
}

/**
 * Where the connections of one pool lead: all to one node, which is what the address asks for. As soon as the address
 * is known to lead elsewhere, those that were made before are cut off, lest they go on reading what is no longer true.
 */
export class WayToDatabase {
  private readonly clients = new Set<pg.Client>();
  private last: Destination | undefined;
  private looking: Promise<Destination> | undefined;
  /** Of the node that the last connection was made to. */
  private startedAt: string | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** @param isWatched whether it is looked where the address leads while there are connections */
  constructor(
    private readonly address: DatabaseAddress,
    private readonly isWatched: boolean,
  ) {}

  /** Where a new connection is to be made, if that is known without asking. */
  get destination(): Destination | undefined {
    const { nodes } = this.address;
    const node = nodes.length === 1 ? nodes[0] : this.last?.node;
    if (!node) return undefined;
    const encryption = encryptionAtOnce(this.address, node) ?? this.last?.encryption;
    return encryption === undefined ? undefined : { node, encryption };
  }

  /**
   * The same by asking the nodes; those who want to know at the same time ask once.
   * @throws UnfitNodeError, AggregateError
   */
  find(): Promise<Destination> {
    this.looking ??= this.findNow().finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  /** A connection that is about to be made. */
  add(client: pg.Client): void {
    this.clients.add(client);
    client.once('end', () => {
      this.remove(client);
    });
    if (this.isWatched && this.wantsPrimary && !this.timer) this.watch();
  }

  /** One that could not be made, or has ended. */
  remove(client: pg.Client): void {
    this.clients.delete(client);
    if (this.clients.size > 0) return;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Lets the next connection look for its node. */
  forget(): void {
    this.last = undefined;
  }

  /**
   * What a new connection says of the node that it leads to.
   * @throws UnfitNodeError
   */
  meet(client: pg.ClientBase, facts: NodeFacts): void {
    if (!isFit(facts, this.address.target)) {
      this.forget();
      throw new UnfitNodeError(this.address.target);
    }
    this.learn(facts, client);
  }

  /** Cuts off every connection but one: the node has turned out to be another than it was. */
  leave(newest?: pg.ClientBase): void {
    for (const client of this.clients) {
      if (client !== newest) cutOff(client);
    }
  }

  private learn({ startedAt }: NodeFacts, newest?: pg.ClientBase): void {
    const isAnother = this.startedAt !== undefined && this.startedAt !== startedAt;
    this.startedAt = startedAt;
    if (isAnother && this.wantsPrimary) this.leave(newest);
  }

  /** There is one primary, while standbys may take turns. */
  private get wantsPrimary(): boolean {
    return this.address.target === 'read-write' || this.address.target === 'primary';
  }

  private async findNow(): Promise<Destination> {
    const [node, ...others] = this.address.nodes;
    if (node && others.length === 0) {
      return (this.last = { node, encryption: await encryptionOf(this.address, node) });
    }
    return (this.last = await this.ask());
  }

  private async ask(): Promise<Found> {
    const { target } = this.address;
    if (target !== 'prefer-standby') return this.askFor(target);
    return this.askFor('standby').catch(() => this.askFor('any'));
  }

  private async askFor(target: Target): Promise<Found> {
    const { nodes } = this.address;
    try {
      return await firstInTurn(
        nodes.map((node) => async () => {
          const encryption = await encryptionOf(this.address, node);
          const facts = await factsOf(this.address, node, encryption);
          if (!isFit(facts, target)) throw new UnfitNodeError(target);
          return { node, encryption, facts };
        }),
        PATIENCE,
      );
    } catch (error) {
      const { errors } = error as AggregateError;
      if (!errors.some((one) => one instanceof UnfitNodeError)) throw error;
      throw nodes.length === 1 ? errors[0] : new UnfitNodeError(target, error as AggregateError);
    }
  }

  private watch(): void {
    const timer = setTimeout(() => {
      void this.look().then(() => {
        if (this.timer === timer) this.watch();
      });
    }, LOOK_EVERY).unref();
    this.timer = timer;
  }

  /** A node that does not answer may be too busy for another connection: those that are there decide by themselves. */
  private async look(): Promise<void> {
    try {
      this.last = await this.ask();
    } catch (error) {
      if (error instanceof UnfitNodeError) this.leave();
      return;
    }
    this.learn((this.last as Found).facts);
  }
}

function cutOff(client: pg.Client): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}
