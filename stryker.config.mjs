/**
 * Mutation testing; `test/mutants/main.mjs` adds the room.
 * @type {import('@stryker-mutator/api/core').PartialStrykerOptions}
 */
export default {
  testRunner: 'jest',
  jest: { projectType: 'custom', configFile: 'jest.mutants.config.mjs', enableFindRelatedTests: false },
  coverageAnalysis: 'perTest',
  // What runs only while a file is loaded, such as constants and decorators, would need every test for each mutant.
  ignoreStatic: true,
  maxTestRunnerReuse: 100,
  timeoutMS: 40_000,
  dryRunTimeoutMinutes: 15,
  incremental: true,
  cleanTempDir: 'always',
  reporters: ['clear-text', 'html', 'json', 'progress-append-only'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportScoreTable: true },
  ignorePatterns: ['dist', 'coverage', 'bench'],
};
