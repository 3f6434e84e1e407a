/** Who a token, or a host's guard, says is calling. */
export interface AlertsUser {
  /** The user's id, as alerts carry it: the token's `sub`. */
  id: string;
  /** Realm roles. */
  roles: readonly string[];
  /** When what identified the user expires (s since 1970): the token's `exp`. */
  expiresAt?: number | undefined;
  /** An e-mail address that is verified to be the user's: the token's `email`, where its `email_verified` is true. */
  email?: string | undefined;
  /** The user's language (BCP 47): the token's `locale`. */
  locale?: string | undefined;
}
