/** Says which user ids exist; a host may provide one. */
export interface UserDirectory {
  /** Asked once a webhook with all its ids. Returns those that exist; throws where it cannot tell. */
  existing(userIds: string[]): Promise<Iterable<string>>;
}
