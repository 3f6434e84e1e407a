/**
 * What the standalone server and the command line need of the module beside its public API, to run its tables and to ask
 * its neighbours. It may change with any version: who uses it depends on exactly that one.
 */
export { readKeySet } from './auth/key-set.js';
export type { SigningKey } from './auth/key-set.js';
export type { Settings } from './database/connection-settings.js';
export { isAddressGiven, namesOf, readDatabaseAddress } from './database/database-address.js';
export type { DatabaseAddress } from './database/database-address.js';
export {
  DatabaseProblemsError,
  findProblemsOfServer,
  namedSentenceOf,
  problemsIn,
  sentenceOf,
  UNREACHABLE,
} from './database/database-problems.js';
export type { DatabaseProblem } from './database/database-problems.js';
export { readPrimary, readStandby } from './database/standby-problems.js';
export { MessageRefusedError, TargetGoneError } from './delivery/alert-channel.js';
export { sendTestMessage } from './delivery/test-message.js';
export { makeVapidKeys, publicKeyOf } from './delivery/vapid-keys.js';
export { messagesOf } from './http/error-messages.js';
export { fetchAnswer } from './http/fetch-answer.js';
export type { Answer, Question } from './http/fetch-answer.js';
export { fetchJson } from './http/fetch-json.js';
export { fieldsOfLine, withFields } from './http/log-fields.js';
export { OnceAMinute } from './http/once-a-minute.js';
export { onceOver } from './http/once-over.js';
export { paced } from './http/paced.js';
export { LONGEST_QUERY } from './http/request-head.js';
export { traceIdOf } from './http/trace-context.js';
export { cutIfUnread } from './http/unread-answers.js';
export { isRecord, parsedJson, recordOf, recordsIn, textOf, textsIn } from './http/untyped.js';
export { distributeTables, refuseWithoutCitus } from './migrations/distribute.js';
export { postgresOptions } from './migrations/postgres-options.js';
export { findLackingToMigrate, pendingMigrations, runMigrations } from './migrations/run-migrations.js';
export type { MigrationsReport } from './migrations/run-migrations.js';
export { pendingGrants, runGrants } from './migrations/server-grants.js';
export type { GrantsReport } from './migrations/server-grants.js';
export { refuseUnlimitedRole } from './migrations/server-role.js';
export { deliverySettings } from './options/delivery-settings.js';
export { isDuration, isHttpUrl, SHORTEST_SECRET } from './options/option-checks.js';
export { parseDuration } from './options/prometheus-duration.js';
export { AlertmanagerClient } from './upkeep/alertmanager-client.js';
export type { ListedAlert } from './upkeep/alertmanager-client.js';
export { expression, MatcherError, routesOf } from './upkeep/alertmanager-routing.js';
export type { Labels, Route } from './upkeep/alertmanager-routing.js';
