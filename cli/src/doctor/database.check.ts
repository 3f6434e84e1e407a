import type { DataSource } from 'typeorm';
import {
  DatabaseProblemsError,
  findLackingToMigrate,
  findProblemsOfServer,
  namedSentenceOf,
  pendingMigrations,
  problemsIn,
} from 'nestjs-session-alerts/operations';
import type { DatabaseAddress, DatabaseProblem } from 'nestjs-session-alerts/operations';
import type { Examination } from './check.js';
import { checkWriting } from './database-writing.check.js';
import { doctorsDataSource } from './doctors-data-source.js';
import { reachingMend, reasonOf } from './neighbours.js';

const TO_MIGRATE =
  'Run `session-alerts migrate` with this DATABASE_URL, or start the server with MIGRATE_ON_START=true';

/** The database can be reached, has all our tables and can be written to; changes nothing in it. */
export async function checkDatabase(examination: Examination): Promise<void> {
  const { databaseAddress, poolerAddress } = examination.settings;
  if (databaseAddress === undefined) {
    examination.skip('database', 'set DATABASE_URL as the server has it');
    return;
  }
  if (poolerAddress) await checkPooler(examination, poolerAddress);
  const dataSource = doctorsDataSource(databaseAddress);
  try {
    await dataSource.initialize();
  } catch (error) {
    reportUnopened(examination, 'database', error);
    examination.skip('database.migrations', 'because the database cannot be asked');
    return;
  }
  try {
    await readClock(examination, dataSource);
    const problems = await findProblemsOfServer(dataSource);
    report(examination, 'database', problems);
    if (problems.length === 0) {
      examination.ok('database', `PostgreSQL ${dataSource.driver.version ?? ''} answers`);
    }
    const { names: pending, newer } = await pendingMigrations(dataSource);
    if (newer) {
      examination.wrong('database.migrations', newer.message, newer.mend);
    } else if (pending.length === 0) {
      examination.ok('database.migrations', 'All are applied');
      await checkWriting(examination, dataSource);
      await checkUnasked(examination, dataSource);
    } else {
      const lacking = await findLackingToMigrate(dataSource);
      examination.wrong(
        'database.migrations',
        `Not applied: ${pending.join(', ')}`,
        lacking ? namedSentenceOf(lacking).replace(/\.$/, '') : TO_MIGRATE,
      );
    }
  } catch (error) {
    if (error instanceof DatabaseProblemsError) {
      report(examination, 'database.migrations', error.problems);
      return;
    }
    examination.wrong(
      'database.migrations',
      `What is applied cannot be read: ${reasonOf(error)}`,
      "Grant this user USAGE and SELECT on the tables that the server made, or use the server's own DATABASE_URL",
    );
  } finally {
    await dataSource.destroy();
  }
}

/** Whether the way beside the direct one leads to PostgreSQL as well; it may be shared between transactions. */
async function checkPooler(examination: Examination, address: DatabaseAddress): Promise<void> {
  const dataSource = doctorsDataSource(address);
  try {
    await dataSource.initialize();
    const problems = await findProblemsOfServer(dataSource, { mayBeShared: true });
    report(examination, 'database.pooler', problems);
    if (problems.length === 0) examination.ok('database.pooler', 'DATABASE_URL leads to PostgreSQL as well');
  } catch (error) {
    reportUnopened(examination, 'database.pooler', error);
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
  }
}

function reportUnopened(examination: Examination, check: string, error: unknown): void {
  const problems = problemsIn(error);
  if (problems) {
    report(examination, check, problems);
    return;
  }
  const what = isAnswer(error) ? 'It refuses the connection' : 'It cannot be reached';
  examination.wrong(check, `${what}: ${reasonOf(error)}`, mendOf(error));
}

function report(examination: Examination, check: string, problems: DatabaseProblem[]): void {
  for (const { message, mend, namedMend = mend } of problems) examination.wrong(check, message, namedMend);
}

/** Whether Alertmanagers post here that the server does not reconcile with, as it has noted. */
async function checkUnasked(examination: Examination, dataSource: DataSource): Promise<void> {
  if (examination.settings.reconcileReceiver === undefined) return;
  const rows = await dataSource.query<{ unasked: string[] }[]>(
    'SELECT to_json(unasked) AS unasked FROM session_alerts.reconciling',
  );
  const [first, ...others] = rows.flatMap(({ unasked }) => unasked);
  if (first === undefined) {
    examination.ok(
      'database.alertmanagers',
      'No Alertmanager is known to post here that is not reconciled with',
    );
    return;
  }
  const names = [first, ...others].map((name) => JSON.stringify(name)).join(', ');
  examination.warn(
    'database.alertmanagers',
    `${others.length === 0 ? 'An Alertmanager posts here that is' : 'Alertmanagers post here that are'} not reconciled with: ${names}. Where it tells no end, an alert of it stays until it expires`,
    'Add the address of each to ALERTMANAGER_URLS, or let it post elsewhere',
  );
}

async function readClock(examination: Examination, dataSource: DataSource): Promise<void> {
  const sentAt = Date.now();
  const [row] = await dataSource.query<{ now: Date }[]>('SELECT clock_timestamp() AS now');
  if (!row) return;
  examination.clocks.push({ whose: 'the database', ahead: row.now.getTime() - (sentAt + Date.now()) / 2 });
}

/** What PostgreSQL itself says has a five-letter SQLSTATE; all other errors come from the way there. */
function isAnswer(error: unknown): boolean {
  return /^[0-9A-Z]{5}$/.test(String((error as { code?: unknown }).code));
}

/** @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
function mendOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  if (code === '28P01' || code === '28000') {
    return 'Correct the user and password in DATABASE_URL, or let this user in (pg_hba.conf)';
  }
  if (code === '3D000') return 'Create the database, or correct its name in DATABASE_URL';
  return reachingMend(error, 'DATABASE_URL');
}
