import type { Action } from './action.js';
import { newAlertId } from './alert-id.js';
import { gravityOf } from './gravity.js';
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
  'silenced',
] as const;
export type ResolvedReason = (typeof RESOLVED_REASONS)[number];

/**
 * Closings after which the episodes of the alert's series stay silent: a person has seen it, or its session is no
 * more (rules 8 and 11). After the others a firing opens a new alert.
 */
export const SILENCING_REASONS = ['manual', 'dismissed', 'session_ended'] as const satisfies ResolvedReason[];

/** Who opened the alert: Alertmanager, or an administrator through the API. */
export type AlertSource = 'alertmanager' | 'api';

/** What a person reads of a series, and of an alert. */
export interface Words {
  title: string;
  message: string;
  severity: string | null;
  runbookUrl: string | null;
  action?: Action;
}

/** A series behind an alert, with the words that are its own. Moments in ms since 1970. */
export interface SeriesState extends Words {
  /** Alertmanager's fingerprint, 16 hex digits. */
  fingerprint: string;
  /** Start of the episode. */
  startsAt: number;
  /** `null` while it fires. */
  endsAt: number | null;
  /** When the request that last wrote the series arrived: µs since 1970 by the database's clock. */
  arrival: number;
}

/** What the rules need to know of an open alert. Its own words are what is shown (rule 3). */
export interface AlertState extends Words {
  id: string;
  fingerprint: number;
  userId: string;
  sessionName: string | null;
  kind: AlertKind;
  source: AlertSource;
  /** Those that fire, and those that have ended while others went on. */
  series: SeriesState[];
}

/** An alert that a batch opens, and may even close again. */
export interface OpenedAlert extends AlertState {
  eventType: string;
  resolvedReason: ResolvedReason | null;
}

/** An alert that stays open and is not what it was. */
export interface RewrittenAlert {
  alert: AlertState;
  /** What its user reads has changed. */
  isUpdated: boolean;
  /** It is graver than before. */
  isEscalated: boolean;
  /** A series was seen firing. */
  isSeen: boolean;
}

export interface ClosedAlert {
  alert: AlertState;
  reason: ResolvedReason;
}

/** A series as it was when its alert was closed. Moments in ms since 1970, the arrival in µs. */
export interface PastSeries extends Pick<SeriesState, 'startsAt' | 'endsAt' | 'arrival'> {
  seriesKey: number;
  /** A person closed the alert during this episode, or its session ended: the episode stays silent. */
  isSilent: boolean;
}

/** That a series was seen firing, where nothing else about it changed; or ending, where no alert was open. */
export interface Sighting {
  seriesKey: number;
  /** When the request arrived that saw it: µs since 1970 by the database's clock. */
  arrival: number;
  /** ms since 1970; `null` where it was seen firing. */
  endsAt: number | null;
}

/** What is stored about the series that a batch is about. */
export interface KnownState {
  /** The open alerts that the observations can touch. */
  alerts: AlertState[];
  /** Of the series that fire: silent episodes, and what was closed since the observations arrived. */
  past: PastSeries[];
  /** Of the series; what arrived before the observations may be left out. */
  sightings: Sighting[];
}

/** What a batch of observations changes, ready to be written. */
export interface LifeChanges {
  /** The moment of the decision, and of all that it changes. */
  now: Date;
  opened: OpenedAlert[];
  rewritten: RewrittenAlert[];
  closed: ClosedAlert[];
  sightings: Sighting[];
}

/** How far ahead of now (ms) an arrival may lie by the inexactness of clocks alone. */
const CLOCK_SLACK = 1000;
/** How far ahead of its arrival (ms) a start may lie because its sender's clock is another. */
const MOST_SKEW = 60_000;
/** For how long (ms) an alert remembers a series that has ended while others go on, and of how many. */
const REMEMBERED_FOR = 24 * 3600_000;
const MOST_REMEMBERED = 100;

/** How many series may fire behind one alert; beyond them only those do that are graver than what it shows. */
const MOST_FIRING = 1000;

