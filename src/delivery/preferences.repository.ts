import { Injectable } from '@nestjs/common';
import { textArray, plainArray } from '../database/array-literals.js';
import { AlertsDatabase } from '../database/alerts-database.js';
import type { Statement } from '../database/statement.js';
import { notifyPreferences } from '../database/transaction.statements.js';
import { WEBHOOK } from './alert-channels.service.js';
import type { KeptChannel, KeptPreferences } from './preferences.dto.js';
import { quietHoursIn } from './quiet-hours.js';
import type { QuietHoursColumns } from './quiet-hours.js';
import type { UnsubscribeKey } from './unsubscribe-key.js';

interface PreferencesRow extends QuietHoursColumns {
  channels: Record<string, KeptChannel>;
}

interface MuteRow {
  eventType: string;
  sessionName: string;
  until: string;
}

/** Reads and writes what users have said of how to be told. */
@Injectable()
export class PreferencesRepository {
  constructor(private readonly database: AlertsDatabase) {}

  /** @returns what is kept; without what was said nothing is on */
  async read(userId: string): Promise<KeptPreferences> {
    const { now, rows } = await this.database.readAt(readAll(userId));
    return keptFrom(rows, now);
  }

  /**
   * Keeps these instead of what was said before. What was still to be told at a target that is no more is not.
   * @param locale of the token by which it is said
   */
  async write(userId: string, kept: KeptPreferences, locale: string | undefined): Promise<void> {
    await this.database.transaction([userId], [], (now) => ({
      writes: [...writeAll(userId, kept, locale, now), notifyPreferences(userId)],
      users: new Set([userId]),
      answer: () => undefined,
    }));
  }

  /** Whether it is the key that a user's messages of this channel carry. */
  async hasKey(channel: string, { userId, secret }: UnsubscribeKey): Promise<boolean> {
    const found = await this.database.query({
      text: `
        SELECT FROM session_alerts.delivery_targets
         WHERE user_id = $1 AND channel = $2 AND details ->> 'key' = $3`,
      values: [userId, channel, secret],
    });
    return found.length > 0;
  }

  /** Turns a channel off that has one target; of that the key is kept, by which it may be asked for again. */
  async turnOff(channel: string, userId: string): Promise<void> {
    await this.database.transaction([userId], [], () => ({
      writes: [
        {
          text: `
            UPDATE session_alerts.preferences
               SET channels = jsonb_set(channels::jsonb, ARRAY[$2, 'enabled'], 'false')
             WHERE user_id = $1 AND channels -> $2 IS NOT NULL`,
          values: [userId, channel],
        },
        {
          text: `
            UPDATE session_alerts.delivery_targets
               SET gravity = NULL, details = jsonb_set('{}', '{key}', coalesce(details::jsonb -> 'key', 'null'))::json
             WHERE user_id = $1 AND channel = $2`,
          values: [userId, channel],
        },
        ...dropUntold(userId),
        notifyPreferences(userId),
      ],
      users: new Set(),
      answer: () => undefined,
    }));
  }
}

function readAll(userId: string): Statement[] {
  const values = [userId];
  return [
    {
      text: `
        SELECT channels, quiet_from AS "quietFrom", quiet_to AS "quietTo", time_zone AS "timeZone",
               critical_passes AS "criticalPasses"
          FROM session_alerts.preferences WHERE user_id = $1`,
      values,
    },
    {
      text: `
        SELECT event_type AS "eventType", session_name AS "sessionName",
               (extract(epoch FROM until) * 1000)::bigint AS until
          FROM session_alerts.mutes WHERE user_id = $1 ORDER BY event_type, session_name`,
      values,
    },
    {
      text: `
        SELECT channel, target, gravity, details
          FROM session_alerts.delivery_targets WHERE user_id = $1 ORDER BY channel, target`,
      values,
    },
  ];
}

function keptFrom(rows: unknown[][], now: Date): KeptPreferences {
  const [[said], mutes, targets] = rows as [[PreferencesRow?], MuteRow[], KeptPreferences['targets']];
  return {
    channels: said?.channels ?? {},
    quietHours: quietHoursIn(said),
    mutes: mutes
      .map(({ until, ...mute }) => ({ ...mute, until: new Date(Number(until)) }))
      .filter(({ until }) => until > now),
    targets,
  };
}

