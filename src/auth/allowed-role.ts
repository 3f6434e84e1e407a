/** What a caller may have to be, beside a user. */
export type AllowedRole = 'admin' | 'alertmanager';

/** The metadata of a handler that says which. */
export const REQUIRED_ROLE = 'session-alerts:role';
