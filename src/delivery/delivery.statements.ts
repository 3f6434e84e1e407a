import { randomUUID } from 'node:crypto';
import { plainArray, textArray } from '../database/array-literals.js';
import { amongUsers } from '../database/statement.js';
import type { Statement } from '../database/statement.js';
import { notifyPreferences } from '../database/transaction.statements.js';
import { SHOWN } from '../alerts/alerts.statements.js';
import type { AlertNews } from '../alerts/departures.js';
import type { Decision, DueDelivery } from './delivery-rules.js';

/** Where alerts are told that are at least so grave. */
export interface WantedAt {
  channel: string;
  target: string;
  gravity: number;
}

/** News, and a place where it is to be told. */
export interface WantedNews {
  news: AlertNews;
  channel: string;
  target: string;
}

/** When news about a user is due, as PostgreSQL reads it. */
export type DueDateOf = (userId: string) => string;

/** Writes what is to be told, once for each place. */
export function insertWanted(wanted: WantedNews[], dueDateOf: DueDateOf): Statement {
  const { from, of, values } = newsWith(
    wanted.map((one) => one.news),
    dueDateOf,
    [
      { name: 'id', type: 'uuid', values: idsOf(wanted) },
      { name: 'channel', type: 'text', values: wanted.map(({ channel }) => channel) },
      { name: 'target', type: 'text', values: wanted.map(({ target }) => target) },
    ],
  );
  return {
    name: 'session_alerts_insert_wanted',
    text: `
      INSERT INTO session_alerts.deliveries (due_date, id, transition, channel, target, user_id, alert_id)
      SELECT ${of('due_date')}, ${of('id')}, ${of('transition')}, ${of('channel')}, ${of('target')}, user_id, alert_id
        FROM ${from}`,
    values,
  };
}

/** The same, once for each target whose user wants to know it. */
export function insertForTargets(news: AlertNews[], dueDateOf: DueDateOf): Statement {
  const gravities = news.map(({ gravity }) => `${gravity}`);
  const { from, of, values } = newsWith(news, dueDateOf, [
    { name: 'gravity', type: 'smallint', values: gravities },
  ]);
  return {
    name: 'session_alerts_insert_for_targets',
    text: `
      INSERT INTO session_alerts.deliveries (due_date, id, transition, channel, target, user_id, alert_id)
      SELECT ${of('due_date')}, gen_random_uuid(), ${of('transition')}, place.channel, place.target, news.user_id,
             news.alert_id
        FROM ${from}
       CROSS JOIN LATERAL (
         SELECT target.channel, target.target
           FROM session_alerts.delivery_targets AS target
          WHERE target.user_id = news.user_id AND target.gravity <= ${of('gravity')}
            ${amongUsers('target.user_id', '$1')}) AS place`,
    values,
  };
}

/** What each of the news has besides its user and its alert. */
interface NewsColumn {
  name: string;
  type: string;
  values: string[];
}

/** News as `from` has them. A column that is the same for all, as most are, is sent once, and not as an array. */
function newsWith(news: AlertNews[], dueDateOf: DueDateOf, more: NewsColumn[]) {
  const columns: NewsColumn[] = [
    {
      name: 'due_date',
      type: 'timestamptz',
      values: news.map(({ userId }) => dueDateOf(userId)),
    },
    { name: 'transition', type: 'text', values: news.map(({ transition }) => transition) },
    ...more,
  ];
  const arrays = columns.map(({ type }, index) => `$${3 + 2 * index}::${type}[]`);
  return {
    from: `unnest($1::text[], $2::text[], ${arrays.join(', ')}) AS news (user_id, alert_id, ${columns.map(({ name }) => name).join(', ')})`,
    of: (wanted: string): string => {
      const index = columns.findIndex(({ name }) => name === wanted);
      return `coalesce(news.${wanted}, $${4 + 2 * index}::${columns[index]?.type ?? ''})`;
    },
    values: [
      textArray(news.map(({ userId }) => userId)),
      plainArray(news.map(({ alertId }) => alertId)),
      ...columns.flatMap(({ values }) => {
        const [first] = values;
        return values.every((value) => value === first) ? ['{}', first] : [textArray(values), null];
      }),
    ],
  };
}

