/** Who a token, or a host's guard, says is calling. */
export interface AlertsUser {
  /** The user's id, as alerts carry it: the token's `sub`. */
  id: string;
  /** Realm roles. */
  roles: readonly string[];
}

/** The caller of a request and what the caller may do. */
export interface AlertsCaller {
  id: string;
  isAdmin: boolean;
  /** May post webhooks. */
  isAlertmanager: boolean;
}
