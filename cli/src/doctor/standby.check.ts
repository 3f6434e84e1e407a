import { readPrimary, readStandby } from 'nestjs-session-alerts/operations';
import type { Examination } from './check.js';
import { doctorsDataSource } from './doctors-data-source.js';
import { reachingMend, reasonOf } from './neighbours.js';

/** Whether reads can be served where `DATABASE_READ_URL` leads; where not, the primary serves them. */
export async function checkStandby(examination: Examination): Promise<void> {
  const { databaseAddress, databaseReadAddress } = examination.settings;
  if (databaseReadAddress === undefined) return;
  if (databaseAddress === undefined || examination.faultIn('database')) {
    examination.skip('database.reads', 'because it cannot be compared with the primary');
    return;
  }
  const primary = doctorsDataSource(databaseAddress);
  const standby = doctorsDataSource(databaseReadAddress);
  try {
    await primary.initialize();
    const wanted = await readPrimary(primary);
    await standby.initialize();
    const { problems, isStandby, lag } = await readStandby(standby, wanted);
    for (const { message, mend } of problems) examination.warn('database.reads', message, mend);
    if (problems.length > 0) return;
    if (isStandby)
      examination.ok('database.reads', `A standby had what the primary had after ${Math.ceil(lag)} ms`);
    else
      examination.warn(
        'database.reads',
        'DATABASE_READ_URL leads to the primary: reads from there relieve nobody',
        'Let it lead to a standby, or leave it out',
      );
  } catch (error) {
    examination.warn(
      'database.reads',
      `The standby cannot be asked: ${reasonOf(error)}`,
      reachingMend(error, 'DATABASE_READ_URL'),
    );
  } finally {
    for (const dataSource of [primary, standby]) if (dataSource.isInitialized) await dataSource.destroy();
  }
}
