import base from './jest.config.mjs';

/**
 * The suite that looks at the panel in Chromium: Debian's, or the one that CHROMIUM names.
 * @type {import('jest').Config}
 */
export default {
  ...base,
  roots: ['<rootDir>/test/browser'],
  // Pictures are for people: SCREENSHOTS=folder npm run test:browser -- screenshots
  testPathIgnorePatterns: process.env.SCREENSHOTS ? [] : ['/screenshots\\.spec'],
  // Neither is made for being transformed, and both can do without.
  transformIgnorePatterns: ['/node_modules/(playwright-core|axe-core)/'],
  globalSetup: '<rootDir>/test/browser/support/build.setup.ts',
  globalTeardown: '<rootDir>/test/browser/support/build.teardown.ts',
  maxWorkers: 2,
};
