import { join } from 'node:path';
import base from './jest.config.mjs';

const support = join(import.meta.dirname, 'test', 'mutants');
const specs = JSON.parse(process.env.MUTANTS_SPECS ?? '[]');

/**
 * The tests that Stryker runs for each mutant of a room. `test/mutants/main.mjs` says which, and gives them their PostgreSQL.
 * @type {import('jest').Config}
 */
export default {
  ...base,
  // Stryker copies no more.
  roots: ['src', 'server', 'cli', 'test'].map((folder) => `<rootDir>/${folder}`),
  testMatch: specs.map((spec) => `<rootDir>/${spec}`),
  globalSetup: undefined,
  globalTeardown: undefined,
  reporters: undefined,
  // A mutant that never answers is one that is caught.
  testTimeout: 15_000,
  // By path: Stryker looks for them outside of jest.
  testEnvironment: join(support, 'warm.environment.cjs'),
  runtime: join(support, 'warm.runtime.cjs'),
  testSequencer: join(support, 'listed-order.sequencer.mjs'),
  runner: join(support, 'first-failure.runner.mjs'),
};
