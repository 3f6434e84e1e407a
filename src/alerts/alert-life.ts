import { newAlertId } from './alert-id.js';
import type {
  AlertKind,
  FiringObservation,
  Observation,
  Outcome,
  ResolvedObservation,
} from './observation.js';

/** Why an alert was closed (rule 12). */
export const RESOLVED_REASONS = [
  'resolved',
  'manual',
  'dismissed',
  'expired',
  'session_ended',
  'reconciled',
] as const;
export type ResolvedReason = (typeof RESOLVED_REASONS)[number];

/**
 * Closings after which the episode of the alert's series stays silent: a person has seen it, or its session
 * is no more (rules 8 and 11). After the others a firing opens a new alert.
 */
export const SILENCING_REASONS: ReadonlySet<ResolvedReason> = new Set([
  'manual',
  'dismissed',
  'session_ended',
]);

/** Who opened the alert: Alertmanager, or an administrator through the API. */
export type AlertSource = 'alertmanager' | 'api';

/** What the rules need to know of an open alert. */
export interface AlertState {
  id: string;
  fingerprint: string;
  userId: string;
  title: string;
  message: string;
  severity: string | null;
  kind: AlertKind;
  source: AlertSource;
  runbookUrl: string | null;
}

/** An alert that a batch opens, and may even close again. */
export interface OpenedAlert extends AlertState {
  sessionName: string | null;
  eventType: string;
  resolvedReason: ResolvedReason | null;
}

/** One of Alertmanager's series and the alert that it last stood behind. */
export interface SeriesState {
  id: string;
  /** Alertmanager's fingerprint. */
  fingerprint: string;
  /** `null` where only a resolve was ever seen. */
  alertId: string | null;
  firing: boolean;
  /** A person closed the alert during this episode, or its session ended: the episode stays silent. */
  closedByHand: boolean;
  /** Start of the current episode, or of the last one where it has ended. */
  startsAt: Date;
  endsAt: Date | null;
  /** When the request that last wrote the series arrived: µs since 1970 by the database's clock. */
  arrival: number;
}

/** How far ahead of now (ms) an arrival may lie by the inexactness of clocks alone. */
const CLOCK_SLACK = 1000;

/** That a series was seen firing, where nothing else about it changed. */
export interface Sighting {
  seriesId: string;
  /** When the request arrived that saw it: µs since 1970 by the database's clock. */
  arrival: number;
}

/** What a batch of observations changes, ready to be written. */
export interface LifeChanges {
  /** The moment of the decision, and of all that it changes. */
  now: Date;
  opened: OpenedAlert[];
  /** What the user reads has changed. */
  updated: AlertState[];
  closed: { id: string; userId: string; reason: ResolvedReason }[];
  series: SeriesState[];
  sightings: Sighting[];
}

/**
 * The rules of an alert's life (the numbers are those of `docs/reliability.md`), applied to what is stored about
 * the series and alerts that a batch touches. It decides in memory, observation by observation in order of
 * arrival; the caller holds the locks, loads the state and writes the changes.
 */
export class AlertLife {
  private readonly openById = new Map<string, AlertState>();
  private readonly openByFingerprint = new Map<string, AlertState>();
  private readonly seriesById = new Map<string, SeriesState>();
  /** How many series fire behind an alert. */
  private readonly firingByAlert = new Map<string, number>();
  private readonly opened = new Map<string, OpenedAlert>();
  private readonly updated = new Set<AlertState>();
  private readonly closed: LifeChanges['closed'] = [];
  private readonly changedSeries = new Set<SeriesState>();
  private readonly sightings = new Map<string, number>();

  /**
   * @param now the moment of the decision
   * @param openAlerts the open alerts that the observations can touch
   * @param series those that the observations name, and all behind the alerts that they may end
   * @param sightings of those series; what arrived before the observations may be left out
   */
  constructor(
    private readonly now: Date,
    openAlerts: Iterable<AlertState>,
    series: Iterable<SeriesState>,
    sightings: Iterable<Sighting> = [],
  ) {
    for (const alert of openAlerts) this.index(alert);
    for (const one of series) {
      this.seriesById.set(one.id, one);
      this.countFiring(one, 1);
    }
    for (const { seriesId, arrival } of sightings) {
      const sighted = this.seriesById.get(seriesId);
      if (sighted) sighted.arrival = Math.max(sighted.arrival, arrival);
    }
  }