/** The last end of a series that is known of. */
interface LastEnd extends Pick<SeriesState, 'arrival' | 'endsAt'> {
  /** It came before any word that the series fires. */
  stoodBehindNone: boolean;
}

/** The series of an alert while a batch decides about them. */
interface SeriesBehind {
  /** In the order in which they were written. */
  byFingerprint: Map<string, SeriesState>;
  /** How many of them fire. */
  firing: number;
}

/** What is known of a series beside the open alert that it may stand behind. */
interface Memory {
  silences: PastSeries[];
  ended: LastEnd | undefined;
  /** When the last request arrived that saw it firing. */
  sightedAt: number;
}

/**
 * The rules of an alert's life (the numbers are those of `docs/reliability.md`), applied to what is stored about
 * the series and alerts that a batch touches. It decides in memory, observation by observation in order of
 * arrival; the caller holds the locks, loads the state and writes the changes.
 */
export class AlertLife {
  private readonly openAlerts = new Map<string, AlertState>();
  private readonly memories = new Map<number, Memory>();
  private readonly opened = new Map<AlertState, OpenedAlert>();
  /** As they were before the batch touched them. */
  private readonly touched = new Map<AlertState, AlertState>();
  /** The series of those that the batch is about, as it leaves them. */
  private readonly series = new Map<AlertState, SeriesBehind>();
  private readonly seen = new Set<AlertState>();
  private readonly closed = new Map<AlertState, ResolvedReason>();
  private readonly sightings = new Map<number, Sighting>();

  /** @param now the moment of the decision */
  constructor(
    private readonly now: Date,
    known: KnownState,
  ) {
    for (const alert of known.alerts) this.openAlerts.set(identityOf(alert), alert);
    for (const past of known.past) {
      const memory = this.memoryOf(past.seriesKey);
      if (past.isSilent) memory.silences.push(past);
      remember(memory, { ...past, stoodBehindNone: false });
    }
    for (const { seriesKey, arrival, endsAt } of known.sightings) {
      const memory = this.memoryOf(seriesKey);
      if (endsAt === null) memory.sightedAt = Math.max(memory.sightedAt, arrival);
      else remember(memory, { arrival, endsAt, stoodBehindNone: true });
    }
  }

  /**
   * Applies one observation. What a later episode says stands over what an earlier one said; within an episode
   * what arrived later does (rules 6 and 7).
   * @param arrival that of the request that brought it (µs, the database's clock)
   * @param endingReason why the alert closes if this ends its last series
   */
  observe(observation: Observation, arrival: number, endingReason: ResolvedReason = 'resolved'): Outcome {
    return observation.status === 'firing'
      ? this.fire(observation, arrival)
      : this.resolve(observation, arrival, endingReason);
  }

  changes(): LifeChanges {
    const rewritten: RewrittenAlert[] = [];
    for (const [alert, before] of this.touched) {
      alert.series = this.remembered([...this.seriesBehind(alert).byFingerprint.values()]);
      showGravest(alert);
      if (this.opened.has(alert) || this.closed.has(alert)) continue;
      rewritten.push({
        alert,
        isUpdated: !readsTheSame(alert, before),
        isEscalated: gravityOf(alert.severity) > gravityOf(before.severity),
        isSeen: this.seen.has(alert),
      });
    }
    const closed: ClosedAlert[] = [];
    for (const [alert, reason] of this.closed) if (!this.opened.has(alert)) closed.push({ alert, reason });
    return {
      now: this.now,
      opened: [...this.opened.values()],
      rewritten,
      closed,
      sightings: [...this.sightings.values()],
    };
  }

