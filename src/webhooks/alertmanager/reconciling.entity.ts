import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** When reconciling was last done, by which replica, and which Alertmanagers it asks: one row. */
@Entity({ schema: 'session_alerts', name: 'reconciling', synchronize: false })
@Check('reconciling_has_one_row', 'id = 1')
export class Reconciling {
  @PrimaryColumn('smallint', { primaryKeyConstraintName: 'reconciling_pkey' })
  id!: number;

  @Column('uuid')
  replica!: string;

  /** By the database's clock. */
  @Column({ type: 'timestamptz', name: 'last_run' })
  lastRun!: Date;

  /** Those that are asked. What is noted below counts for these only. */
  @Column('text', { array: true, default: '{}' })
  addresses!: string[];

  /** By what other external URLs they post here, as has been found out. */
  @Column('text', { name: 'known_as', array: true, default: '{}' })
  knownAs!: string[];

  /** External URLs of those that post here and are not asked. */
  @Column('text', { array: true, default: '{}' })
  unasked!: string[];
}
