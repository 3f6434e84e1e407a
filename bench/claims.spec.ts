import { atLeast, atMost, claimsOf, medianRatio } from './claims.js';
import type { Claim } from './claims.js';
import type { ListingFigure } from './listing.js';
import { reportOf } from './report.js';
import type { Results } from './results.js';
import type { ServerName } from './target-process.js';
import type { WalFigure } from './wal-figures.js';
import { KINDS } from './webhook-bodies.js';
import type { Kind } from './webhook-bodies.js';
import type { WebhookFigure } from './webhook-figures.js';
import type { TargetName } from './webhook-target.js';

const ROUNDS = [1, 1.1, 0.9, 1.2, 0.8];

/** Five rounds in which the machine is now slower, now faster, for all alike. */
function rounds(value: number): number[] {
  return ROUNDS.map((mood) => mood * value);
}

/** How fast each target is, by size, connections and kind. */
type Speed = (target: TargetName, size: number, connections: number, kind: Kind) => number;

function webhooks(speed: Speed): WebhookFigure[] {
  const targets: TargetName[] = ['fastify', 'against', 'bare', 'floor'];
  return [1, 100].flatMap((size) =>
    [1, 8, 32].flatMap((connections) =>
      targets.flatMap((target) =>
        KINDS.map((kind) => ({
          ...{ target, size, connections, kind, serverCpu: [], databaseCpu: [] },
          alertsPerSecond: rounds(speed(target, size, connections, kind)),
        })),
      ),
    ),
  );
}

function listing(speed: (target: ServerName) => number): ListingFigure[] {
  const targets: ServerName[] = ['fastify', 'against', 'bare'];
  return targets.flatMap((target) =>
    (['first', 'again'] as const).map((kind) => ({
      ...{ target, kind, resolved: 10_000, latencyAlone: rounds(1), serverCpu: [], databaseCpu: [] },
      perSecond: rounds(speed(target)),
    })),
  );
}

function wal(bytes: (target: ServerName, kind: Kind) => number): WalFigure[] {
  const targets: ServerName[] = ['fastify', 'against'];
  return targets.flatMap((target) =>
    KINDS.map((kind) => ({
      ...{ target, kind, size: 1, connections: 32 },
      bytesPerAlert: rounds(bytes(target, kind)),
    })),
  );
}

function results(parts: Partial<Results>): Results {
  return {
    machine: {
      cpu: 'CPU',
      cores: 2,
      memory: 2 ** 34,
      platform: 'linux x64',
      node: 'v20.20.2',
      date: '2026-11-25',
    },
    postgres: '18.4',
    settings: {},
    quick: false,
    rounds: ROUNDS.length,
    against: 'a27ea96',
    ...parts,
  };
}

function find(claims: Claim[], text: string): Claim {
  const found = claims.filter(({ claim }) => claim.startsWith(text));
  expect(found.map(({ claim }) => claim)).toHaveLength(1);
  return found[0]!;
}

it('a limit holds where every value keeps it', () => {
  expect(atLeast('ratio', 1.8, [1.8, 2])).toEqual({
    claim: 'ratio ≥ 1.8',
    measured: '1.80, 2.00',
    holds: true,
  });
  expect(atLeast('ratio', 1.8, [2, 1.79]).holds).toBe(false);
  expect(atMost('bytes', 60, [60]).holds).toBe(true);
  expect(atMost('bytes', 60, [61, 1]).holds).toBe(false);
});

it('what was not measured does not hold', () => {
  expect(atLeast('ratio', 1, [NaN]).holds).toBe(false);
  expect(atMost('ratio', 1, [NaN]).holds).toBe(false);
});

it('compares two targets round by round, so that what slows both counts for neither', () => {
  expect(medianRatio([200, 20, 2], [100, 10, 1])).toBe(2);
  expect(medianRatio([], [1])).toBeUndefined();
});

