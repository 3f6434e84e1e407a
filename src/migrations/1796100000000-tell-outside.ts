import type { MigrationInterface, QueryRunner } from 'typeorm';
import { handOver, lockOut } from './online-move.js';

const TABLES = ['preferences', 'mutes', 'delivery_targets', 'deliveries', 'messages', 'open_pages'];

/** What people have seen and muted, where they want to be told of alerts, and what they are told there. */
export class TellOutside1796100000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE session_alerts.preferences (
        user_id         text COLLATE "C" NOT NULL,
        channels        json NOT NULL,
        quiet_from      smallint,
        quiet_to        smallint,
        time_zone       text,
        critical_passes boolean NOT NULL,
        locale          text,
        CONSTRAINT preferences_pkey PRIMARY KEY (user_id),
        CONSTRAINT preferences_quiet_hours_are_whole CHECK (num_nulls(quiet_from, quiet_to, time_zone) IN (0, 3))
      )`);
    await queryRunner.query(`
      CREATE TABLE session_alerts.mutes (
        user_id      text COLLATE "C" NOT NULL,
        event_type   text COLLATE "C" NOT NULL,
        session_name text COLLATE "C" NOT NULL,
        until        timestamptz NOT NULL,
        CONSTRAINT mutes_pkey PRIMARY KEY (user_id, event_type, session_name)
      )`);
    await queryRunner.query(`
      CREATE TABLE session_alerts.delivery_targets (
        user_id text COLLATE "C" NOT NULL,
        channel text COLLATE "C" NOT NULL,
        target  text COLLATE "C" NOT NULL,
        gravity smallint,
        details json NOT NULL,
        CONSTRAINT delivery_targets_pkey PRIMARY KEY (user_id, channel, target)
      )`);
    await queryRunner.query(`
      CREATE TABLE session_alerts.deliveries (
        due_date   timestamptz NOT NULL,
        id         uuid NOT NULL,
        message_id uuid,
        transition text NOT NULL,
        channel    text COLLATE "C" NOT NULL,
        target     text COLLATE "C" NOT NULL,
        user_id    text COLLATE "C" NOT NULL,
        alert_id   text COLLATE "C" NOT NULL,
        CONSTRAINT deliveries_pkey PRIMARY KEY (user_id, alert_id, id)
      )`);
    await queryRunner.query(`
      CREATE INDEX deliveries_due ON session_alerts.deliveries (due_date) WHERE message_id IS NULL`);
    await queryRunner.query(`
      CREATE INDEX deliveries_of_message ON session_alerts.deliveries (user_id, message_id)
       WHERE message_id IS NOT NULL`);
    await queryRunner.query(`
      CREATE TABLE session_alerts.messages (
        created_date timestamptz NOT NULL,
        next_try     timestamptz,
        ended_date   timestamptz,
        id           uuid NOT NULL,
        attempts     integer NOT NULL,
        state        text NOT NULL,
        reason       text,
        channel      text COLLATE "C" NOT NULL,
        target       text COLLATE "C" NOT NULL,
        user_id      text COLLATE "C" NOT NULL,
        CONSTRAINT messages_pkey PRIMARY KEY (user_id, id),
        CONSTRAINT messages_waiting_are_tried CHECK ((state = 'waiting') = (next_try IS NOT NULL))
      )`);
    await queryRunner.query(`
      CREATE INDEX messages_waiting ON session_alerts.messages (next_try) WHERE next_try IS NOT NULL`);
    await queryRunner.query(`
      CREATE INDEX messages_lately ON session_alerts.messages (user_id, created_date)`);
    await queryRunner.query(`
      CREATE TABLE session_alerts.open_pages (
        until   timestamptz NOT NULL,
        replica uuid NOT NULL,
        user_id text COLLATE "C" NOT NULL,
        CONSTRAINT open_pages_pkey PRIMARY KEY (user_id, replica)
      )`);
    // Whoever serves may read, write and delete in them as in the alerts.
    for (const name of TABLES) await handOver(queryRunner, { name, of: 'alerts' });
    await lockOut(queryRunner, ['alerts']);
    await queryRunner.query(`
      ALTER TABLE session_alerts.alerts ADD COLUMN seen_date timestamptz, ADD COLUMN muted_until timestamptz`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await lockOut(queryRunner, ['alerts']);
    await queryRunner.query(
      `ALTER TABLE session_alerts.alerts DROP COLUMN seen_date, DROP COLUMN muted_until`,
    );
    for (const name of TABLES) await queryRunner.query(`DROP TABLE session_alerts.${name}`);
  }
}
