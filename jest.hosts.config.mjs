import base from './jest.config.mjs';

/**
 * The suite that installs what is packed into applications of others, with their own packages, compiles and starts them,
 * and drives them. It needs npm and its registry, and Debian's chromium.
 * @type {import('jest').Config}
 */
export default {
  ...base,
  roots: ['<rootDir>/test/hosts'],
  testPathIgnorePatterns: [],
  transformIgnorePatterns: ['/node_modules/playwright-core/'],
  globalSetup: '<rootDir>/test/hosts/support/hosts.setup.ts',
  globalTeardown: '<rootDir>/test/hosts/support/hosts.teardown.ts',
  testTimeout: 600_000,
  // Two side by side: installing waits for the registry, compiling does not.
  maxWorkers: 2,
};
