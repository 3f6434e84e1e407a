/** Undoes what database.setup.ts did. */
export default async function tearDownTestDatabase(): Promise<void> {
  await globalThis.stopTestDatabase?.();
}
