import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** When Prometheus's watchdog alert last came: one row. */
@Entity({ schema: 'session_alerts', name: 'feed', synchronize: false })
@Check('feed_has_one_row', 'id = 1')
export class Feed {
  @PrimaryColumn('smallint', { primaryKeyConstraintName: 'feed_pkey' })
  id!: number;

  @Column({ type: 'timestamptz', name: 'last_seen' })
  lastSeen!: Date;
}
