import { appendFile, stat } from 'node:fs/promises';

/** A line of the table in docs/reliability.md. */
export interface ReliabilityRow {
  fault: string;
  /** What went through it. */
  load: string;
  lost: number;
  stale?: number;
  /** How long the fault's effects outlasted it (s). */
  seconds?: number;
  /** What reconciling or expiry did, as no webhook came. */
  mended?: string;
}

/** Adds it to the file that RELIABILITY_TABLE names, if any. */
export async function noteInTable({ fault, load, lost, ...row }: ReliabilityRow): Promise<void> {
  const path = process.env['RELIABILITY_TABLE'];
  if (!path) return;
  const isNew = await stat(path).then(
    () => false,
    () => true,
  );
  const { stale = '–', seconds, mended = '–' } = row;
  const cells = [fault, load, lost, stale, seconds === undefined ? '–' : `${seconds.toFixed(1)} s`, mended];
  const head =
    '| fault | load | lost | stale | over after | mended |\n| --- | --- | --- | --- | --- | --- |\n';
  await appendFile(path, `${isNew ? head : ''}| ${cells.join(' | ')} |\n`);
}
