import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';

// Jest finds no source of a `.js` in a global teardown.
const { default: tearDownTestDatabase } = createRequire(__filename)(
  '../../support/database.teardown.ts',
) as typeof import('../../support/database.teardown.js');

/** Undoes what hosts.setup.ts did. */
export default async function tearDownHosts(): Promise<void> {
  await tearDownTestDatabase();
  const packed = process.env['PACKED'];
  if (packed) rmSync(packed, { recursive: true });
}