/** What tells the deliveries of an alert from each other: the first of each may have the same. */
function idsOf(wanted: WantedNews[]): string[] {
  const ids: string[] = [];
  const places = new Map<string, number>();
  return wanted.map(({ news: { alertId } }) => {
    const place = places.get(alertId) ?? 0;
    places.set(alertId, place + 1);
    return (ids[place] ??= randomUUID());
  });
}

/** What of these alerts' users muted them, before they opened. */
export function muteOpened(news: AlertNews[], now: Date): Statement {
  return {
    name: 'session_alerts_mute_opened',
    text: `
      UPDATE session_alerts.alerts AS alert
         SET muted_until = muted.until
        FROM (SELECT opened.user_id, opened.alert_id, max(mute.until) AS until
                FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
                  AS opened (user_id, alert_id, event_type, session_name)
                JOIN session_alerts.mutes AS mute
                  ON mute.user_id = opened.user_id AND mute.event_type = opened.event_type
                 AND mute.session_name IN ('', opened.session_name) AND mute.until > $5
                 ${amongUsers('mute.user_id', '$1')}
               GROUP BY opened.user_id, opened.alert_id) AS muted
       WHERE alert.user_id = muted.user_id AND alert.id = muted.alert_id ${amongUsers('alert.user_id', '$1')}`,
    values: [
      textArray(news.map(({ userId }) => userId)),
      plainArray(news.map(({ alertId }) => alertId)),
      textArray(news.map(({ eventType }) => eventType ?? null)),
      textArray(news.map(({ sessionName }) => sessionName ?? '')),
      now,
    ],
  };
}

/** Said of what a message has brought: that it is over, once, unless it has happened or its user closed it. */
// Joined, they would be looked up by whatever the planner thinks of while the tables are empty.
const TO_BE_TOLD_OVER = `
  SELECT DISTINCT $1::timestamptz AS due_date, told.channel, told.target, told.user_id, told.alert_id
    FROM session_alerts.deliveries AS told
   WHERE told.transition <> 'over'
     AND (SELECT message.state FROM session_alerts.messages AS message
           WHERE message.user_id = told.user_id AND message.id = told.message_id) = 'sent'
     AND (SELECT alert.resolved_date IS NOT NULL AND NOT alert.is_event AND alert.resolved_reason <> 'dismissed'
            FROM session_alerts.alerts AS alert
           WHERE alert.user_id = told.user_id AND alert.id = told.alert_id)
     AND NOT EXISTS (SELECT FROM session_alerts.deliveries AS over
                      WHERE over.user_id = told.user_id AND over.alert_id = told.alert_id
                        AND over.channel = told.channel AND over.target = told.target
                        AND over.transition = 'over')`;

const INSERT_OVER = `
  INSERT INTO session_alerts.deliveries (due_date, id, transition, channel, target, user_id, alert_id)
  SELECT due_date, gen_random_uuid(), 'over', channel, target, user_id, alert_id`;

/** Writes that these alerts are over, for each target that was told of them. */
export function insertOver(alertIds: string[], userIds: string[], now: Date): Statement {
  return {
    name: 'session_alerts_insert_over',
    text: `${INSERT_OVER}
      FROM (${TO_BE_TOLD_OVER}
              AND told.user_id = ANY ($2::text[]) AND told.alert_id = ANY ($3::text[])) AS over`,
    values: [now, textArray([...new Set(userIds)]), plainArray(alertIds)],
  };
}

