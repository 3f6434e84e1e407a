import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockOut } from './online-move.js';

/**
 * Whose series were sighted, where tables are distributed by user: the last key without the user. The log is of some
 * hours, so that its index is made in a moment. What a version before goes on writing meanwhile is said to be nobody's, as
 * all is on one machine.
 */
export class SayWhoseSightings1796200000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await lockOut(queryRunner, ['sightings']);
    await queryRunner.query(`
      ALTER TABLE session_alerts.sightings
        ADD COLUMN user_id text COLLATE "C" NOT NULL DEFAULT '',
        DROP CONSTRAINT sightings_pkey,
        ADD CONSTRAINT sightings_pkey PRIMARY KEY (arrival, user_id, request)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await lockOut(queryRunner, ['sightings']);
    await queryRunner.query(`
      ALTER TABLE session_alerts.sightings
        DROP CONSTRAINT sightings_pkey,
        ADD CONSTRAINT sightings_pkey PRIMARY KEY (arrival, request),
        DROP COLUMN user_id`);
  }
}
