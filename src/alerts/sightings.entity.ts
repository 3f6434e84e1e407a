import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * That series were seen firing, unchanged: "last seen" without a write to their alerts; and that series were seen
 * ending behind which no alert was open; and that an Alertmanager reported them which reconciling may not ask. Upkeep
 * carries over what an alert needs to stay open, and deletes the rest.
 */
@Entity({ schema: 'session_alerts', name: 'sightings', synchronize: false })
export class Sightings {
  /** When the request arrived that saw them: µs since 1970 by the database's clock. */
  @PrimaryColumn('bigint', { primaryKeyConstraintName: 'sightings_pkey' })
  arrival!: string;

  /** Tells requests apart that arrived in the same microsecond. */
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'sightings_pkey' })
  request!: string;

  /** Whose series they are, where the tables are distributed by user; else empty: a request may be about several. */
  @PrimaryColumn({
    type: 'text',
    name: 'user_id',
    collation: 'C',
    default: '',
    primaryKeyConstraintName: 'sightings_pkey',
  })
  userId!: string;

  /** Keys of the series. */
  @Column('bigint', { array: true })
  series!: string[];

  /** When each of them ended; `null` where they were all seen firing. */
  @Column('timestamptz', { name: 'ends_at', array: true, nullable: true })
  endsAt!: (Date | null)[] | null;

  /** External URL of the Alertmanager that reported them where it may be none of those that reconciling asks; of another system with its name before it (`grafana:…`). */
  @Column({ type: 'text', nullable: true })
  alertmanager!: string | null;
}