  /**
   * Applies one observation. What a later episode says stands over what an earlier one said; within an episode
   * what arrived later does (rules 6 and 7).
   * @param arrival that of the request that brought it (µs, the database's clock)
   * @param endingReason why the alert closes if this ends its last series
   */
  observe(observation: Observation, arrival: number, endingReason: ResolvedReason = 'resolved'): Outcome {
    const known = this.seriesById.get(observation.seriesId);
    return observation.status === 'firing'
      ? this.fire(observation, known, arrival)
      : this.resolve(observation, known, arrival, endingReason);
  }

  changes(): LifeChanges {
    return {
      now: this.now,
      opened: [...this.opened.values()],
      updated: [...this.updated],
      closed: this.closed,
      series: [...this.changedSeries],
      sightings: Array.from(this.sightings, ([seriesId, arrival]) => ({ seriesId, arrival })),
    };
  }

  /** An arrival well in the future can only come from a clock that was set back: it orders nothing. */
  private wroteLater(series: SeriesState, arrival: number): boolean {
    return series.arrival > arrival && series.arrival < (this.now.getTime() + CLOCK_SLACK) * 1000;
  }

  private fire(seen: FiringObservation, known: SeriesState | undefined, arrival: number): Outcome {
    const startsAt = seen.startsAt ?? known?.startsAt ?? new Date(arrival / 1000);
    if (known?.closedByHand && startsAt <= known.startsAt) {
      // Rule 8: the episode goes on, and so does its silence.
      if (known.firing) this.sight(known, arrival);
      else if (!this.wroteLater(known, arrival)) this.writeSeries({ ...known, firing: true, arrival });
      return { result: 'ignored', reason: 'closed_by_hand' };
    }
    const current = known?.firing && known.alertId !== null ? this.openById.get(known.alertId) : undefined;
    if (known && current && startsAt < known.startsAt) {
      // Rule 6.
      this.sight(known, arrival);
      return { result: 'refreshed' };
    }
    if (known && this.wroteLater(known, arrival) && !startsLater(startsAt, known)) {
      // It stood behind the alert all the same: who closes that by hand silences this episode too (rule 8).
      const behind = this.openByFingerprint.get(seen.fingerprint);
      if (known.alertId === null && behind) this.writeSeries({ ...known, alertId: behind.id });
      return { result: 'ignored', reason: 'superseded' };
    }
    const existing = current ?? this.openByFingerprint.get(seen.fingerprint);
    if (existing) this.rewrite(existing, seen);
    const alert = existing ?? this.open(seen);
    const isRepeat =
      known?.firing && known.alertId === alert.id && startsAt.getTime() === known.startsAt.getTime();
    if (!isRepeat) {
      this.writeSeries({
        id: seen.seriesId,
        fingerprint: seen.seriesFingerprint,
        alertId: alert.id,
        firing: true,
        closedByHand: false,
        startsAt,
        endsAt: null,
        arrival,
      });
    }
    if (existing) this.sight(this.seriesById.get(seen.seriesId), arrival);
    return { result: existing ? 'refreshed' : 'opened' };
  }

