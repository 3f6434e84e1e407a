/** Who a token, or a host's guard, says is calling. */
export interface AlertsUser {
  /** The user's id, as alerts carry it: the token's `sub`. */
  id: string;
  /** Realm roles. */
  roles: readonly string[];
  /** When what identified the user expires (s since 1970): the token's `exp`. */
  expiresAt?: number | undefined;
}

/** The caller of a request and what the caller may do. */
export interface AlertsCaller {
  id: string;
  isAdmin: boolean;
  /** May post webhooks. */
  isAlertmanager: boolean;
  /** When what identified the caller expires (s since 1970). */
  expiresAt: number | undefined;
}
