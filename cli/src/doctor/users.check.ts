import { textOf } from 'nestjs-session-alerts/operations';
import type { Examination } from './check.js';
import { doctorsDataSource } from './doctors-data-source.js';

const CHECK = 'users';
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
/** Of users whom Keycloak has from another store: `f:<its component>:<their id there>`. */
const FEDERATED = /^f:[^:]+:./;
/** How many are named. */
const EXAMPLES = 3;

/** Who has called with a token: no alert makes a row here. */
const KNOWN = `
  SELECT DISTINCT user_id AS id
    FROM (SELECT user_id FROM session_alerts.preferences
           UNION ALL SELECT user_id FROM session_alerts.mutes
           UNION ALL SELECT user_id FROM session_alerts.delivery_targets
           UNION ALL SELECT user_id FROM session_alerts.open_pages
           UNION ALL SELECT user_id FROM session_alerts.alerts
                      WHERE seen_date IS NOT NULL OR resolved_reason = 'dismissed') AS callers
   WHERE user_id = ANY ($1::text[])`;

/** Whom sessions and alerts name are ids that the issuer gives, and no logins: else nobody is shown their alerts. */
export async function checkUsers(examination: Examination): Promise<void> {
  const { prometheusUrl, alertmanagers } = examination.settings;
  if (prometheusUrl === undefined && alertmanagers.length === 0) {
    examination.skip(CHECK, 'give --prometheus-url or --alertmanager-url');
    return;
  }
  const ids = [...examination.userIds];
  if (ids.length === 0) {
    examination.skip(CHECK, 'because no session and no alert names a user now');
    return;
  }
  if (!examination.token) {
    examination.skip(CHECK, "because there is no token to see in what the issuer's ids look like");
    return;
  }
  if (!UUID.test(textOf(examination.token.claims['sub']))) {
    examination.skip(CHECK, "because the issuer's ids have no form to know them by");
    return;
  }
  const odd = ids.filter((id) => !UUID.test(id) && !FEDERATED.test(id));
  const known = odd.length > 0 ? await callersAmong(examination, odd) : new Set();
  const unknown = odd.filter((id) => !known.has(id));
  if (unknown.length === 0) {
    examination.ok(CHECK, `Whom sessions and alerts name may be ids of the issuer: ${ids.length}`);
    return;
  }
  const names = unknown.slice(0, EXAMPLES).map((id) => JSON.stringify(id));
  const more = unknown.length > EXAMPLES ? ', …' : '';
  examination.warn(
    CHECK,
    `Of ${ids.length} users whom sessions and alerts name in safe_username, ${unknown.length} do not look like ids of the issuer, which are UUIDs: ${names.join(', ')}${more}. Where they are logins, nobody is shown their alerts`,
    "Let safe_username be the user's id in Keycloak, the sub of their tokens (the label renku.io/safe-username of the AmaltheaSession); where it is, these alerts are shown all the same",
  );
}

/** Those among them who have called; nobody where the database cannot be asked, which is not what is looked at here. */
async function callersAmong(examination: Examination, ids: string[]): Promise<ReadonlySet<string>> {
  const { databaseAddress } = examination.settings;
  if (databaseAddress === undefined || examination.faultIn('database')) return new Set();
  const dataSource = doctorsDataSource(databaseAddress);
  try {
    await dataSource.initialize();
    const rows = await dataSource.query<{ id: string }[]>(KNOWN, [ids]);
    return new Set(rows.map(({ id }) => id));
  } catch {
    return new Set();
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
  }
}
