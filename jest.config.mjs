import { availableParallelism } from 'node:os';

/** Everything is turned into CommonJS for the tests, node_modules included: Nest 12 is ESM only. */
export const transform = {
  '^.+\\.[cm]?[jt]s$': [
    '@swc/jest',
    {
      swcrc: false,
      module: { type: 'commonjs' },
      jsc: {
        target: 'es2023',
        parser: { syntax: 'typescript', decorators: true, dynamicImport: true },
        transform: { legacyDecorator: true, decoratorMetadata: true },
        keepClassNames: true,
      },
    },
  ],
};

/** The packages by name: their sources, not what was built of them. */
export const SOURCES = {
  'nestjs-session-alerts': 'src/index.ts',
  'nestjs-session-alerts/operations': 'src/operations.ts',
  'session-alerts-server/config': 'server/src/config.ts',
};

/** @type {import('jest').Config} */
export default {
  roots: ['src', 'server', 'cli', 'panel', 'test', 'bench'].map((folder) => `<rootDir>/${folder}`),
  testMatch: ['**/*.spec.ts'],
  testPathIgnorePatterns: [
    '<rootDir>/test/stack/',
    '<rootDir>/test/browser/',
    '<rootDir>/test/deploy/',
    '<rootDir>/test/fuzz/',
    '<rootDir>/test/hosts/',
    '/dist/',
  ],
  transform,
  // Applications of their own.
  modulePathIgnorePatterns: [
    '<rootDir>/test/hosts/[^/]*/(src|dist)/',
    '<rootDir>/test/hosts/[^/]*/package.json',
  ],
  transformIgnorePatterns: [],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^(\\.{1,2}/(.*/)?optional-packages)\\.cjs$': '$1.cts',
    ...Object.fromEntries(Object.entries(SOURCES).map(([name, file]) => [`^${name}$`, `<rootDir>/${file}`])),
  },
  testEnvironment: 'node',
  globalSetup: '<rootDir>/test/support/database.setup.ts',
  globalTeardown: '<rootDir>/test/support/database.teardown.ts',
  testTimeout: 60_000,
  // One more than there are cores: some of them wait for a minute at a time.
  maxWorkers: availableParallelism() + 1,
  reporters: ['default', '<rootDir>/test/support/closing-line.reporter.mjs'],
};