function writeAll(
  userId: string,
  { channels, quietHours, mutes, targets }: KeptPreferences,
  locale: string | undefined,
  now: Date,
): Statement[] {
  return [
    {
      text: `
        INSERT INTO session_alerts.preferences
          (user_id, channels, quiet_from, quiet_to, time_zone, critical_passes, locale)
        VALUES ($1, $2::json, $3, $4, $5, $6, $7)
        ON CONFLICT (user_id) DO UPDATE
          SET channels = excluded.channels, quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to,
              time_zone = excluded.time_zone, critical_passes = excluded.critical_passes,
              locale = coalesce(excluded.locale, preferences.locale)`,
      values: [
        userId,
        JSON.stringify(channels),
        quietHours?.from,
        quietHours?.to,
        quietHours?.timeZone,
        quietHours?.criticalPasses ?? false,
        locale,
      ],
    },
    { text: `DELETE FROM session_alerts.mutes WHERE user_id = $1`, values: [userId] },
    {
      text: `
        INSERT INTO session_alerts.mutes (user_id, event_type, session_name, until)
        SELECT $1, event_type, session_name, until
          FROM unnest($2::text[], $3::text[], $4::timestamptz[]) AS mute (event_type, session_name, until)`,
      values: [
        userId,
        textArray(mutes.map(({ eventType }) => eventType)),
        textArray(mutes.map(({ sessionName }) => sessionName)),
        plainArray(mutes.map(({ until }) => until.toISOString())),
      ],
    },
    // What is open says so at once.
    {
      text: `
        UPDATE session_alerts.alerts AS alert
           SET muted_until = said.until
          FROM (SELECT open.id, (SELECT max(mute.until)
                                   FROM session_alerts.mutes AS mute
                                  WHERE mute.user_id = $1 AND mute.event_type = open.event_type
                                    AND mute.session_name IN ('', open.session_name) AND mute.until > $2) AS until
                  FROM session_alerts.alerts AS open
                 WHERE open.user_id = $1 AND open.resolved_date IS NULL) AS said
         WHERE alert.user_id = $1 AND alert.id = said.id AND alert.muted_until IS DISTINCT FROM said.until`,
      values: [userId, now],
    },
    {
      text: `
        DELETE FROM session_alerts.delivery_targets AS target
         WHERE user_id = $1
           AND NOT EXISTS (SELECT FROM unnest($2::text[], $3::text[]) AS kept (channel, target)
                            WHERE kept.channel = target.channel AND kept.target = target.target)`,
      values: [userId, ...targetKeys(targets)],
    },
    {
      text: `
        INSERT INTO session_alerts.delivery_targets (user_id, channel, target, gravity, details)
        SELECT $1, channel, target, gravity, details
          FROM unnest($2::text[], $3::text[], $4::smallint[], $5::text[])
            AS said (channel, target, gravity, text), LATERAL (SELECT text::json AS details) AS json
        ON CONFLICT (user_id, channel, target) DO UPDATE
          SET gravity = excluded.gravity, details = excluded.details`,
      values: [
        userId,
        ...targetKeys(targets),
        plainArray(targets.map(({ gravity }) => gravity)),
        textArray(targets.map(({ details }) => JSON.stringify(details))),
      ],
    },
    ...dropUntold(userId),
  ];
}

function targetKeys(targets: KeptPreferences['targets']): string[] {
  return [textArray(targets.map(({ channel }) => channel)), textArray(targets.map(({ target }) => target))];
}

/** What was still to be told where the user does not want to be told any more. */
function dropUntold(userId: string): Statement[] {
  return [
    {
      text: `
        DELETE FROM session_alerts.deliveries AS delivery
         WHERE user_id = $1 AND message_id IS NULL
           AND EXISTS (SELECT FROM session_alerts.preferences WHERE user_id = $1)
           AND NOT EXISTS (SELECT FROM session_alerts.delivery_targets AS target
                            WHERE target.user_id = $1 AND target.channel = delivery.channel
                              AND target.target = delivery.target AND target.gravity IS NOT NULL)
           AND delivery.channel <> '${WEBHOOK}'`,
      values: [userId],
    },
  ];
}
