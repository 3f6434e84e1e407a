/** What an alert is about; together with user and session it makes the alert's identity. */
export type AlertKind = 'condition' | 'event';

interface SeriesSighting {
  /** Name-based UUID of user, session and Alertmanager's fingerprint: one series of one session. */
  seriesId: string;
  /** Alertmanager's own fingerprint of the series, 16 hex digits. */
  seriesFingerprint: string;
  userId: string;
  sessionName: string;
}

/** A series seen firing, with all that is needed to show it to its user. */
export interface FiringObservation extends SeriesSighting {
  status: 'firing';
  /** The alert's identity: name-based UUID of user, session and event type. */
  fingerprint: string;
  eventType: string;
  title: string;
  message: string;
  severity: string | null;
  kind: AlertKind;
  runbookUrl: string | null;
  /** Start of the episode; absent where the sender named none. */
  startsAt?: Date;
}

/** A series seen resolved: its labels are all that it needs. */
export interface ResolvedObservation extends SeriesSighting {
  status: 'resolved';
  startsAt?: Date;
  /** End of the episode; absent counts as now. */
  endsAt?: Date;
}

/** One series as a monitoring system reports it at one moment. */
export type Observation = FiringObservation | ResolvedObservation;

/** Why an observation changed nothing. */
export type IgnoredReason =
  'unknown_user' | 'unknown_series' | 'already_resolved' | 'late_resolve' | 'closed_by_hand' | 'superseded';

/** What became of one observation. */
export type Outcome =
  { result: 'opened' | 'refreshed' | 'resolved' } | { result: 'ignored'; reason: IgnoredReason };
