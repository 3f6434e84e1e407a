import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

// A build that a test starts is the one that is published: in another environment lit brings its warnings along.
process.env.NODE_ENV = 'production';

/**
 * The panel as ES modules that a page can load as they are: `session-alerts.js`, and beside it what that imports, now or
 * on demand, under names that stay. `node/` has what servers get instead.
 */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  publicDir: false,
  plugins: [lexerOnly(), withoutLayout(), withoutHints(), closedWorker()],
  build: {
    lib: {
      entry: {
        'session-alerts': 'panel.ts',
        element: 'element.ts',
        'node/panel': 'node.ts',
        // It imports nothing, and nothing imports it: a plain script.
        'push-worker': 'push-worker.ts',
      },
      formats: ['es'],
    },
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // The licenses of what is bundled ask to come along.
    license: { fileName: 'LICENSES.md' },
    rolldownOptions: {
      // What both entries share is the class alone: no third file for it.
      preserveEntrySignatures: 'allow-extension',
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: '[name].js',
        // Left alone, what is loaded on demand as well would be torn out of the panel into files of its own.
        codeSplitting: {
          groups: [{ name: (id, graph) => (isOfPanel(id, graph) ? 'element' : null), debugName: 'element' }],
        },
        // Vite leaves the blanks in a library's ES module, for a bundler to come; these are loaded as they are.
        minify: true,
      },
    },
  },
});

/** Whether a page loads a module with the panel, not on demand. */
function isOfPanel(id, graph, asked = new Set()) {
  if (id.endsWith('/panel/element.ts')) return true;
  if (asked.has(id)) return false;
  asked.add(id);
  return graph.getModuleInfo(id)?.importers.some((importer) => isOfPanel(importer, graph, asked)) ?? false;
}

/**
 * Of marked, only what reads Markdown as the panel does: its one module also makes an instance of all that writes HTML,
 * which no bundler can tell to be of no use here, and rules for HTML and for another kind of Markdown.
 */
