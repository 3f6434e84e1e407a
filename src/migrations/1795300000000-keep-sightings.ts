import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What makes writes cheap: unchanged repeats go into a log of their own, and no index or foreign key is left
 * that every update of a series, or every closing, would have to serve.
 */
export class KeepSightings1795300000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE session_alerts.sightings (
        arrival bigint NOT NULL,
        request uuid NOT NULL,
        series  uuid[] NOT NULL,
        CONSTRAINT sightings_pkey PRIMARY KEY (arrival, request)
      )`);
    // Ids do not compress.
    await queryRunner.query(`ALTER TABLE session_alerts.sightings ALTER COLUMN series SET STORAGE EXTERNAL`);
    await queryRunner.query(`
      ALTER TABLE session_alerts.alert_series DROP CONSTRAINT alert_series_alert_id_fkey`);
    // An index over `arrival` would keep every update of a series from staying on its page.
    await queryRunner.query(`DROP INDEX session_alerts.alert_series_stray`);
    await queryRunner.query(`
      CREATE INDEX alert_series_stray ON session_alerts.alert_series (id) WHERE alert_id IS NULL`);
    // Retention walks the primary key: ids carry the time of creation.
    await queryRunner.query(`DROP INDEX session_alerts.alerts_resolved_by_date`);
    // Each says the column that it is searched by, or a plan for small tables walks all of another's open alerts.
    await queryRunner.query(`DROP INDEX session_alerts.alerts_open_fingerprint`);
    await queryRunner.query(`
      CREATE UNIQUE INDEX alerts_open_fingerprint
        ON session_alerts.alerts (fingerprint) WHERE resolved_date IS NULL AND fingerprint IS NOT NULL`);
    await queryRunner.query(`DROP INDEX session_alerts.alerts_open_by_user`);
    await queryRunner.query(`
      CREATE INDEX alerts_open_by_user
        ON session_alerts.alerts (user_id, creation_date) WHERE resolved_date IS NULL AND user_id IS NOT NULL`);
    await queryRunner.query(`DROP INDEX session_alerts.alerts_open_by_session`);
    await queryRunner.query(`
      CREATE INDEX alerts_open_by_session
        ON session_alerts.alerts (session_name) WHERE resolved_date IS NULL AND session_name IS NOT NULL`);
    await queryRunner.query(`
      ALTER TABLE session_alerts.alerts
        SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02)`);
    await queryRunner.query(`
      ALTER TABLE session_alerts.alert_series
        SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE session_alerts.alert_series RESET (fillfactor, autovacuum_vacuum_scale_factor)`);
    await queryRunner.query(`
      ALTER TABLE session_alerts.alerts
        RESET (autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor)`);
    await queryRunner.query(`DROP INDEX session_alerts.alerts_open_by_session`);
    await queryRunner.query(`
      CREATE INDEX alerts_open_by_session
        ON session_alerts.alerts (session_name) WHERE resolved_date IS NULL`);
    await queryRunner.query(`DROP INDEX session_alerts.alerts_open_by_user`);
    await queryRunner.query(`
      CREATE INDEX alerts_open_by_user
        ON session_alerts.alerts (user_id, creation_date) WHERE resolved_date IS NULL`);
    await queryRunner.query(`DROP INDEX session_alerts.alerts_open_fingerprint`);
    await queryRunner.query(`
      CREATE UNIQUE INDEX alerts_open_fingerprint
        ON session_alerts.alerts (fingerprint) WHERE resolved_date IS NULL`);
    await queryRunner.query(`
      CREATE INDEX alerts_resolved_by_date
        ON session_alerts.alerts (resolved_date) WHERE resolved_date IS NOT NULL`);
    await queryRunner.query(`DROP INDEX session_alerts.alert_series_stray`);
    await queryRunner.query(`
      CREATE INDEX alert_series_stray
        ON session_alerts.alert_series (arrival) WHERE alert_id IS NULL`);
    await queryRunner.query(`
      DELETE FROM session_alerts.alert_series AS series
       WHERE alert_id IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM session_alerts.alerts AS alert WHERE alert.id = series.alert_id)`);
    await queryRunner.query(`
      ALTER TABLE session_alerts.alert_series
        ADD CONSTRAINT alert_series_alert_id_fkey
          FOREIGN KEY (alert_id) REFERENCES session_alerts.alerts (id) ON DELETE CASCADE`);
    // What was seen last is carried over, so that nothing is thought overdue.
    await queryRunner.query(`
      UPDATE session_alerts.alerts AS alert
         SET last_seen = greatest(alert.last_seen, to_timestamp(seen.arrival / 1e6))
        FROM (SELECT series.alert_id, max(sighting.arrival) AS arrival
                FROM session_alerts.sightings AS sighting
               CROSS JOIN unnest(sighting.series) AS sighted (id)
                JOIN session_alerts.alert_series AS series ON series.id = sighted.id
               GROUP BY series.alert_id) AS seen
       WHERE alert.id = seen.alert_id AND alert.resolved_date IS NULL`);
    await queryRunner.query(`DROP TABLE session_alerts.sightings`);
  }
}
