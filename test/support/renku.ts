/** The table of Renku's own notifications, as far as its data tasks write it. */
export const RENKUS_ALERTS = `
  CREATE SCHEMA notifications;
  CREATE TABLE notifications.alerts (
    id serial PRIMARY KEY, title varchar NOT NULL, message varchar NOT NULL, event_type varchar NOT NULL,
    user_id varchar NOT NULL, session_name varchar, creation_date timestamptz NOT NULL DEFAULT now(),
    resolved_date timestamptz)`;
