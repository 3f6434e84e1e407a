/** The role that is connected and its database, as what mends something names them. */
export interface DatabaseNames {
  /** In statements. */
  role: string;
  database: string;
  /** The role's bare name. */
  roleName: string;
}

/** Columns of a statement that tell them. */
export const DATABASE_NAMES = `
  quote_ident(current_user) AS role, quote_ident(current_database()) AS database, current_user::text AS "roleName"`;

/** Instead of them, where anybody may read. */
export const UNNAMED: DatabaseNames = { role: '…', database: '…', roleName: '…' };

/** The command by which whoever owns the tables gives a server's role its rights, as a shell takes it. */
export function grantingCommand({ roleName }: DatabaseNames): string {
  const word = /^[\w.…][\w.-]*$/.test(roleName) ? roleName : `'${roleName.replaceAll("'", `'\\''`)}'`;
  return `session-alerts migrate --grant-to ${word}`;
}
