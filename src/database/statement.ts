/** A statement as `pg` takes it; one with a name is planned once a connection. */
export interface Statement {
  name?: string;
  text: string;
  values?: unknown[];
}