  private fire(seen: FiringObservation, arrival: number): Outcome {
    const alert = this.alertOf(seen);
    const known = alert && this.seriesIn(alert, seen);
    const memory = this.memories.get(seen.seriesKey);
    if (alert && known?.endsAt === null) return this.refresh(alert, known, seen, arrival);

    const silence = memory && lastOf(memory.silences);
    const startsAt = startOf(seen, arrival, silence);
    // Rule 8: the episode goes on, and so does its silence.
    if (silence && startsAt <= silence.startsAt) return { result: 'ignored', reason: 'closed_by_hand' };
    const ended = known ?? memory?.ended;
    const isNewEpisode = ended?.endsAt != null && startsAt >= ended.endsAt;
    if (ended && !isNewEpisode && this.wroteLater(ended.arrival, arrival)) {
      // It stood behind the alert all the same: who closes that by hand silences this episode too (rule 8).
      if (alert && memory?.ended?.stoodBehindNone) {
        this.replace(alert, {
          ...seriesFrom(seen, startsAt, memory.ended.arrival),
          endsAt: memory.ended.endsAt,
        });
      }
      return { result: 'ignored', reason: 'superseded' };
    }
    const series = seriesFrom(seen, startsAt, arrival);
    if (!alert) {
      this.open(seen, series);
      return { result: 'opened' };
    }
    if (this.isCrowded(alert, seen)) return { result: 'ignored', reason: 'too_many_series' };
    this.write(alert, series, seen.kind);
    return { result: 'refreshed' };
  }

  /** An alert is read and written with all its series, whatever one webhook brings of it. */
  private isCrowded(alert: AlertState, { severity }: FiringObservation): boolean {
    return this.seriesBehind(alert).firing >= MOST_FIRING && gravityOf(severity) <= gravityOf(alert.severity);
  }

  /** A series that fires is seen firing (rule 3). */
  private refresh(alert: AlertState, known: SeriesState, seen: FiringObservation, arrival: number): Outcome {
    const startsAt = startOf(seen, arrival, known);
    if (startsAt < known.startsAt) {
      // Rule 6.
      this.sight(seen.seriesKey, arrival);
      return { result: 'refreshed' };
    }
    const isSameEpisode = startsAt === known.startsAt;
    if (isSameEpisode && this.wroteLater(this.lastArrivalOf(known, seen.seriesKey), arrival)) {
      return { result: 'ignored', reason: 'superseded' };
    }
    const becomesEvent = seen.kind === 'event' && alert.kind !== 'event';
    if (isSameEpisode && !becomesEvent && saysTheSame(known, seen)) this.sight(seen.seriesKey, arrival);
    else this.write(alert, seriesFrom(seen, startsAt, arrival), seen.kind);
    return { result: 'refreshed' };
  }

  private resolve(seen: ResolvedObservation, arrival: number, endingReason: ResolvedReason): Outcome {
    const endsAt = seen.endsAt?.getTime() ?? this.now.getTime();
    const alert = this.alertOf(seen);
    const known = alert && this.seriesIn(alert, seen);
    if (!alert || !known) {
      // Kept all the same: a firing that arrived earlier and is written later must find it (rule 7).
      this.sightings.set(seen.seriesKey, { seriesKey: seen.seriesKey, arrival, endsAt });
      return { result: 'ignored', reason: 'unknown_series' };
    }
    const wasWrittenLater = this.wroteLater(this.lastArrivalOf(known, seen.seriesKey), arrival);
    if (known.endsAt !== null) {
      if (!wasWrittenLater) {
        this.replace(alert, { ...known, endsAt: Math.max(known.endsAt, endsAt), arrival });
      }
      return { result: 'ignored', reason: 'already_resolved' };
    }
    // A start that lies in the future is taken for the arrival (rule 4).
    if (endsAt <= Math.min(known.startsAt, known.arrival / 1000)) {
      return { result: 'ignored', reason: 'late_resolve' };
    }
    if (wasWrittenLater) return { result: 'ignored', reason: 'superseded' };
    this.replace(alert, { ...known, endsAt, arrival });
    if (this.seriesBehind(alert).firing === 0) {
      // What was the last to fire is what was shown last.
      showWords(alert, known);
      if (endsWithSeries(alert, endingReason)) this.close(alert, endingReason);
    }
    return { result: 'resolved' };
  }