  private resolve(
    seen: ResolvedObservation,
    known: SeriesState | undefined,
    arrival: number,
    endingReason: ResolvedReason,
  ): Outcome {
    const endsAt = seen.endsAt ?? this.now;
    if (!known) {
      // Kept all the same: a firing that arrived earlier and is written later must find it (rule 7).
      this.writeSeries({
        id: seen.seriesId,
        fingerprint: seen.seriesFingerprint,
        alertId: null,
        firing: false,
        closedByHand: false,
        startsAt: seen.startsAt ?? endsAt,
        endsAt,
        arrival,
      });
      return { result: 'ignored', reason: 'unknown_series' };
    }
    if (!known.firing) {
      if (!this.wroteLater(known, arrival)) {
        const lastEnd = known.endsAt && known.endsAt > endsAt ? known.endsAt : endsAt;
        this.writeSeries({ ...known, endsAt: lastEnd, arrival });
      }
      return { result: 'ignored', reason: 'already_resolved' };
    }
    if (endsAt <= known.startsAt) return { result: 'ignored', reason: 'late_resolve' };
    if (this.wroteLater(known, arrival)) return { result: 'ignored', reason: 'superseded' };
    this.writeSeries({ ...known, firing: false, endsAt, arrival });
    const alert = known.alertId === null ? undefined : this.openById.get(known.alertId);
    if (alert && this.hasEnded(alert)) this.close(alert, endingReason);
    return { result: 'resolved' };
  }

  /** Rules 2 and 10. What an administrator opened does not end by itself. */
  private hasEnded(alert: AlertState): boolean {
    return alert.kind === 'condition' && alert.source === 'alertmanager' && !this.firingByAlert.get(alert.id);
  }

  private open(seen: FiringObservation): AlertState {
    const alert: OpenedAlert = {
      id: newAlertId(this.now.getTime()),
      fingerprint: seen.fingerprint,
      userId: seen.userId,
      sessionName: seen.sessionName,
      eventType: seen.eventType,
      title: seen.title,
      message: seen.message,
      severity: seen.severity,
      kind: seen.kind,
      source: 'alertmanager',
      runbookUrl: seen.runbookUrl,
      resolvedReason: null,
    };
    this.index(alert);
    this.opened.set(alert.id, alert);
    return alert;
  }

  /** Rule 3. What has happened stays an event, whatever is so for a while under its name (rule 10). */
  private rewrite(
    alert: AlertState,
    { title, message, severity, kind: seenKind, runbookUrl }: FiringObservation,
  ): void {
    const kind = alert.kind === 'event' ? 'event' : seenKind;
    const isSame =
      alert.title === title &&
      alert.message === message &&
      alert.severity === severity &&
      alert.kind === kind &&
      alert.runbookUrl === runbookUrl;
    if (isSame) return;
    Object.assign(alert, { title, message, severity, kind, runbookUrl });
    if (!this.opened.has(alert.id)) this.updated.add(alert);
  }

  /** Refreshes "last seen", of the series and so of its alert, without touching either. */
  private sight(series: SeriesState | undefined, arrival: number): void {
    if (!series) return;
    if (!this.wroteLater(series, arrival)) series.arrival = arrival;
    this.sightings.set(series.id, Math.max(this.sightings.get(series.id) ?? 0, arrival));
  }

  private close(alert: AlertState, reason: ResolvedReason): void {
    const opened = this.opened.get(alert.id);
    if (opened) opened.resolvedReason = reason;
    else this.closed.push({ id: alert.id, userId: alert.userId, reason });
    this.openById.delete(alert.id);
    this.openByFingerprint.delete(alert.fingerprint);
  }

  private index(alert: AlertState): void {
    this.openById.set(alert.id, alert);
    this.openByFingerprint.set(alert.fingerprint, alert);
  }

  private writeSeries(next: SeriesState): void {
    const previous = this.seriesById.get(next.id);
    if (previous) {
      this.changedSeries.delete(previous);
      this.countFiring(previous, -1);
    }
    this.countFiring(next, 1);
    this.seriesById.set(next.id, next);
    this.changedSeries.add(next);
  }

  private countFiring({ firing, alertId }: SeriesState, count: 1 | -1): void {
    if (firing && alertId) this.firingByAlert.set(alertId, (this.firingByAlert.get(alertId) ?? 0) + count);
  }
}

/** Whether an episode that starts then is a later one than what is known of the series. */
function startsLater(startsAt: Date, known: SeriesState): boolean {
  return known.firing ? startsAt > known.startsAt : known.endsAt !== null && startsAt >= known.endsAt;
}