/** Who wants to be told of alerts, or not to be told of some: all, or one user. */
export function listInterested(userId: string | undefined): Statement {
  const ofUser = userId === undefined ? '' : 'AND user_id = $1';
  return {
    text: `
      SELECT user_id AS "userId", bool_or(channel IS NULL) AS "hasMutes",
             coalesce(json_agg(json_build_object('channel', channel, 'target', target, 'gravity', gravity))
               FILTER (WHERE channel IS NOT NULL), '[]') AS targets
        FROM (SELECT user_id, channel, target, gravity FROM session_alerts.delivery_targets
               WHERE gravity IS NOT NULL ${ofUser}
               UNION ALL
              SELECT user_id, NULL, NULL, NULL FROM session_alerts.mutes WHERE true ${ofUser}) AS said
       GROUP BY user_id`,
    values: userId === undefined ? [] : [userId],
  };
}

/** At most so many targets at once, and so many deliveries. */
const MOST_TARGETS = 500;
const MOST_DELIVERIES = 10_000;

/** Whether anything is due that goes with no message yet. */
export function isAnythingDue(now: Date): Statement {
  return {
    text: `
      SELECT EXISTS (SELECT 1 FROM session_alerts.deliveries WHERE message_id IS NULL AND due_date <= $1) AS due`,
    values: [now],
  };
}

/** What is due at the targets that have waited longest, and what will be before `until`. */
export function listDue(now: Date, until: Date): Statement {
  return {
    text: `
      SELECT delivery.user_id AS "userId", delivery.alert_id AS "alertId", delivery.id, delivery.channel,
             delivery.target, delivery.transition,
             floor(extract(epoch FROM delivery.due_date) * 1000)::bigint AS "dueDate", alert.id IS NOT NULL AS "isKnown",
             alert.resolved_date IS NULL AS "isOpen", alert.seen_date IS NOT NULL AS "isSeen", alert.gravity,
             (extract(epoch FROM alert.muted_until) * 1000)::bigint AS "mutedUntil"
        FROM (SELECT user_id, channel, target
                FROM session_alerts.deliveries
               WHERE message_id IS NULL AND due_date <= $1
               GROUP BY user_id, channel, target
               ORDER BY min(due_date)
               LIMIT ${MOST_TARGETS}) AS ready
        JOIN session_alerts.deliveries AS delivery
          ON delivery.user_id = ready.user_id AND delivery.channel = ready.channel
         AND delivery.target = ready.target AND delivery.message_id IS NULL AND delivery.due_date <= $2
        LEFT JOIN session_alerts.alerts AS alert
          ON alert.user_id = delivery.user_id AND alert.id = delivery.alert_id
       ORDER BY delivery.due_date
       LIMIT ${MOST_DELIVERIES}`,
    values: [now, until],
  };
}

/** What is known of users to whom something is due: their quiet hours, and what they were told since then. */
export function listTold(userIds: string[], since: Date): Statement {
  return {
    text: `
      SELECT asked.user_id AS "userId", preferences.quiet_from AS "quietFrom", preferences.quiet_to AS "quietTo",
             preferences.time_zone AS "timeZone", preferences.critical_passes AS "criticalPasses",
             (SELECT coalesce(json_agg(json_build_object('channel', channel, 'target', target,
                       'createdDate', (extract(epoch FROM created_date) * 1000)::bigint) ORDER BY created_date), '[]')
                FROM session_alerts.messages AS message
               WHERE message.user_id = asked.user_id AND created_date > $2
                 ${amongUsers('message.user_id', '$1')}) AS lately
        FROM unnest($1::text[]) AS asked (user_id)
        LEFT JOIN session_alerts.preferences
          ON preferences.user_id = asked.user_id ${amongUsers('preferences.user_id', '$1')}`,
    values: [textArray([...new Set(userIds)]), since],
  };
}

function keysOf(deliveries: DueDelivery[]): string[] {
  return [
    textArray(deliveries.map(({ userId }) => userId)),
    plainArray(deliveries.map(({ alertId }) => alertId)),
    plainArray(deliveries.map(({ id }) => id)),
  ];
}

