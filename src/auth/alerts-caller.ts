/** The caller of a request and what the caller may do. */
export interface AlertsCaller {
  id: string;
  isAdmin: boolean;
  /** May post webhooks. */
  isAlertmanager: boolean;
  /** When what identified the caller expires (s since 1970). */
  expiresAt: number | undefined;
  /** An e-mail address that is verified to be the caller's. */
  email: string | undefined;
  /** The caller's language (BCP 47). */
  locale: string | undefined;
}
