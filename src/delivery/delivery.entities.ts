import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

const SCHEMA = { schema: 'session_alerts', synchronize: false } as const;

/** What a user has said of how to be told. Where nothing is said, nothing is told. */
@Entity({ ...SCHEMA, name: 'preferences' })
@Check('preferences_quiet_hours_are_whole', 'num_nulls(quiet_from, quiet_to, time_zone) IN (0, 3)')
export class StoredPreferences {
  @PrimaryColumn({
    type: 'text',
    name: 'user_id',
    collation: 'C',
    primaryKeyConstraintName: 'preferences_pkey',
  })
  userId!: string;

  /** Of each channel whether it is on, and from which severity. */
  @Column('json')
  channels!: Record<string, unknown>;

  /** Minutes since midnight, as `quietTo`, of the user's time zone. */
  @Column({ type: 'smallint', name: 'quiet_from', nullable: true })
  quietFrom!: number | null;

  @Column({ type: 'smallint', name: 'quiet_to', nullable: true })
  quietTo!: number | null;

  /** Its name in the IANA's database. */
  @Column({ type: 'text', name: 'time_zone', nullable: true })
  timeZone!: string | null;

  @Column('boolean', { name: 'critical_passes' })
  criticalPasses!: boolean;

  /** The token's `locale` when it was said. */
  @Column({ type: 'text', nullable: true })
  locale!: string | null;
}

/** A kind of alerts that a user does not want to be told of. */
@Entity({ ...SCHEMA, name: 'mutes' })
export class Mute {
  @PrimaryColumn({ type: 'text', name: 'user_id', collation: 'C', primaryKeyConstraintName: 'mutes_pkey' })
  userId!: string;

  @PrimaryColumn({ type: 'text', name: 'event_type', collation: 'C', primaryKeyConstraintName: 'mutes_pkey' })
  eventType!: string;

  /** Empty: of all sessions. */
  @PrimaryColumn({
    type: 'text',
    name: 'session_name',
    collation: 'C',
    primaryKeyConstraintName: 'mutes_pkey',
  })
  sessionName!: string;

  @Column('timestamptz')
  until!: Date;
}

/** Where a user is told: an address, a browser. */
@Entity({ ...SCHEMA, name: 'delivery_targets' })
export class DeliveryTarget {
  @PrimaryColumn({
    type: 'text',
    name: 'user_id',
    collation: 'C',
    primaryKeyConstraintName: 'delivery_targets_pkey',
  })
  userId!: string;

  @PrimaryColumn({ type: 'text', collation: 'C', primaryKeyConstraintName: 'delivery_targets_pkey' })
  channel!: string;

  /** Tells several of one channel apart. */
  @PrimaryColumn({ type: 'text', collation: 'C', primaryKeyConstraintName: 'delivery_targets_pkey' })
  target!: string;

  /** What is less grave is not told there; `null` while its channel is off. */
  @Column('smallint', { nullable: true })
  gravity!: number | null;

  /** What the channel needs to reach it. */
  @Column('json')
  details!: Record<string, unknown>;
}

/** That something about an alert is to be told at a target, or was. */
@Entity({ ...SCHEMA, name: 'deliveries' })
@Index('deliveries_due', ['dueDate'], { where: 'message_id IS NULL' })
@Index('deliveries_of_message', ['userId', 'messageId'], { where: 'message_id IS NOT NULL' })
export class Delivery {
  @Column('timestamptz', { name: 'due_date' })
  dueDate!: Date;

  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'deliveries_pkey' })
  id!: string;

  /** With which message it goes, once it does. */
  @Column({ type: 'uuid', name: 'message_id', nullable: true })
  messageId!: string | null;

  /** `opened`, `escalated` or `over`. */
  @Column('text')
  transition!: string;

  @Column({ type: 'text', collation: 'C' })
  channel!: string;

  @Column({ type: 'text', collation: 'C' })
  target!: string;

  @PrimaryColumn({
    type: 'text',
    name: 'user_id',
    collation: 'C',
    primaryKeyConstraintName: 'deliveries_pkey',
  })
  userId!: string;

  @PrimaryColumn({
    type: 'text',
    name: 'alert_id',
    collation: 'C',
    primaryKeyConstraintName: 'deliveries_pkey',
  })
  alertId!: string;
}

/** What goes to a target at once, until it has arrived or is given up. */
@Entity({ ...SCHEMA, name: 'messages' })
@Check('messages_waiting_are_tried', "(state = 'waiting') = (next_try IS NOT NULL)")
@Index('messages_waiting', ['nextTry'], { where: 'next_try IS NOT NULL' })
@Index('messages_lately', ['userId', 'createdDate'])
export class Message {
  @Column('timestamptz', { name: 'created_date' })
  createdDate!: Date;

  /** When it is tried next; while it is being tried, when another may. */
  @Column('timestamptz', { name: 'next_try', nullable: true })
  nextTry!: Date | null;

  @Column('timestamptz', { name: 'ended_date', nullable: true })
  endedDate!: Date | null;

  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'messages_pkey' })
  id!: string;

  /** Each counts when it begins. */
  @Column('integer')
  attempts!: number;

  /** `waiting`, `sent`, `given_up`, or `needless`: nothing of it was still of use. */
  @Column('text')
  state!: string;

  /** Why it was given up, or why the last attempt failed; nothing while it is being tried. */
  @Column({ type: 'text', nullable: true })
  reason!: string | null;

  @Column({ type: 'text', collation: 'C' })
  channel!: string;

  @Column({ type: 'text', collation: 'C' })
  target!: string;

  @PrimaryColumn({ type: 'text', name: 'user_id', collation: 'C', primaryKeyConstraintName: 'messages_pkey' })
  userId!: string;
}

/** That a replica sends changes to an open page of a user's. */
@Entity({ ...SCHEMA, name: 'open_pages' })
export class OpenPage {
  /** A replica that says nothing until then is taken for gone. */
  @Column('timestamptz')
  until!: Date;

  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'open_pages_pkey' })
  replica!: string;

  @PrimaryColumn({
    type: 'text',
    name: 'user_id',
    collation: 'C',
    primaryKeyConstraintName: 'open_pages_pkey',
  })
  userId!: string;
}
