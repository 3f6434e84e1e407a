import { createHash } from 'node:crypto';
import { lockAll, lockUsers } from '../src/database/transaction.statements.js';
import type { Statement } from '../src/database/statement.js';
import type { Observation } from '../src/alerts/observation.js';

/** As the repository has it. */
const MOST_USER_LOCKS = 64;

/** The lock that the repository takes before it reads what it decides on. */
export function lockOn(observations: Observation[]): Statement {
  const userIds = new Set(observations.map(({ userId }) => userId));
  if (userIds.size > MOST_USER_LOCKS) return lockAll();
  const keys = Array.from(userIds, (id) => createHash('sha256').update(id).digest().readInt32BE());
  return lockUsers(keys.sort((one, other) => one - other));
}