function lexerOnly() {
  const needed = /(\w+) as (Lexer|Tokenizer)\b/g;
  const leftOut = [
    // The instance, and what else is exported.
    [/var (\w+)=new \w+;function \w+\(\w+,\w+\)\{return \1\.parse\(.*(?=export\{)/s, ''],
    // Of HTML nothing is read: its tags interrupt no paragraph.
    [/"address\|article\|[^"]*"/, '"x-no-tag"'],
    [/(?<=\})html\(e\)\{.*?(?=def\(e\)\{)/s, ''],
    [/(?<=\})tag\(e\)\{.*?(?=link\(e\)\{)/s, ''],
    [/(?<=,)html:(\w+),(?=lheading:)/, '', 1],
    // What is not read as the first Markdown was.
    [/,pedantic:(\w+)(?=\},)/, '', 1],
    [/,pedantic:(\w+)(?=\};)/, '', 1],
    [/this\.options\.pedantic/g, '!1'],
    [/this\.options\.(gfm|breaks)/g, '!0'],
    // Of headings by a line below, the rule of where no tables are known.
    [/(?<=,)lheading:(\w+),(?=list:)/, '', 1],
    // Emphasis as the other kinds have it.
    [/(?<=,)emStrongLDelim:(\w+),(?=emStrongRDelimAst:)/, '', 1],
    [/(?<=,)emStrongRDelimAst:(\w+),(?=emStrongRDelimUnd:)/, '', 1],
    // Every browser that draws the panel knows them.
    [/\(\(\w+=""\)=>\{try\{return!!new RegExp\("\(\?<=1\).*?\}\)\(\)/, '!0'],
    [/pedanticHeadingBeginRegex:.*?(?=htmlBeginRegex:)/, ''],
    // Nobody extends it here.
    [/if\(this\.options\.extensions\?\.\w+\?\.some\(.*?\)continue;/g, ''],
    [
      /if\(this\.options\.extensions\?\.start\w+\)\{let .*?\}\),(\w)<1\/0&&\1>=0&&\(\w=\w\.substring\(0,\1\+1\)\)\}/g,
      '',
    ],
    [/(\w)=this\.options\.hooks\?\.emStrongMask\?\.call\(\{lexer:this\},\1\)\?\?\1,/, ''],
    [/this\.options\.hooks\?\.emStrongMask\|\|/, ''],
    [/static get rules\(\)\{.*?\}\}/, ''],
    [/static lexInline\(.*?\}/, ''],
    [/if\(this\.options\.silent\)console\.error\(\w\);else throw/, 'throw'],
    [/\{async:!1,breaks:!1,.*?\}/, '{}'],
    // Of its patterns, those by which it writes HTML.
    [/startATag:.*?(?=startAngleBracket:)/, ''],
    [/pedanticHrefTitle:.*?(?=unicodeAlphaNumeric:)/, ''],
    [/escapeTest:.*?(?=caret:)/, ''],
  ];
  return {
    name: 'lexer-only',
    transform(code, id) {
      if (!/\/marked\/lib\/marked\.esm\.js$/.test(id)) return undefined;
      const exported = [...code.matchAll(needed)].map(([name]) => name);
      const changed = () =>
        new Error('marked has changed: look in panel/vite.config.mjs for what is left out of it');
      if (exported.length !== 2) throw changed();
      let lexer = code;
      for (const [pattern, instead, group] of leftOut) {
        const [, ...groups] = new RegExp(pattern, pattern.flags.replace('g', '')).exec(lexer) ?? [];
        if (lexer.replace(pattern, instead) === lexer) throw changed();
        lexer = lexer.replace(pattern, instead);
        if (group !== undefined) lexer = withoutRules(lexer, groups[group - 1]);
      }
      return { code: lexer.replace(/export\{[^}]*\}/, `export{${exported.join()}}`), map: null };
    },
  };

  /** Without what a name stands for, and without the rules that are named by it alone. */
  function withoutRules(code, name) {
    const definition = new RegExp(`,${name}=(?:g\\(|\\{).*?\\.getRegex\\(\\)\\}?(?=,\\w+=)`, 's').exec(
      code,
    )?.[0];
    if (!definition) throw new Error(`marked has changed: there is no ${name}`);
    let rest = code.replace(definition, () => '');
    for (const [, rule] of definition.matchAll(/\w+:(\w+)(?=[,}])/g)) {
      if (!new RegExp(`[:{,(]${rule}[,})]`).test(rest)) rest = withoutRules(rest, rule);
    }
    return rest;
  }
}

/** Templates and styles are laid out to be read, which the page need not load. */
function withoutLayout() {
  const names = [];
  return {
    name: 'without-layout',
    transform(code, id) {
      if (!/\/panel\/[\w.-]+\.ts$/.test(id)) return undefined;
      const bare = code
        .replace(/\n\s+/g, '\n')
        .replace(/>\n</g, '><')
        .replace(/\bcss`[^`]*`/g, (css) =>
          css
            .replace(/\/\*.*?\*\//gs, '')
            .replace(/\s*([{};,>])\s*/g, '$1')
            .replace(/([\w-]):\s+/g, '$1:')
            .replaceAll(';}', '}')
            .replace(/(?<=[\s:(,])0(?=\.\d)/g, '')
            .replace(/--_([a-z-]+)/g, (name) => shortened(name)),
        );
      return { code: bare, map: null };
    },
  };

  /** Our own properties, whose names no page sees. */
  function shortened(name) {
    if (!names.includes(name)) names.push(name);
    return `--_${names.indexOf(name).toString(36)}`;
  }
}

/** What may be left out is told to bundlers, which has been done here. */
function withoutHints() {
  return {
    name: 'without-hints',
    generateBundle(_options, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type === 'chunk') chunk.code = chunk.code.replaceAll('/* @__PURE__ */ ', '');
      }
    },
  };
}

/** The service worker's names are its own, also where another worker takes it in by `importScripts`. */
function closedWorker() {
  return {
    name: 'closed-worker',
    generateBundle(_options, bundle) {
      const worker = bundle['push-worker.js'];
      if (worker?.type !== 'chunk' || worker.imports.length > 0 || worker.exports.length > 0) {
        throw new Error('push-worker.ts must be a plain script: it can neither import nor export');
      }
      worker.code = `(()=>{${worker.code.trim()}})();\n`;
    },
  };
}
