import type { MigrationInterface, QueryRunner } from 'typeorm';

/** So that the history of a session is found without looking through all of its user's, however long that is. */
export class FindHistoryBySession1795600000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE INDEX alerts_resolved_by_session
        ON session_alerts.alerts (user_id, session_name, resolved_date)
        WHERE resolved_reason IS NOT NULL AND session_name IS NOT NULL`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP INDEX session_alerts.alerts_resolved_by_session`);
  }
}
