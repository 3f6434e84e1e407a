/** Who a token, or a host's guard, says is calling. */
export interface AlertsUser {
  /** The user's id, as alerts carry it: the token's `sub`. */
  id: string;
  /** Realm roles. */
  roles: readonly string[];
  /** When what identified the user expires (s since 1970): the token's `exp`. */
  expiresAt?: number | undefined;
}
