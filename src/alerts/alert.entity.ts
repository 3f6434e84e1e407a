import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { AlertSource, ResolvedReason } from './alert-life.js';
import type { AlertKind } from './observation.js';

/** One problem of one session of one user, from its opening to its closing. */
@Entity({ schema: 'session_alerts', name: 'alerts' })
@Check('alerts_closing_has_reason', '(resolved_date IS NULL) = (resolved_reason IS NULL)')
@Index('alerts_open_fingerprint', ['fingerprint'], {
  unique: true,
  where: 'resolved_date IS NULL AND fingerprint IS NOT NULL',
})
@Index('alerts_open_by_user', ['userId', 'creationDate'], {
  where: 'resolved_date IS NULL AND user_id IS NOT NULL',
})
@Index('alerts_resolved_by_user', ['userId', 'resolvedDate'], { where: 'resolved_date IS NOT NULL' })
@Index('alerts_resolved_by_session', ['userId', 'sessionName', 'resolvedDate'], {
  where: 'resolved_reason IS NOT NULL AND session_name IS NOT NULL',
})
@Index('alerts_open_by_session', ['sessionName'], {
  where: 'resolved_date IS NULL AND session_name IS NOT NULL',
})
export class Alert {
  /** ULID. */
  @PrimaryColumn({ type: 'text', collation: 'C' })
  id!: string;

  /** Name-based UUID of user, session and event type; at most one open alert has it. */
  @Column('uuid')
  fingerprint!: string;

  /** Keycloak's user id, the token's `sub`. */
  @Column({ type: 'text', name: 'user_id', collation: 'C' })
  userId!: string;

  @Column({ type: 'text', name: 'session_name', collation: 'C', nullable: true })
  sessionName!: string | null;

  /** Alertmanager's `alertname`, or the title where that label is missing. */
  @Column({ type: 'text', name: 'event_type' })
  eventType!: string;

  @Column('text')
  title!: string;

  @Column('text')
  message!: string;

  @Column({ type: 'text', nullable: true })
  severity!: string | null;

  @Column('text')
  kind!: AlertKind;

  @Column('text')
  source!: AlertSource;

  @Column({ type: 'text', name: 'runbook_url', nullable: true })
  runbookUrl!: string | null;

  @Column('timestamptz', { name: 'creation_date' })
  creationDate!: Date;

  /** When what the user reads last changed. */
  @Column('timestamptz', { name: 'updated_date' })
  updatedDate!: Date;

  /** When a series of it was last reported firing; later sightings stand in their own table. */
  @Column('timestamptz', { name: 'last_seen' })
  lastSeen!: Date;

  @Column('timestamptz', { name: 'resolved_date', nullable: true })
  resolvedDate!: Date | null;

  /** Set with `resolvedDate`, never without it. */
  @Column({ type: 'text', name: 'resolved_reason', nullable: true })
  resolvedReason!: ResolvedReason | null;
}
