-- Renku's quota alerts as a webhook: what its data tasks write into notifications.alerts, and never resolve.
-- To be run on Renku's own database, after each of its checks: see docs/renku.md.
--
-- A row that is open is one that the last check wrote. It is closed here, so that the next check writes another one
-- where the quota is still low; where none has come for a quarter of an hour, it no longer is.
WITH rows AS MATERIALIZED (
  SELECT user_id, session_name, event_type, title, message, creation_date, resolved_date IS NULL AS is_open,
         coalesce(creation_date - lag(creation_date) OVER of_one > '15 minutes', true) AS is_first
    FROM notifications.alerts
   WHERE event_type IN ('session_quota_low', 'session_quota_critically_low', 'session_quota_exhausted')
     AND session_name IS NOT NULL
     AND creation_date > now() - interval '31 days'
  WINDOW of_one AS (PARTITION BY user_id, session_name, event_type ORDER BY creation_date)
), latest AS (
  SELECT DISTINCT ON (user_id, session_name, event_type)
         user_id, session_name, event_type, title, message, creation_date AS last_seen,
         max(creation_date) FILTER (WHERE is_first)
           OVER (PARTITION BY user_id, session_name, event_type) AS starts_at,
         creation_date > now() - interval '15 minutes' AS is_low
    FROM rows
   ORDER BY user_id, session_name, event_type, creation_date DESC
), said AS (
  SELECT latest.*,
         -- A check writes one of the three about a session: people are told the last.
         is_low AND NOT EXISTS (
           SELECT FROM latest AS later
            WHERE later.user_id = latest.user_id AND later.session_name = latest.session_name
              AND later.last_seen > latest.last_seen) AS fires
    FROM latest
   -- An end is told for an hour, in case a post is lost.
   WHERE is_low OR last_seen > now() - interval '75 minutes'
), closed AS (
  UPDATE notifications.alerts SET resolved_date = now()
   WHERE resolved_date IS NULL AND session_name IS NOT NULL
     AND event_type IN ('session_quota_low', 'session_quota_critically_low', 'session_quota_exhausted')
)
SELECT json_build_object(
         'version', '1',
         'receiver', 'renku-quota',
         'externalURL', 'renku-quota',
         'alerts', coalesce(json_agg(json_build_object(
           'status', CASE WHEN fires THEN 'firing' ELSE 'resolved' END,
           'labels', json_build_object(
             'alertname', event_type,
             'safe_username', user_id,
             'statefulset', session_name,
             'purpose', 'renku-session',
             'severity', CASE event_type WHEN 'session_quota_low' THEN 'warning' ELSE 'critical' END,
             'alert_kind', CASE event_type WHEN 'session_quota_exhausted' THEN 'event' ELSE 'condition' END),
           'annotations', json_build_object('title', title, 'description', message),
           'startsAt', to_char(starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
           'endsAt', CASE WHEN NOT fires THEN to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END)
           ORDER BY user_id, session_name, event_type), '[]'))
  FROM said;
