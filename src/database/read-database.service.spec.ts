import timers from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { AlertsMetrics } from '../metrics/alerts-metrics.service.js';
import type { AlertsDatabase } from './alerts-database.js';
import { ReadDatabase } from './read-database.service.js';
import type { Statement } from './statement.js';

const LIST: Statement = { text: 'list' };

function sleep<T>(ms?: number, value?: T, { signal }: { signal?: AbortSignal } = {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      resolve(value as T);
    }, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new Error('aborted'));
    });
  });
}

describe('Reads that decide nothing', () => {
  /** A node of the database, as it answers. */
  class Node {
    readonly asked: string[] = [];
    isInitialized = true;
    system = '1';
    timeline = 1;
    position = 100;
    mayRead: boolean | null = true;
    /** How it fails; what never answers fails never. */
    failure: Error | 'silence' | undefined;

    constructor(
      private readonly name: string,
      readonly isStandby: boolean,
    ) {}

    async initialize(): Promise<void> {
      await this.answer();
      this.isInitialized = true;
    }

    createQueryRunner(): unknown {
      return {
        connect: () => Promise.resolve({ query: (statement: Statement) => this.query(statement) }),
        release: () => Promise.resolve(),
      };
    }

    async query(statement: Statement): Promise<{ rows: unknown[] }> {
      const what = statement.text === LIST.text ? 'list' : statement.name ? 'position' : 'identity';
      this.asked.push(what);
      const { isStandby, timeline, position, system, mayRead } = this;
      await this.answer();
      if (what === 'list') return { rows: [{ from: this.name, position }] };
      if (what === 'identity') return { rows: [{ system, database: '5', mayRead }] };
      return { rows: [{ isStandby, timeline: `0000000${timeline}`, position: `${position}` }] };
    }

    private async answer(): Promise<void> {
      if (this.failure === 'silence') await new Promise(() => undefined);
      if (this.failure) throw this.failure as Error;
    }
  }

  let primary: Node;
  let standby: Node;
  let reads: ReadDatabase;
  let served: string[];
  let lines: string[];

  beforeEach(() => {
    jest.useFakeTimers();
    // jest's clock moves only those that call back.
    jest.spyOn(timers, 'setTimeout').mockImplementation(sleep);
    [served, lines] = [[], []];
    const say = (line: unknown): void => {
      lines.push(String(line));
    };
    jest.spyOn(Logger.prototype, 'log').mockImplementation(say);
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(say);
    primary = new Node('primary', false);
    standby = new Node('standby', true);
    reads = made(standby);
  });
  afterEach(async () => {
    const ended = reads.beforeApplicationShutdown();
    standby.failure = undefined;
    await jest.advanceTimersByTimeAsync(6_000);
    await ended;
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  function made(read: Node | undefined): ReadDatabase {
    const query = async (statement: Statement): Promise<unknown[]> => (await primary.query(statement)).rows;
    return new ReadDatabase(
      primary as unknown as DataSource,
      read as unknown as DataSource | undefined,
      { query } as unknown as AlertsDatabase,
      {
        counter: () => ({ inc: ({ node }: { node: string }) => served.push(node) }),
      } as unknown as AlertsMetrics,
    );
  }

  const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

  async function start(): Promise<void> {
    reads.onApplicationBootstrap();
    await pass(0);
    primary.asked.length = standby.asked.length = 0;
  }

  it("are the primary's where no standby is named, and nothing is said of it", async () => {
    const alone = made(undefined);
    alone.onApplicationBootstrap();
    await pass(1_000);
    expect(await alone.query(LIST)).toEqual([{ from: 'primary', position: 100 }]);
    expect([primary.asked, alone.report]).toEqual([['list'], undefined]);
  });

  it("are the primary's before the standby was looked at", async () => {
    expect(await reads.query(LIST)).toMatchObject([{ from: 'primary' }]);
    expect(reads.report).toEqual({ from: 'primary' });
  });

  it("are the standby's where it has what the primary has", async () => {
    await start();
    expect(await reads.query(LIST)).toMatchObject([{ from: 'standby' }]);
    expect([primary.asked, standby.asked, served]).toEqual([['position'], ['position', 'list'], ['standby']]);
    expect(reads.report).toEqual({ from: 'standby' });
  });

  it('wait for a standby that is a little behind, and read what it has then', async () => {
    await start();
    primary.position = 200;
    const read = reads.query(LIST);
    await pass(20);
    standby.position = 200;
    await pass(20);
    expect(await read).toEqual([{ from: 'standby', position: 200 }]);
  });

  it("are the primary's where the standby stays behind for 100 ms, and stay there until it has caught up", async () => {
    await start();
    primary.position = 200;
    const read = reads.query(LIST);
    await pass(100);
    expect(await read).toEqual([{ from: 'primary', position: 200 }]);
    standby.asked.length = 0;
    expect(await reads.query(LIST)).toMatchObject([{ from: 'primary' }]);
    expect([standby.asked, reads.report]).toEqual([[], { from: 'primary' }]);
    standby.position = 200;
    await pass(1_000);
    expect(await reads.query(LIST)).toMatchObject([{ from: 'standby' }]);
    expect(lines).toEqual([]);
  });

  it('ask the primary once for all who come within 5 ms after it was asked, and anew for those', async () => {
    await start();
    await Promise.all([1, 2, 3].map(() => reads.query(LIST)));
    expect(primary.asked).toEqual(['position']);
    const later = [4, 5].map(() => reads.query(LIST));
    await pass(4);
    expect(primary.asked).toEqual(['position']);
    await pass(1);
    await Promise.all(later);
    expect(primary.asked).toEqual(['position', 'position']);
  });

  it("are the primary's where the standby fails, which is said, and the standby's again at the next look", async () => {
    await start();
    standby.failure = new Error('conflict with recovery');
    expect(await reads.query(LIST)).toMatchObject([{ from: 'primary' }]);
    expect(lines).toEqual([
      expect.stringMatching(/^Reads failed on the standby \(1\): .*conflict with recovery/),
    ]);
    standby.failure = undefined;
    await pass(500);
    expect(await reads.query(LIST)).toMatchObject([{ from: 'standby' }]);
  });

  it("are the primary's within a second where the standby falls silent", async () => {
    await start();
    standby.failure = 'silence';
    const read = reads.query(LIST);
    await pass(1_000);
    expect(await read).toMatchObject([{ from: 'primary' }]);
  });

  it("are the primary's where that cannot say how far it is, and the standby is not to blame", async () => {
    await start();
    primary.failure = new Error('away');
    await expect(reads.query(LIST)).rejects.toThrow('away');
    primary.failure = undefined;
    await pass(5);
    expect(await reads.query(LIST)).toMatchObject([{ from: 'standby' }]);
    expect(lines).toEqual([]);
  });

  it.each<[string, (standby: Node) => void, RegExp]>([
    ['is of another cluster', (node) => (node.system = '2'), /leads to another database/],
    ['is of another timeline', (node) => (node.timeline = 2), /does not follow the primary/],
    ['may not be read', (node) => (node.mayRead = false), /lacks SELECT on session_alerts\.alerts/],
    ['is behind by more than a second', (node) => (node.position = 99), /behind the primary by more than a/],
    ['does not answer', (node) => (node.failure = new Error('refused')), /cannot be reached/],
  ])(
    "are the primary's where the standby %s, as the report and the log say",
    async (_what, spoil, problem) => {
      spoil(standby);
      await start();
      await pass(1_500);
      expect(reads.report).toEqual({ from: 'primary', problems: [expect.stringMatching(problem)] });
      expect(await reads.query(LIST)).toMatchObject([{ from: 'primary' }]);
      expect(lines).toContainEqual(expect.stringMatching(problem));
      expect(lines.length).toBeLessThan(3);
      Object.assign(standby, { system: '1', timeline: 1, mayRead: true, position: 100, failure: undefined });
      await pass(1_500);
      expect(reads.report).toEqual({ from: 'standby' });
      expect(lines.at(-1)).toBe('The standby can serve reads again');
    },
  );

  it("are the primary's, without a word, before the tables are there", async () => {
    standby.mayRead = null;
    await start();
    expect(reads.report).toEqual({ from: 'primary' });
    expect(lines).toEqual([]);
  });

  it('are connected to the standby by themselves, as soon as it is there', async () => {
    standby.isInitialized = false;
    standby.failure = new Error('refused');
    await start();
    standby.failure = undefined;
    await pass(500);
    expect(await reads.query(LIST)).toMatchObject([{ from: 'standby' }]);
  });

  it("are the other node's also where that is a primary, which is said once", async () => {
    Object.assign(standby, { isStandby: false });
    await start();
    await pass(2_000);
    expect(await reads.query(LIST)).toMatchObject([{ from: 'standby' }]);
    expect(lines).toEqual([expect.stringMatching(/leads to the primary/)]);
  });
});