const KEYED = `delivery.user_id = given.user_id AND delivery.alert_id = given.alert_id AND delivery.id = given.id`;

/** Writes what was decided; messages have these ids, in their order. */
export function writeDecision(
  { needless, postponed, messages }: Decision,
  ids: string[],
  now: Date,
): Statement[] {
  const statements: Statement[] = [];
  if (needless.length > 0) {
    statements.push({
      text: `
        DELETE FROM session_alerts.deliveries AS delivery
         USING unnest($1::text[], $2::text[], $3::uuid[]) AS given (user_id, alert_id, id) WHERE ${KEYED}`,
      values: keysOf(needless.map(({ delivery }) => delivery)),
    });
  }
  if (postponed.length > 0) {
    statements.push({
      text: `
        UPDATE session_alerts.deliveries AS delivery SET due_date = given.until
          FROM unnest($1::text[], $2::text[], $3::uuid[], $4::timestamptz[]) AS given (user_id, alert_id, id, until)
         WHERE ${KEYED}`,
      values: [
        ...keysOf(postponed.map(({ delivery }) => delivery)),
        plainArray(postponed.map(({ until }) => until.toISOString())),
      ],
    });
  }
  if (messages.length > 0) {
    const told = messages.flatMap(({ deliveries }, index) =>
      deliveries.map((delivery) => ({ delivery, messageId: ids[index] ?? '' })),
    );
    statements.push(
      {
        text: `
          INSERT INTO session_alerts.messages (created_date, next_try, id, attempts, state, channel, target, user_id)
          SELECT $5, $5, id, 0, 'waiting', channel, target, user_id
            FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS made (id, user_id, channel, target)`,
        values: [
          plainArray(ids),
          textArray(messages.map(({ target }) => target.userId)),
          textArray(messages.map(({ target }) => target.channel)),
          textArray(messages.map(({ target }) => target.target)),
          now,
        ],
      },
      {
        text: `
          UPDATE session_alerts.deliveries AS delivery SET message_id = given.message_id
            FROM unnest($1::text[], $2::text[], $3::uuid[], $4::uuid[]) AS given (user_id, alert_id, id, message_id)
           WHERE ${KEYED} AND delivery.message_id IS NULL`,
        values: [
          ...keysOf(told.map(({ delivery }) => delivery)),
          plainArray(told.map(({ messageId }) => messageId)),
        ],
      },
    );
  }
  return statements;
}

/**
 * Takes at most so many messages whose time has come, those that have waited longest first; the attempt counts now. Nobody
 * else takes one until its lease (ms) is over.
 * @param areDistributed on several machines no lock can be passed over: who comes second waits, and finds that its time
 * has not come any more
 */
export function claim(
  now: Date,
  { channel, lease, most }: { channel: string; lease: number; most: number },
  areDistributed = false,
): Statement {
  const leaveToOthers = areDistributed ? '' : 'FOR NO KEY UPDATE SKIP LOCKED';
  return {
    text: `
      WITH claimed AS (
      UPDATE session_alerts.messages AS message
         SET attempts = attempts + 1, next_try = $1::timestamptz + $2::interval, reason = NULL
        FROM (SELECT user_id, id
                FROM session_alerts.messages
               WHERE next_try <= $1 AND channel = $4
               ORDER BY next_try
               LIMIT $3
                 ${leaveToOthers}) AS ready
       WHERE message.user_id = ready.user_id AND message.id = ready.id AND message.next_try <= $1
      RETURNING message.*
      )
      SELECT user_id AS "userId", id, channel, target, attempts,
             (extract(epoch FROM created_date) * 1000)::bigint AS "createdDate"
        FROM claimed`,
    values: [now, `${lease} ms`, most, channel],
  };
}

