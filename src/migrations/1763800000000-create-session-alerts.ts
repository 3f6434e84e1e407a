import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The tables; the schema is there, as the list of migrations stands in it. */
export class CreateSessionAlerts1763800000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE session_alerts.alerts (
        id              text COLLATE "C" NOT NULL,
        fingerprint     uuid NOT NULL,
        user_id         text COLLATE "C" NOT NULL,
        session_name    text COLLATE "C",
        event_type      text NOT NULL,
        title           text NOT NULL,
        message         text NOT NULL,
        severity        text,
        kind            text NOT NULL,
        source          text NOT NULL,
        runbook_url     text,
        creation_date   timestamptz NOT NULL,
        updated_date    timestamptz NOT NULL,
        last_seen       timestamptz NOT NULL,
        resolved_date   timestamptz,
        resolved_reason text,
        CONSTRAINT alerts_pkey PRIMARY KEY (id),
        CONSTRAINT alerts_closing_has_reason CHECK ((resolved_date IS NULL) = (resolved_reason IS NULL))
      )`);
    await queryRunner.query(`
      CREATE UNIQUE INDEX alerts_open_fingerprint
        ON session_alerts.alerts (fingerprint) WHERE resolved_date IS NULL`);
    await queryRunner.query(`
      CREATE INDEX alerts_open_by_user
        ON session_alerts.alerts (user_id, creation_date) WHERE resolved_date IS NULL`);
    await queryRunner.query(`
      CREATE INDEX alerts_resolved_by_user
        ON session_alerts.alerts (user_id, resolved_date) WHERE resolved_date IS NOT NULL`);
    await queryRunner.query(`
      CREATE INDEX alerts_open_by_session
        ON session_alerts.alerts (session_name) WHERE resolved_date IS NULL`);
    await queryRunner.query(`
      CREATE INDEX alerts_resolved_by_date
        ON session_alerts.alerts (resolved_date) WHERE resolved_date IS NOT NULL`);
    await queryRunner.query(`
      CREATE TABLE session_alerts.alert_series (
        id             uuid NOT NULL,
        fingerprint    text NOT NULL,
        alert_id       text COLLATE "C",
        firing         boolean NOT NULL,
        closed_by_hand boolean NOT NULL,
        starts_at      timestamptz NOT NULL,
        ends_at        timestamptz,
        arrival        bigint NOT NULL,
        CONSTRAINT alert_series_pkey PRIMARY KEY (id),
        CONSTRAINT alert_series_alert_id_fkey
          FOREIGN KEY (alert_id) REFERENCES session_alerts.alerts (id) ON DELETE CASCADE
      )`);
    await queryRunner.query(`CREATE INDEX alert_series_by_alert ON session_alerts.alert_series (alert_id)`);
    await queryRunner.query(`
      CREATE INDEX alert_series_stray
        ON session_alerts.alert_series (arrival) WHERE alert_id IS NULL`);
    await queryRunner.query(`
      CREATE TABLE session_alerts.feed (
        id        smallint NOT NULL,
        last_seen timestamptz NOT NULL,
        CONSTRAINT feed_pkey PRIMARY KEY (id),
        CONSTRAINT feed_has_one_row CHECK (id = 1)
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE session_alerts.feed`);
    await queryRunner.query(`DROP TABLE session_alerts.alert_series`);
    await queryRunner.query(`DROP TABLE session_alerts.alerts`);
  }
}
