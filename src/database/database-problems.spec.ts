import type { Connection } from './connection.js';
import { findProblems, sentenceOf } from './database-problems.js';

/** What a database that lacks nothing tells, one row a table. */
const SOUND = {
  versionNumber: '150000',
  version: '15.0',
  encoding: 'UTF8',
  isStandby: false,
  backend: '100',
  mark: 'ours',
  isThere: true,
  mayUseSchema: true,
  lacks: null,
};

class AnsweringConnection {
  isDiscarded = false;

  constructor(
    readonly mark: string | undefined,
    private readonly facts: Partial<typeof SOUND>,
  ) {}

  askOne(): Promise<unknown[]> {
    return Promise.resolve([{ ...SOUND, ...this.facts, table: 'alerts' }]);
  }

  discard(): void {
    this.isDiscarded = true;
  }
}

async function problems(
  facts: Partial<typeof SOUND>,
  listeningBackend?: number,
  mark: string | undefined = 'ours',
) {
  const connection = new AnsweringConnection(mark, facts);
  const found = await findProblems(connection as unknown as Connection, listeningBackend, {
    mayBeShared: false,
  });
  return { sentences: found.map(sentenceOf), isDiscarded: connection.isDiscarded };
}

describe('A database that answers', () => {
  it('can serve from PostgreSQL 15 on', async () => {
    expect(await problems({})).toEqual({ sentences: [], isDiscarded: false });
    const { sentences } = await problems({ versionNumber: '140022', version: '14.22' });
    expect(sentences).toEqual(['PostgreSQL 14.22 is too old. Upgrade it to 15 or later.']);
  });

  it.each([
    ['the connection no longer has what it was given', { mark: 'of another' }, undefined],
    ['the process that serves the one that listens has served this one', {}, 100],
  ])('is behind a pooler that shares connections where %s', async (_what, facts, listeningBackend) => {
    const { sentences, isDiscarded } = await problems(facts, listeningBackend);
    expect(sentences).toEqual([expect.stringMatching(/shares connections.*pool_mode = session/)]);
    expect(isDiscarded).toBe(true);
  });
});
