import base from './jest.config.mjs';

/**
 * The suite that runs the built server, Prometheus, Alertmanager, Keycloak, nginx and PostgreSQL as processes of their
 * own. It needs Debian's prometheus, prometheus-alertmanager, nginx-light, pgbouncer, postgresql, chromium, default-jre-headless,
 * maven, curl and jq; `scripts/with-newest-prometheus.sh` runs it with newer ones.
 * @type {import('jest').Config}
 */
export default {
  ...base,
  roots: ['<rootDir>/test/stack'],
  testPathIgnorePatterns: [],
  transformIgnorePatterns: ['/node_modules/playwright-core/'],
  globalSetup: '<rootDir>/test/stack/support/build.setup.ts',
  globalTeardown: undefined,
  testTimeout: 120_000,
  // Three side by side, on two cores: most of their time they wait.
  maxWorkers: 3,
};
