import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** When reconciling was last done, and by which replica: one row. */
@Entity({ schema: 'session_alerts', name: 'reconciling' })
@Check('reconciling_has_one_row', 'id = 1')
export class Reconciling {
  @PrimaryColumn('smallint', { primaryKeyConstraintName: 'reconciling_pkey' })
  id!: number;

  @Column('uuid')
  replica!: string;

  /** By the database's clock. */
  @Column({ type: 'timestamptz', name: 'last_run' })
  lastRun!: Date;
}