/** What these messages bring, what each target needs to be reached, and in which language its user reads. */
export function listContents(messages: { userId: string; id: string }[]): Statement[] {
  const values = [textArray(messages.map(({ userId }) => userId)), plainArray(messages.map(({ id }) => id))];
  return [
    {
      text: `
        SELECT delivery.message_id, delivery.transition, alert.*
          FROM unnest($1::text[], $2::uuid[]) AS message (user_id, id)
          JOIN session_alerts.deliveries AS delivery
            ON delivery.user_id = message.user_id AND delivery.message_id = message.id
           ${amongUsers('delivery.user_id', '$1')}
         CROSS JOIN LATERAL (
           SELECT ${SHOWN}, gravity
             FROM session_alerts.alerts AS kept
            WHERE kept.user_id = delivery.user_id AND kept.id = delivery.alert_id
              ${amongUsers('kept.user_id', '$1')}) AS alert`,
      values,
    },
    {
      text: `
        SELECT message.id, target.details, preferences.locale, began.message_id AS "beganWith"
          FROM unnest($1::text[], $2::uuid[]) AS asked (user_id, id)
          JOIN session_alerts.messages AS message
            ON message.user_id = asked.user_id AND message.id = asked.id ${amongUsers('message.user_id', '$1')}
          LEFT JOIN session_alerts.delivery_targets AS target
            ON target.user_id = message.user_id AND target.channel = message.channel
           AND target.target = message.target AND target.gravity IS NOT NULL ${amongUsers('target.user_id', '$1')}
          LEFT JOIN session_alerts.preferences
            ON preferences.user_id = message.user_id ${amongUsers('preferences.user_id', '$1')}
          LEFT JOIN LATERAL (
            SELECT told.message_id
              FROM session_alerts.deliveries AS own
              JOIN session_alerts.deliveries AS told
                ON told.user_id = own.user_id AND told.alert_id = own.alert_id AND told.channel = own.channel
               AND told.target = own.target AND told.message_id IS NOT NULL AND told.message_id <> message.id
              JOIN session_alerts.messages AS earlier
                ON earlier.user_id = told.user_id AND earlier.id = told.message_id AND earlier.state = 'sent'
             WHERE own.user_id = message.user_id AND own.message_id = message.id
               ${amongUsers('own.user_id', '$1')} ${amongUsers('told.user_id', '$1')} ${amongUsers('earlier.user_id', '$1')}
             ORDER BY earlier.created_date
             LIMIT 1) AS began ON true`,
      values,
    },
  ];
}

/** How an attempt ended. */
export type Ending =
  /** With these alerts; what else it would have brought was not of use any more, and was not told. */
  | { state: 'sent'; alertIds: string[] }
  | { state: 'needless' }
  | { state: 'given_up'; reason: string }
  | { state: 'waiting'; reason: string; nextTry: Date };

/** Writes how an attempt ended, unless another has begun since. Of what has ended since it was told, that it is over. */
export function endAttempt(
  { userId, id, attempts }: { userId: string; id: string; attempts: number },
  ending: Ending,
  now: Date,
): Statement[] {
  return [
    {
      text: `
        UPDATE session_alerts.messages
           SET state = $4, reason = $5, next_try = $6, ended_date = CASE WHEN $4 <> 'waiting' THEN $7::timestamptz END
         WHERE user_id = $1 AND id = $2 AND attempts = $3 AND state = 'waiting'`,
      values: [
        userId,
        id,
        attempts,
        ending.state,
        'reason' in ending ? ending.reason : null,
        'nextTry' in ending ? ending.nextTry : null,
        now,
      ],
    },
    ...(ending.state === 'sent'
      ? [
          {
            text: `
              DELETE FROM session_alerts.deliveries
               WHERE user_id = $1 AND message_id = $2 AND alert_id <> ALL ($3::text[])`,
            values: [userId, id, ending.alertIds],
          },
          {
            text: `${INSERT_OVER}
              FROM (${TO_BE_TOLD_OVER} AND told.user_id = $2 AND told.message_id = $3) AS over`,
            values: [now, userId, id],
          },
        ]
      : []),
  ];
}

