import type { LifeChanges, ResolvedReason } from './alert-life.js';
import type { AlertRow } from './alerts.dto.js';
import type { Observation, Outcome } from './observation.js';

/** What one request reports. */
export interface Report {
  observations: Observation[];
  /** When the request arrived (`performance.now()`, ms). */
  arrivedAt: number;
  /** Why an alert closes whose last series the report ends. */
  endingReason: ResolvedReason;
  /** External URL of the Alertmanager that reports, where it may be none of those that reconciling asks. */
  alertmanager?: string | undefined;
}

/** What became of each report's observations, what changed, and the rows of that. */
export interface Applied {
  outcomes: Outcome[][];
  changes: LifeChanges;
  rows: AlertRow[];
}

/** What reports say of one user. */
export interface Share {
  /** That user. */
  owner: string;
  reports: Report[];
  /** Of each of these reports its place, and those of its observations, among the reports of all. */
  places: { report: number; observations: number[] }[];
}

/** Reports by whose series they are about, each in its order. */
export function sharesOf(reports: Report[]): Share[] {
  const shares = new Map<string, Share>();
  reports.forEach((report, index) => {
    report.observations.forEach((seen, at) => {
      const share = shares.get(seen.userId) ?? { owner: seen.userId, reports: [], places: [] };
      shares.set(seen.userId, share);
      if (share.places.at(-1)?.report !== index) {
        share.reports.push({ ...report, observations: [] });
        share.places.push({ report: index, observations: [] });
      }
      share.reports.at(-1)?.observations.push(seen);
      share.places.at(-1)?.observations.push(at);
    });
  });
  return [...shares.values()];
}

/** What became of the observations of all, from what became of each share's. */
export function outcomesOf(reports: Report[], shares: Share[], ofShares: Outcome[][][]): Outcome[][] {
  const outcomes: Outcome[][] = reports.map(() => []);
  shares.forEach(({ places }, share) => {
    places.forEach(({ report, observations }, index) => {
      observations.forEach((at, nth) => {
        const outcome = ofShares[share]?.[index]?.[nth];
        const ofReport = outcomes[report];
        if (outcome && ofReport) ofReport[at] = outcome;
      });
    });
  });
  return outcomes;
}

/** What became of all, where each share was applied by itself; at least one. */
export function appliedTogether(
  reports: Report[],
  shares: Share[],
  [first, ...others]: [Applied, ...Applied[]],
): Applied {
  const all = [first, ...others];
  return {
    outcomes: outcomesOf(
      reports,
      shares,
      all.map(({ outcomes }) => outcomes),
    ),
    changes: {
      now: first.changes.now,
      opened: all.flatMap(({ changes }) => changes.opened),
      rewritten: all.flatMap(({ changes }) => changes.rewritten),
      closed: all.flatMap(({ changes }) => changes.closed),
      sightings: all.flatMap(({ changes }) => changes.sightings),
    },
    rows: all.flatMap(({ rows }) => rows),
  };
}
