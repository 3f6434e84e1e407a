import type { DataSource } from 'typeorm';
import { DatabaseProblemsError } from '../database/database-problems.js';
import type { DatabaseProblem } from '../database/database-problems.js';
import { onOneConnection } from './run-migrations.js';
import { SERVER_ROLE, valuesFor } from './server-grants.statements.js';

interface ServerRole {
  isSuperuser: boolean;
  /** Who owns what is ours, and it is or can be. */
  owner: string | null;
  /** As statements name them. */
  role: string;
  ownerRole: string | null;
}

/**
 * To be asked before anything is migrated for a role.
 * @throws DatabaseProblemsError where there is no such role, or none whom rights limit
 */
export async function refuseUnlimitedRole(dataSource: DataSource, role: string): Promise<void> {
  const [found] = await onOneConnection(
    dataSource,
    (runner) => runner.query(SERVER_ROLE, valuesFor(role)) as Promise<ServerRole[]>,
  );
  const problem = problemOf(role, found);
  if (problem) throw new DatabaseProblemsError([problem]);
}

function problemOf(role: string, found: ServerRole | undefined): DatabaseProblem | undefined {
  const name = JSON.stringify(role);
  if (!found) {
    return {
      message: `There is no role ${name}`,
      mend: `Make it ("CREATE ROLE … LOGIN PASSWORD '…'"), or name the one that the server connects as`,
    };
  }
  if (found.isSuperuser) {
    return {
      message: `The role ${name} is a superuser, whom no rights limit`,
      mend: 'Name one that is none, and let the server connect as that one',
    };
  }
  if (found.owner === null) return undefined;
  if (found.owner === role) {
    return {
      message: `The role ${name} owns the alerts' tables, or would own those that it migrates, and owners may do everything`,
      mend: `Migrate as another role; what this one owns in the database goes to that by "REASSIGN OWNED BY ${found.role} TO …"`,
    };
  }
  return {
    message: `The role ${name} is a member of ${JSON.stringify(found.owner)}, which owns the alerts' tables, or would own those that it migrates, and owners may do everything`,
    mend: `Run "REVOKE ${found.ownerRole ?? ''} FROM ${found.role}", or name another`,
  };
}
