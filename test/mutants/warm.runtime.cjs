const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { transformSync } = require('@swc/core');
const { default: Runtime } = require('jest-runtime');
const { SOURCES, transform } = require('../../jest.config.mjs');

const [[, options]] = Object.values(transform);

/** Loads the specs alone anew; all that they import is loaded once in a process, by node itself. */
module.exports = class WarmRuntime extends Runtime {
  requireModuleOrMock(from, name) {
    return name.startsWith('@jest/')
      ? super.requireModuleOrMock(from, name)
      : Module.createRequire(from)(name);
  }
};

const { _resolveFilename: resolveFilename } = Module;
Module._resolveFilename = (name, parent, ...rest) => {
  // Those that Stryker has changed.
  if (Object.hasOwn(SOURCES, name)) return require.resolve(`../../${SOURCES[name]}`);
  if (!name.startsWith('.') || !parent?.filename?.endsWith('.ts'))
    return resolveFilename(name, parent, ...rest);
  return resolveFilename(name.replace(/\.js$/, '').replace(/\.cjs$/, '.cts'), parent, ...rest);
};

Module._extensions['.ts'] = Module._extensions['.cts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    ...options,
    filename,
    sourceMaps: 'inline',
  });
  module._compile(code, filename, 'commonjs');
};