describe('against another revision', () => {
  const speeds: Record<string, number> = { fastify: 2000, against: 1000, bare: 500, floor: 3000 };
  const fast: Speed = (target) => speeds[target]!;

  it('asks for 1.3, 1.8 and 1.3 times as many new and resolved alerts at 1, 8 and 32 connections', () => {
    const slower = (factor: number): Claim[] =>
      claimsOf(
        results({ webhooks: webhooks((...one) => fast(...one) * (one[0] === 'fastify' ? factor : 1)) }),
      );
    // 2 × 0.8 = 1.6 of the other.
    const claims = slower(0.8);
    expect(find(claims, '1 alert a webhook, 1 connection: of a27ea96 (new, resolved) ≥ 1.3').holds).toBe(
      true,
    );
    expect(find(claims, '1 alert a webhook, 8 connections: of a27ea96 (new, resolved) ≥ 1.8').holds).toBe(
      false,
    );
    expect(find(claims, '1 alert a webhook, 32 connections: of a27ea96 (new, resolved) ≥ 1.3').holds).toBe(
      true,
    );
    expect(find(slower(0.6), '1 alert a webhook, 32 connections: of a27ea96').holds).toBe(false);
  });

  it.each(['1 connection', '8 connections', '32 connections'])(
    'asks for 1.8 times as many of a hundred a webhook at %s',
    (connections) => {
      const claim = `100 alerts a webhook, ${connections}: of a27ea96 (new, changed, resolved) ≥ 1.8`;
      const slow: Speed = (target, size, ...rest) =>
        fast(target, size, ...rest) * (target === 'fastify' && rest[1] === 'changed' ? 0.85 : 1);
      expect(find(claimsOf(results({ webhooks: webhooks(fast) })), claim).holds).toBe(true);
      expect(find(claimsOf(results({ webhooks: webhooks(slow) })), claim).holds).toBe(false);
    },
  );

  it('asks for repeats and listings that are no slower', () => {
    const slow: Speed = (target, size, connections, kind) =>
      target === 'fastify' && kind === 'repeat' && connections === 8
        ? 990
        : fast(target, size, connections, kind);
    const repeats = 'each size and number of connections: of a27ea96 (repeat) ≥ 1';
    expect(find(claimsOf(results({ webhooks: webhooks(fast) })), repeats).holds).toBe(true);
    expect(find(claimsOf(results({ webhooks: webhooks(slow) })), repeats).holds).toBe(false);
    const ofListing = (ours: number): Claim => {
      const figures = listing((target) => (target === 'fastify' ? ours : 1000));
      return find(claimsOf(results({ listing: figures })), 'listing: of a27ea96 (first, again) ≥ 1');
    };
    expect([ofListing(1000).holds, ofListing(999).holds]).toEqual([true, false]);
  });

  it('asks for 0.6 of the bytes of the write-ahead log', () => {
    const ofWal = (resolved: number): Claim => {
      const figures = wal((target, kind) =>
        target === 'against' ? 1000 : kind === 'resolved' ? resolved : 500,
      );
      const claim =
        'bytes of WAL, 1 alert a webhook, 32 connections: of a27ea96 (new, changed, resolved) ≤ 0.6';
      return find(claimsOf(results({ wal: figures })), claim);
    };
    expect([ofWal(600).holds, ofWal(601).holds]).toEqual([true, false]);
  });

  it('asks for 0.6 of the floor at a hundred alerts', () => {
    const claim = '100 alerts a webhook, 8 connections: of floor (new, repeat, changed, resolved) ≥ 0.6';
    const slow: Speed = (target, ...rest) => (target === 'floor' ? 3400 : fast(target, ...rest));
    expect(find(claimsOf(results({ webhooks: webhooks(fast) })), claim).holds).toBe(true);
    expect(find(claimsOf(results({ webhooks: webhooks(slow) })), claim).holds).toBe(false);
  });

  it('asks of what is measured beside another revision alone that nothing has become slower', () => {
    const figures = (slowest: number) =>
      webhooks((target, size, _connections, kind) =>
        target === 'fastify' && size === 100 && kind === 'resolved' ? slowest : 1000,
      ).filter(({ target }) => target === 'fastify' || target === 'against');
    const ofPair = (slowest: number): Claim[] =>
      claimsOf(results({ webhooks: figures(slowest), pair: true }));
    expect(ofPair(970)).toMatchObject([
      { claim: 'each size, number of connections and kind: of a27ea96 ≥ 0.97', holds: true },
    ]);
    expect(ofPair(969)).toMatchObject([{ holds: false }]);
  });

  it('promises nothing of another revision where there was none', () => {
    const measured = results({ webhooks: webhooks(fast), listing: listing(() => 1000) });
    const alone = claimsOf({ ...measured, against: undefined });
    expect(alone.filter(({ claim }) => claim.includes('a27ea96'))).toEqual([]);
  });

  it('reports all three ratios, and each claim with whether it holds', () => {
    const report = reportOf(results({ webhooks: webhooks(fast) }));
    expect(report).toMatch(/\| kind +\| fastify : bare \| fastify : floor \| fastify : a27ea96 \|/);
    expect(report).toMatch(/\| 100 +\| 8 +\| changed +\| 4\.00 +\| 0\.67 +\| 2\.00 +\|/);
    for (const { claim } of claimsOf(results({ webhooks: webhooks(fast) }))) {
      expect(report).toMatch(
        new RegExp(`${claim.replace(/[()]/g, '\\$&')} +\\| .* +\\| (holds|\\*\\*does not hold\\*\\*) +\\|`),
      );
    }
  });

  it('says that fewer than five rounds prove little', () => {
    const figures = { webhooks: webhooks(fast) };
    expect(reportOf(results({ ...figures, rounds: 4 }))).toContain('fewer than 5 rounds');
    expect(reportOf(results({ ...figures, rounds: 5 }))).not.toContain('fewer than 5 rounds');
  });
});
