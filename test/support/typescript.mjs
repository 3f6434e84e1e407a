import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { transform } from '@swc/core';
import { SOURCES } from '../../jest.config.mjs';

/** For the files of CommonJS (`.cts`), whose exports are written as those of ES modules are. */
const REQUIRE = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);\n`;

/** For `node --import`: runs our TypeScript as it is built, where a test needs a process of its own and no build. */
if (isMainThread) register(import.meta.url);

/** @type {import('node:module').ResolveHook} */
export function resolve(specifier, context, next) {
  const source = SOURCES[specifier];
  if (source !== undefined) return next(new URL(`../../${source}`, import.meta.url).href, context);
  const isOurs = specifier.startsWith('.') && context.parentURL?.endsWith('.ts');
  return next(isOurs ? specifier.replace(/\.(c?)js$/, '.$1ts') : specifier, context);
}

/** @type {import('node:module').LoadHook} */
export async function load(url, context, next) {
  if (!/\.c?ts$/.test(url)) return next(url, context);
  const { code } = await transform(await readFile(fileURLToPath(url), 'utf8'), {
    swcrc: false,
    module: { type: 'es6' },
    jsc: {
      target: 'es2023',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
      keepClassNames: true,
    },
  });
  return { format: 'module', source: url.endsWith('.cts') ? REQUIRE + code : code, shortCircuit: true };
}
