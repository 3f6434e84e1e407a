/** A statement as `pg` takes it; one with a name is planned once a connection. */
export interface Statement {
  name?: string;
  text: string;
  values?: unknown[];
}

/**
 * Names, in a condition, the users whose rows of a table a statement is about, where the tables are distributed by user:
 * by that list Citus finds the machine that has them. PostgreSQL by itself would go through the list for every row, and
 * is given a comment.
 * @param parameter of the statement, which has the users
 */
export function amongUsers(column: string, parameter: string): string {
  return `/*distributed AND ${column} = ANY (${parameter}::text[]) */`;
}

/** As distributed tables are asked. */
export function asDistributed(statement: Statement): Statement {
  return { ...statement, text: statement.text.replaceAll(/\/\*distributed (.*?) \*\//g, '$1') };
}
