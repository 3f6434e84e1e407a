import type { MigrationInterface, QueryRunner } from 'typeorm';
import { lockOut } from './online-move.js';

/** What a user can do about an alert, as a button says it and where that leads. */
export class OfferActions1796000000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await lockOut(queryRunner, ['alerts']);
    await queryRunner.query(`
      ALTER TABLE session_alerts.alerts ADD COLUMN action_label text, ADD COLUMN action_url text`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await lockOut(queryRunner, ['alerts']);
    await queryRunner.query(`
      ALTER TABLE session_alerts.alerts DROP COLUMN action_label, DROP COLUMN action_url`);
  }
}
