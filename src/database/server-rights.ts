/** What serving needs of the tables in the schema `session_alerts`, beside `USAGE` on it, and no more: a test tries each. */
export const RIGHTS_ON_TABLES: Record<string, string[]> = {
  alerts: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  sightings: ['SELECT', 'INSERT', 'DELETE'],
  feed: ['SELECT', 'INSERT', 'UPDATE'],
  reconciling: ['SELECT', 'INSERT', 'UPDATE'],
  deliveries: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  delivery_targets: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  messages: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  mutes: ['SELECT', 'INSERT', 'DELETE'],
  open_pages: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  preferences: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
};

/** The function of ours that serving calls: anybody may, unless an administrator has taken that from everybody. */
export const CALLED_FUNCTION = { name: 'series_key', types: 'text, text, text' };