  /** The open alert that the series stands behind, or would. */
  private alertOf(seen: Observation): AlertState | undefined {
    if (!seen.isNamed) {
      for (const alert of this.openAlerts.values()) {
        const isOfSession = alert.userId === seen.userId && alert.sessionName === seen.sessionName;
        if (isOfSession && this.seriesIn(alert, seen)) return alert;
      }
    }
    const { fingerprint, userId } = seen;
    return fingerprint === undefined ? undefined : this.openAlerts.get(identityOf({ fingerprint, userId }));
  }

  private open(seen: FiringObservation, series: SeriesState): void {
    const alert: OpenedAlert = {
      id: newAlertId(this.now.getTime()),
      fingerprint: seen.fingerprint,
      userId: seen.userId,
      sessionName: seen.sessionName,
      eventType: seen.eventType,
      title: seen.title,
      message: seen.message,
      severity: seen.severity,
      runbookUrl: seen.runbookUrl,
      action: seen.action,
      kind: seen.kind,
      source: 'alertmanager',
      series: [series],
      resolvedReason: null,
    };
    this.openAlerts.set(identityOf(alert), alert);
    this.opened.set(alert, alert);
  }

  /** Rule 3. What has happened stays an event, whatever is so for a while under its name (rule 10). */
  private write(alert: AlertState, series: SeriesState, kind: AlertKind): void {
    this.replace(alert, series);
    if (kind === 'event') alert.kind = 'event';
    this.seen.add(alert);
  }

  private replace(alert: AlertState, series: SeriesState): void {
    if (!this.touched.has(alert)) this.touched.set(alert, { ...alert });
    const behind = this.seriesBehind(alert);
    const replaced = behind.byFingerprint.get(series.fingerprint);
    behind.firing += firingOf(series) - (replaced ? firingOf(replaced) : 0);
    // What was written last stands last.
    behind.byFingerprint.delete(series.fingerprint);
    behind.byFingerprint.set(series.fingerprint, series);
  }

  private seriesIn(alert: AlertState, { seriesFingerprint }: Observation): SeriesState | undefined {
    return this.seriesBehind(alert).byFingerprint.get(seriesFingerprint);
  }

  private seriesBehind(alert: AlertState): SeriesBehind {
    let behind = this.series.get(alert);
    if (!behind) {
      behind = {
        byFingerprint: new Map(alert.series.map((series) => [series.fingerprint, series])),
        firing: alert.series.reduce((firing, series) => firing + firingOf(series), 0),
      };
      this.series.set(alert, behind);
    }
    return behind;
  }

  /** Series that have ended are forgotten by and by: those that come and go behind an alert may be many. */
  private remembered(series: SeriesState[]): SeriesState[] {
    const ended = series.filter(({ endsAt }) => endsAt !== null);
    if (ended.length === 0) return series;
    const oldest = ended.at(-MOST_REMEMBERED)?.arrival ?? 0;
    const since = Math.max(oldest, (this.now.getTime() - REMEMBERED_FOR) * 1000);
    const last = ended.at(-1);
    return series.filter((one) => one.endsAt === null || one.arrival >= since || one === last);
  }

  /** Refreshes "last seen", of the series and so of its alert, without touching it. */
  private sight(seriesKey: number, arrival: number): void {
    const memory = this.memoryOf(seriesKey);
    memory.sightedAt = Math.max(memory.sightedAt, arrival);
    this.sightings.set(seriesKey, { seriesKey, arrival: memory.sightedAt, endsAt: null });
  }

  private close(alert: AlertState, reason: ResolvedReason): void {
    const opened = this.opened.get(alert);
    if (opened) opened.resolvedReason = reason;
    this.closed.set(alert, reason);
    this.openAlerts.delete(identityOf(alert));
  }

  private lastArrivalOf(series: SeriesState, seriesKey: number): number {
    return Math.max(series.arrival, this.memories.get(seriesKey)?.sightedAt ?? 0);
  }

