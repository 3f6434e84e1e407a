import type { MigrationInterface, QueryRunner } from 'typeorm';
import { handOver } from './online-move.js';

/** Which replica reconciles, and when it last did: one an interval, not each in turn. */
export class TakeTurnsReconciling1795800000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE session_alerts.reconciling (
        id       smallint NOT NULL,
        replica  uuid NOT NULL,
        last_run timestamptz NOT NULL,
        CONSTRAINT reconciling_pkey PRIMARY KEY (id),
        CONSTRAINT reconciling_has_one_row CHECK (id = 1)
      )`);
    // Whoever serves may read and write one as the other.
    await handOver(queryRunner, { name: 'reconciling', of: 'feed' });
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE session_alerts.reconciling`);
  }
}
