import type { Action } from './action.js';

/** What an alert is about; together with user and session it makes the alert's identity. */
export type AlertKind = 'condition' | 'event';

interface SeriesSighting {
  /** Identity of the series: made of user, session and Alertmanager's fingerprint. */
  seriesKey: number;
  /** Alertmanager's own fingerprint of the series, 16 hex digits. */
  seriesFingerprint: string;
  userId: string;
  sessionName: string;
  /**
   * Whether the series has an `alertname`, which says what alert it is of. Where it has none, another title makes
   * another alert, and it is looked for behind all of its session's.
   */
  isNamed: boolean;
}

/** A series seen firing, with all that is needed to show it to its user. */
export interface FiringObservation extends SeriesSighting {
  status: 'firing';
  /** The alert's identity: made of user, session and event type. */
  fingerprint: number;
  eventType: string;
  title: string;
  message: string;
  severity: string | null;
  kind: AlertKind;
  runbookUrl: string | null;
  action?: Action;
  /** Start of the episode; absent where the sender named none. */
  startsAt?: Date;
}

/** A series seen resolved: its labels are all that it needs. */
export interface ResolvedObservation extends SeriesSighting {
  status: 'resolved';
  /** The alert's identity; absent where the series is not named. */
  fingerprint?: number;
  startsAt?: Date;
  /** End of the episode; absent counts as now. */
  endsAt?: Date;
}

/** One series as a monitoring system reports it at one moment. */
export type Observation = FiringObservation | ResolvedObservation;

/** Why an observation changed nothing. */
export type IgnoredReason =
  | 'unknown_user'
  | 'unknown_series'
  | 'already_resolved'
  | 'late_resolve'
  | 'closed_by_hand'
  | 'superseded'
  | 'too_many_series';

/** What became of one observation. */
export type Outcome =
  { result: 'opened' | 'refreshed' | 'resolved' } | { result: 'ignored'; reason: IgnoredReason };
