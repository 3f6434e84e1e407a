import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** One of Alertmanager's series, and the alert that it stands behind. */
@Entity({ schema: 'session_alerts', name: 'alert_series' })
@Index('alert_series_stray', ['id'], { where: 'alert_id IS NULL' })
export class AlertSeries {
  /** Name-based UUID of user, session and Alertmanager's fingerprint. */
  @PrimaryColumn('uuid')
  id!: string;

  /** Alertmanager's fingerprint of the series. */
  @Column('text')
  fingerprint!: string;

  /** The alert that it last stood behind; `null` where only a resolve was ever seen. */
  @Index('alert_series_by_alert')
  @Column({ type: 'text', name: 'alert_id', collation: 'C', nullable: true })
  alertId!: string | null;

  @Column('boolean')
  firing!: boolean;

  /** A person closed the alert during this episode. */
  @Column('boolean', { name: 'closed_by_hand' })
  closedByHand!: boolean;

  /** Start of the current or last episode. */
  @Column('timestamptz', { name: 'starts_at' })
  startsAt!: Date;

  @Column('timestamptz', { name: 'ends_at', nullable: true })
  endsAt!: Date | null;

  /** When the request that last wrote this series arrived: µs since 1970 by the database's clock. */
  @Column('bigint')
  arrival!: string;
}