  /** An arrival well in the future can only come from a clock that was set back: it orders nothing. */
  private wroteLater(written: number, arrival: number): boolean {
    return written > arrival && written < (this.now.getTime() + CLOCK_SLACK) * 1000;
  }

  private memoryOf(seriesKey: number): Memory {
    let memory = this.memories.get(seriesKey);
    if (!memory) {
      memory = { silences: [], ended: undefined, sightedAt: 0 };
      this.memories.set(seriesKey, memory);
    }
    return memory;
  }
}

/** The series of an alert that fire, the gravest first; of equals the one that started last. */
export function firingSeries<Series extends SeriesState>({ series }: { series: Series[] }): Series[] {
  return series.filter(({ endsAt }) => endsAt === null).sort(byGravity);
}

function byGravity(one: SeriesState, other: SeriesState): number {
  return (
    gravityOf(other.severity) - gravityOf(one.severity) ||
    other.startsAt - one.startsAt ||
    // Whichever: but the same, whoever was reported last.
    (one.fingerprint < other.fingerprint ? -1 : 1)
  );
}

/** Rule 3. Where nothing fires any more, the last words stay (rule 10). */
function showGravest(alert: AlertState): void {
  const [gravest] = firingSeries(alert);
  if (gravest) showWords(alert, gravest);
}

function showWords(alert: AlertState, { title, message, severity, runbookUrl, action }: Words): void {
  Object.assign(alert, { title, message, severity, runbookUrl, action });
}

/** Rules 2, 10 and 16. What an administrator opened does not end by itself. */
function endsWithSeries({ kind, source }: AlertState, reason: ResolvedReason): boolean {
  return source === 'alertmanager' && (kind === 'condition' || reason === 'silenced');
}

function firingOf({ endsAt }: SeriesState): number {
  return endsAt === null ? 1 : 0;
}

/** Whether a user would read the same of both: the words, and those of the others where several series fire. */
function readsTheSame(alert: AlertState, before: AlertState): boolean {
  if (alert.kind !== before.kind || !saysTheSame(alert, before)) return false;
  const [now, then] = [firingSeries(alert), firingSeries(before)];
  if (now.length <= 1 && then.length <= 1) return true;
  return (
    now.length === then.length &&
    now.every((series, index) => {
      const other = then[index];
      return other && saysTheSame(series, other) && series.startsAt === other.startsAt;
    })
  );
}

function saysTheSame(one: Words, other: Words): boolean {
  return (
    one.title === other.title &&
    one.message === other.message &&
    one.severity === other.severity &&
    one.runbookUrl === other.runbookUrl &&
    one.action?.label === other.action?.label &&
    one.action?.url === other.action?.url
  );
}

/**
 * When the episode starts (ms since 1970). Far in the future is no start: then it is taken for the one that is
 * known, or for the arrival.
 */
function startOf(
  { startsAt }: Observation,
  arrival: number,
  known: { startsAt: number } | undefined,
): number {
  const start = startsAt?.getTime();
  if (start !== undefined && start <= arrival / 1000 + MOST_SKEW) return start;
  return known?.startsAt ?? Math.floor(arrival / 1000);
}

function seriesFrom(seen: FiringObservation, startsAt: number, arrival: number): SeriesState {
  const { seriesFingerprint: fingerprint, title, message, severity, runbookUrl, action } = seen;
  return { fingerprint, title, message, severity, runbookUrl, action, startsAt, endsAt: null, arrival };
}

/** Of silences the one that reaches farthest. */
function lastOf([first, ...others]: PastSeries[]): PastSeries | undefined {
  return others.reduce((last, one) => (last && one.startsAt > last.startsAt ? one : last), first);
}

function remember(memory: Memory, { arrival, endsAt, stoodBehindNone }: LastEnd): void {
  if (!memory.ended || arrival >= memory.ended.arrival) memory.ended = { arrival, endsAt, stoodBehindNone };
}

function identityOf({ fingerprint, userId }: Pick<AlertState, 'fingerprint' | 'userId'>): string {
  return `${fingerprint} ${userId}`;
}
