import TestRunner from 'jest-runner';

/**
 * Runs the files one after the other, up to the first in which a test fails: jest's own `bail` does not work when
 * Stryker calls it.
 */
export default class FirstFailureRunner extends TestRunner {
  async runTests(tests, watcher, options) {
    let hasFailed = false;
    const stopListening = [
      this.on('test-file-success', ([, { numFailingTests, testExecError }]) => {
        hasFailed ||= numFailingTests > 0 || testExecError != null;
      }),
      this.on('test-file-failure', () => {
        hasFailed = true;
      }),
    ];
    for (const test of tests) {
      if (!hasFailed) await super.runTests([test], watcher, options);
    }
    for (const stop of stopListening) stop();
  }
}
