import base from './jest.config.mjs';
import { findPrograms } from './test/deploy/support/needed-programs.mjs';

findPrograms();

/**
 * The suite that checks deploy/ and docker-compose.yml with the programs that use them: Debian's prometheus,
 * prometheus-alertmanager, curl and jq, kubernetes-validate from PyPI, and Helm.
 * @type {import('jest').Config}
 */
export default {
  ...base,
  roots: ['<rootDir>/test/deploy'],
  testPathIgnorePatterns: [],
  testTimeout: 120_000,
  maxWorkers: 2,
  // Of tests within a file that say so.
  maxConcurrency: 2,
};
