/** Says which user ids exist, and where they are written to; a host may provide one. */
export interface UserDirectory {
  /** Asked once a webhook with all its ids. Returns those that exist; throws where it cannot tell. */
  existing(userIds: string[]): Promise<Iterable<string>>;
  /**
   * An e-mail address that is verified to be the user's: asked where their access token names none. Throws where it
   * cannot tell.
   */
  emailOf?(userId: string): Promise<string | undefined>;
}
