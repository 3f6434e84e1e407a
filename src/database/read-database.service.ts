import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { messagesOf } from '../http/error-messages.js';
import { OnceAMinute } from '../http/once-a-minute.js';
import { AlertsMetrics } from '../metrics/alerts-metrics.service.js';
import type { Count } from '../metrics/alerts-metrics.service.js';
import { ALERTS_DATA_SOURCE, ALERTS_READ_DATA_SOURCE } from '../options/module-options.js';
import { AlertsDatabase } from './alerts-database.js';
import { Connection } from './connection.js';
import { sentenceOf } from './database-problems.js';
import { hasReached, positionOf, READ_POSITION, READ_PRIMARY_POSITION } from './log-position.js';
import type { LogPosition } from './log-position.js';
import { readPrimary, readStandby, STANDBY_UNREACHABLE, untilReached } from './standby-problems.js';
import type { PrimaryState, StandbyState } from './standby-problems.js';
import type { Statement } from './statement.js';

/** How long (ms) a read waits until the standby has what the primary had when it was asked for. */
const PATIENCE = 100;
/** How long (ms) a read may take on the standby, the waiting included, before the primary is asked instead. */
const LONGEST_READ = 1_000;
/** How long (ms) the primary is left alone after it was asked: many who read then cost it no more than some. */
const REST = 5;
/** How often (ms) the standby is looked at, and how long that may take. */
const LOOK_EVERY = 500;
const LONGEST_LOOK = 5_000;

/** Where reads that decide nothing are served just now, and why not by the standby, in sentences that anybody may read. */
export interface ReadsReport {
  from: 'primary' | 'standby';
  problems?: string[];
}

/**
 * Reads that decide nothing, from a standby where there is one. Whoever reads may have been told of anything that was
 * committed before, by whichever process; so the primary is asked first how far its log is, once for all who wait, and a
 * standby's answer counts only where it had replayed as much before it read. Else the primary reads.
 */
@Injectable()
export class ReadDatabase implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ReadDatabase.name);
  private readonly lines = new OnceAMinute((line) => {
    this.logger.warn(line);
  });
  private readonly stopping = new AbortController();
  private readonly reads: Count<'node'>;
  private looking: Promise<void> | undefined;
  /** The last look, and no read since, found the standby as it has to be. */
  private isFit = false;
  private problems: string[] = [];
  private hasSaidPrimary = false;
  private asking: Promise<unknown> = Promise.resolve();
  private nextAnswer: Promise<LogPosition> | undefined;

  constructor(
    @Inject(ALERTS_DATA_SOURCE) private readonly primary: DataSource,
    @Inject(ALERTS_READ_DATA_SOURCE) private readonly standby: DataSource | undefined,
    private readonly database: AlertsDatabase,
    metrics: AlertsMetrics,
  ) {
    this.reads = metrics.counter(
      'session_alerts_reads_total',
      'Reads of what users are listed, by the node of the database that served them',
      'node',
    );
  }

  onApplicationBootstrap(): void {
    if (this.standby) this.looking = this.lookAt(this.standby);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.looking;
  }

  /** Undefined where no standby is named. */
  get report(): ReadsReport | undefined {
    if (!this.standby) return undefined;
    const { problems } = this;
    return { from: this.isFit ? 'standby' : 'primary', ...(problems.length > 0 && { problems }) };
  }

  /**
   * The rows are no older than anything that was committed before they were asked for.
   * @throws DatabaseUnavailableError
   */
  async query<Row>(statement: Statement): Promise<Row[]> {
    const rows = this.standby && this.isFit ? await this.read(this.standby, statement) : undefined;
    if (rows) return rows as Row[];
    const fromPrimary = await this.database.query<Row>(statement);
    this.reads.inc({ node: 'primary' });
    return fromPrimary;
  }

  /** Nothing where the primary has to be asked instead. */
  private async read(standby: DataSource, statement: Statement): Promise<unknown[] | undefined> {
    const wanted = await this.askPrimary().catch(() => undefined);
    if (!wanted) return undefined;
    try {
      const rows = await inTime(LONGEST_READ, readFrom(standby, statement, wanted));
      if (!rows) this.isFit = false;
      else this.reads.inc({ node: 'standby' });
      return rows;
    } catch (error) {
      this.isFit = false;
      this.lines.say('failed', (count) => `Reads failed on the standby (${count}): ${messagesOf(error)}`);
      return undefined;
    }
  }

  /** How far the primary's log is, asked after the call; those who come while it is asked wait for the next answer. */
  private askPrimary(): Promise<LogPosition> {
    this.nextAnswer ??= this.asking.then(() => {
      this.nextAnswer = undefined;
      const answer = this.database.query(READ_PRIMARY_POSITION).then(([row]) => positionOf(row));
      this.asking = answer.then(rest, rest);
      return answer;
    });
    return this.nextAnswer;
  }

  private async lookAt(standby: DataSource): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      // What the primary lacks, others say.
      const primary = this.primary.isInitialized
        ? await readPrimary(this.primary).catch(() => undefined)
        : undefined;
      if (primary) this.judge(await this.stateOf(standby, primary));
      else this.isFit = false;
      await sleep(LOOK_EVERY, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async stateOf(standby: DataSource, primary: PrimaryState): Promise<StandbyState> {
    try {
      if (!standby.isInitialized) await standby.initialize();
      return await inTime(LONGEST_LOOK, readStandby(standby, primary));
    } catch (error) {
      this.lines.say('unreachable', () => `The standby cannot be asked: ${messagesOf(error)}`);
      return { problems: [STANDBY_UNREACHABLE], isStandby: true, lag: Infinity };
    }
  }

  private judge({ problems, isStandby, lag }: StandbyState): void {
    const sentences = problems.map(sentenceOf);
    for (const sentence of sentences) this.lines.say(sentence, () => `The primary serves reads: ${sentence}`);
    if (sentences.length === 0 && this.problems.length > 0)
      this.logger.log('The standby can serve reads again');
    if (!isStandby && !this.hasSaidPrimary) {
      this.hasSaidPrimary = true;
      this.logger.warn('The address for reading leads to the primary: reads from there relieve nobody');
    }
    this.problems = sentences;
    this.isFit = sentences.length === 0 && lag <= PATIENCE;
  }
}

function rest(): Promise<void> {
  return sleep(REST);
}

async function readFrom(
  standby: DataSource,
  statement: Statement,
  wanted: LogPosition,
): Promise<unknown[] | undefined> {
  const runner = standby.createQueryRunner();
  try {
    const connection = await Connection.of(runner);
    const [position = [], rows = []] = await connection.send([READ_POSITION, statement]);
    if (hasReached(positionOf(position[0]), wanted)) return rows;
    const lag = await untilReached(connection, wanted, PATIENCE);
    return lag === undefined ? undefined : await connection.query(statement);
  } finally {
    await runner.release();
  }
}

/** @throws Error it takes too long */
async function inTime<T>(longest: number, read: Promise<T>): Promise<T> {
  read.catch(() => undefined);
  const ending = new AbortController();
  const late = sleep(longest, undefined, { signal: ending.signal }).then(() => {
    throw new Error(`the standby did not answer within ${longest} ms`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([read, late]);
  } finally {
    ending.abort();
  }
}
