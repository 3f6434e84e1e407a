import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { ResolvedReason, SeriesState } from './alert-life.js';

/**
 * One problem of one session of one user, from its opening to its closing, and what stands behind it. The columns
 * that change stand together, and so that few bytes of them do.
 */
@Entity({ schema: 'session_alerts', name: 'alerts', synchronize: false })
@Check('alerts_closing_has_reason', '(resolved_date IS NULL) = (resolved_reason IS NULL)')
@Index('alerts_open', ['userId', 'sessionName', 'fingerprint'], {
  unique: true,
  where: 'resolved_date IS NULL',
})
@Index('alerts_ended', ['userId', 'resolvedDate', 'sessionName'], { where: 'resolved_date IS NOT NULL' })
@Index('alerts_silent', ['userId', 'sessionName', 'fingerprint'], {
  where: "resolved_reason IN ('manual', 'dismissed', 'session_ended')",
})
export class Alert {
  @Column('timestamptz', { name: 'creation_date' })
  creationDate!: Date;

  /** Made of user, session and event type; at most one open alert has it. */
  @Column('bigint')
  fingerprint!: string;

  /** Start of the episode of the series whose words the alert shows. */
  @Column('timestamptz', { name: 'starts_at', nullable: true })
  startsAt!: Date | null;

  /** When the request that last wrote that series arrived: µs since 1970 by the database's clock. */
  @Column('bigint', { nullable: true })
  arrival!: string | null;

  /** End of that episode; `null` while the series fires. */
  @Column('timestamptz', { name: 'ends_at', nullable: true })
  endsAt!: Date | null;

  /** When a series of it was last reported firing, where that was after its opening; later sightings stand in their own table. */
  @Column('timestamptz', { name: 'last_seen', nullable: true })
  lastSeen!: Date | null;

  /** When it last became graver. */
  @Column('timestamptz', { name: 'escalated_date', nullable: true })
  escalatedDate!: Date | null;

  /** When what the user reads last changed, where that was after its opening. */
  @Column('timestamptz', { name: 'updated_date', nullable: true })
  updatedDate!: Date | null;

  @Column('timestamptz', { name: 'resolved_date', nullable: true })
  resolvedDate!: Date | null;

  /** How grave its severity is: a higher number is graver. */
  @Column('smallint')
  gravity!: number;

  /** It has happened, and stays when its series have ended. */
  @Column('boolean', { name: 'is_event' })
  isEvent!: boolean;

  /** An administrator opened it through the API. */
  @Column('boolean', { name: 'by_hand' })
  byHand!: boolean;

  /** Set with `resolvedDate`, never without it. */
  @Column({ type: 'text', name: 'resolved_reason', nullable: true })
  resolvedReason!: ResolvedReason | null;

  /** Alertmanager's fingerprint of the series whose words it shows: the gravest that fires, or the last that did. */
  @Column({ type: 'bytea', nullable: true })
  series!: Buffer | null;

  @Column('text')
  message!: string;

  @Column('text')
  title!: string;

  @Column({ type: 'text', nullable: true })
  severity!: string | null;

  @Column({ type: 'text', name: 'runbook_url', nullable: true })
  runbookUrl!: string | null;

  /** With `actionUrl`, or neither. */
  @Column({ type: 'text', name: 'action_label', nullable: true })
  actionLabel!: string | null;

  @Column({ type: 'text', name: 'action_url', nullable: true })
  actionUrl!: string | null;

  /** When its user had it before their eyes, since it opened or became graver. */
  @Column('timestamptz', { name: 'seen_date', nullable: true })
  seenDate!: Date | null;

  /** Until when its user does not want to be told of such alerts. */
  @Column('timestamptz', { name: 'muted_until', nullable: true })
  mutedUntil!: Date | null;

  /** The other series behind it, each with its own words. */
  @Column({ type: 'json', name: 'other_series', nullable: true })
  otherSeries!: SeriesState[] | null;

  /** Alertmanager's `alertname`, or the title where that label is missing. */
  @Column({ type: 'text', name: 'event_type' })
  eventType!: string;

  @Column({ type: 'text', name: 'session_name', collation: 'C', nullable: true })
  sessionName!: string | null;

  /** Keycloak's user id, the token's `sub`. */
  @PrimaryColumn({ type: 'text', name: 'user_id', collation: 'C', primaryKeyConstraintName: 'alerts_pkey' })
  userId!: string;

  /** ULID. */
  @PrimaryColumn({ type: 'text', collation: 'C', primaryKeyConstraintName: 'alerts_pkey' })
  id!: string;
}