/** Gives up what has waited since before then for channels other than these. */
export function giveUpOthers(channels: string[], before: Date, reason: string, now: Date): Statement {
  return {
    text: `
      UPDATE session_alerts.messages
         SET state = 'given_up', reason = $3, next_try = NULL, ended_date = $4
       WHERE next_try IS NOT NULL AND created_date < $2 AND channel <> ALL ($1::text[])`,
    values: [channels, before, reason, now],
  };
}

/** Forgets a target that is no more, and what was still to be told there. */
export function forgetTarget(userId: string, channel: string, target: string): Statement[] {
  const values = [userId, channel, target];
  return [
    {
      text: `
        DELETE FROM session_alerts.delivery_targets WHERE user_id = $1 AND channel = $2 AND target = $3`,
      values,
    },
    {
      text: `
        DELETE FROM session_alerts.deliveries
         WHERE user_id = $1 AND channel = $2 AND target = $3 AND message_id IS NULL`,
      values,
    },
    notifyPreferences(userId),
  ];
}

/** When something has been due the longest that nobody has told; nothing where nothing is. */
export function oldestDue(now: Date): Statement {
  return {
    text: `
      SELECT extract(epoch FROM $1 - min(due)) AS age
        FROM (SELECT min(due_date) AS due FROM session_alerts.deliveries WHERE message_id IS NULL AND due_date <= $1
               UNION ALL
              SELECT min(created_date) FROM session_alerts.messages WHERE next_try IS NOT NULL) AS waiting`,
    values: [now],
  };
}

/** Writes that these users have a page open at this replica, until then. */
export function notePages(replica: string, userIds: string[], until: Date): Statement {
  return {
    text: `
      INSERT INTO session_alerts.open_pages (until, replica, user_id)
      SELECT $1, $2::uuid, user_id FROM unnest($3::text[]) AS opened (user_id)
      ON CONFLICT (user_id, replica) DO UPDATE SET until = excluded.until`,
    values: [until, replica, textArray(userIds)],
  };
}

/** In one row, as JSON: there may be a hundred thousand, and rows would keep everybody waiting while they are parsed. */
export function listPagesElsewhere(replica: string, now: Date): Statement {
  return {
    text: `
      SELECT coalesce(json_agg(user_id), '[]') AS "userIds"
        FROM session_alerts.open_pages WHERE replica <> $1::uuid AND until > $2`,
    values: [replica, now],
  };
}

export function forgetPages(replica: string, userIds: string[]): Statement {
  return {
    text: `DELETE FROM session_alerts.open_pages WHERE replica = $1::uuid AND user_id = ANY ($2::text[])`,
    values: [replica, textArray(userIds)],
  };
}

/** Deletes what was told longer ago, and pages of replicas that are gone. */
export function deleteTold(before: Date, now: Date): Statement[] {
  return [
    { text: `DELETE FROM session_alerts.open_pages WHERE until < $1`, values: [now] },
    {
      text: `
        DELETE FROM session_alerts.deliveries AS delivery
         USING session_alerts.messages AS message
         WHERE message.user_id = delivery.user_id AND message.id = delivery.message_id
           AND message.created_date < $1 AND message.next_try IS NULL`,
      values: [before],
    },
    {
      text: `DELETE FROM session_alerts.messages WHERE created_date < $1 AND next_try IS NULL`,
      values: [before],
    },
    { text: `DELETE FROM session_alerts.mutes WHERE until < $1`, values: [now] },
  ];
}

const OF_USERS = ['preferences', 'mutes', 'delivery_targets', 'deliveries', 'messages', 'open_pages'];

/** Deletes all that is kept here about a user. */
export function eraseUser(userId: string): Statement[] {
  const deletes = OF_USERS.map((table) => ({
    text: `DELETE FROM session_alerts.${table} WHERE user_id = $1`,
    values: [userId],
  }));
  return [...deletes, notifyPreferences(userId)];
}
