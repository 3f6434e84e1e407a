import type { LifeChanges } from './alert-life.js';
import type { Observation, Outcome } from './observation.js';
import { appliedTogether, outcomesOf, sharesOf } from './reports.js';
import type { Report } from './reports.js';

const seen = (userId: string, seriesKey: number) => ({ userId, seriesKey }) as Observation;
const report = (arrivedAt: number, ...observations: Observation[]): Report => ({
  observations,
  arrivedAt,
  endingReason: 'resolved',
});
const reports = [report(1, seen('ann', 1), seen('bob', 2), seen('ann', 3)), report(2, seen('bob', 4))];
const outcome = (result: string) => ({ result }) as Outcome;

describe('Reports of several users', () => {
  it('are shared out by user, each share with its reports in their order', () => {
    const shares = sharesOf(reports);
    expect(shares.map(({ owner, reports: own }) => [owner, own])).toEqual([
      ['ann', [report(1, seen('ann', 1), seen('ann', 3))]],
      ['bob', [report(1, seen('bob', 2)), report(2, seen('bob', 4))]],
    ]);
  });

  it('get the outcomes of all shares in the order of what they report', () => {
    const ofShares = [[[outcome('1'), outcome('3')]], [[outcome('2')], [outcome('4')]]];
    expect(outcomesOf(reports, sharesOf(reports), ofShares)).toEqual([
      [outcome('1'), outcome('2'), outcome('3')],
      [outcome('4')],
    ]);
  });

  it('have changed what each share has', () => {
    const changed = (name: string) =>
      ({
        now: name,
        opened: [name],
        rewritten: [name],
        closed: [name],
        sightings: [name],
      }) as unknown as LifeChanges;
    const applied = ['ann', 'bob'].map((name) => ({ outcomes: [], changes: changed(name), rows: [] }));
    const { changes } = appliedTogether(reports, [], [applied[0]!, applied[1]!]);
    const both = ['ann', 'bob'];
    expect(changes).toEqual({ now: 'ann', opened: both, rewritten: both, closed: both, sightings: both });
  });
});
