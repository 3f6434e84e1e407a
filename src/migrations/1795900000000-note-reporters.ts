import type { MigrationInterface, QueryRunner } from 'typeorm';

/** By which Alertmanager series were reported that reconciling may not ask, and what is known of these. */
export class NoteReporters1795900000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE session_alerts.sightings ADD COLUMN alertmanager text`);
    await queryRunner.query(`
      ALTER TABLE session_alerts.reconciling
        ADD COLUMN addresses text[] NOT NULL DEFAULT '{}',
        ADD COLUMN known_as text[] NOT NULL DEFAULT '{}',
        ADD COLUMN unasked text[] NOT NULL DEFAULT '{}'`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE session_alerts.reconciling DROP COLUMN addresses, DROP COLUMN known_as, DROP COLUMN unasked`);
    await queryRunner.query(`ALTER TABLE session_alerts.sightings DROP COLUMN alertmanager`);
  }
}
