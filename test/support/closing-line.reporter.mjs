/** Prints how the run went as the very last line, for scripts to read. */
export default class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    // A file that could not run has no tests to count, yet something failed.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const line = `Tests: ${results.numPassedTests} passed, ${failed} failed`;
    // Jest's own summary and the global teardown still come.
    process.once('exit', () => {
      console.log(skipped > 0 ? `${line}, ${skipped} skipped` : line);
    });
  }
}
