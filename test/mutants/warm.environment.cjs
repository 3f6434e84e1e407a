const vm = require('node:vm');
const { mixinJestEnvironment } = require('@stryker-mutator/jest-runner');
const { TestEnvironment } = require('jest-environment-node');

/** Stands for the realm that node itself runs in, where jest asks for one. */
const OUR_REALM = vm.createContext();
const { compileFunction } = vm;
vm.compileFunction = (code, parameters, { parsingContext, ...options }) =>
  compileFunction(code, parameters, {
    ...options,
    ...(parsingContext !== OUR_REALM && { parsingContext }),
  });

const { console, process } = globalThis;
const { exit } = process;
/** What was reached in a hook of a whole block, of which Stryker sees no test. */
const HOOK = 'hook';

/**
 * Runs all files in node's own realm, with what `warm.runtime.cjs` keeps loaded, and skips what is left of a file once one
 * of its tests has failed: the mutant is caught.
 */
class WarmEnvironment extends TestEnvironment {
  hasFailed = false;

  constructor(config, context) {
    super(config, context);
    this.global = globalThis;
    this.moduleMocker = new this.moduleMocker.constructor(globalThis);
    this.fakeTimersModern = new this.fakeTimersModern.constructor({
      config: config.projectConfig,
      global: globalThis,
    });
  }

  getVmContext() {
    return OUR_REALM;
  }

  /** Stryker's code asks the process for the mutant only when it is loaded. */
  async setup() {
    globalThis.__stryker__.activeMutant = process.env.__STRYKER_ACTIVE_MUTANT__;
  }

  async teardown() {
    this.moduleMocker.restoreAllMocks();
    await super.teardown();
    globalThis.console = console;
    process.exit = exit;
    // jest-circus would tell this environment of the next file's tests too.
    delete globalThis[Symbol.for('EVENT_HANDLERS')];
  }

  handleTestEvent({ name, test, hook }) {
    if (name === 'test_start' && this.hasFailed) test.mode = 'skip';
    if (name === 'test_done' && test.errors.length > 0) this.hasFailed = true;
    if (name.startsWith('hook_') && hook.type.endsWith('All')) this.countForTestsOf(name, hook);
  }

  /** A server is started before all tests of a block: what is reached then is reached by each of them. */
  countForTestsOf(name, { parent }) {
    const stryker = globalThis.__stryker__;
    stryker.currentTestId = name === 'hook_start' ? HOOK : undefined;
    const { [HOOK]: reached, ...perTest } = stryker.mutantCoverage?.perTest ?? {};
    if (name === 'hook_start' || !reached) return;
    for (const test of namesOfTests(parent)) perTest[test] = { ...reached, ...perTest[test] };
    stryker.mutantCoverage.perTest = perTest;
  }
}

/** As Stryker has them. */
function nameOf({ parent, name }) {
  return parent ? `${nameOf(parent)} ${name}`.trimStart() : '';
}

function namesOfTests({ children }) {
  return children.flatMap((child) => (child.type === 'test' ? [nameOf(child)] : namesOfTests(child)));
}

module.exports = mixinJestEnvironment(WarmEnvironment);
