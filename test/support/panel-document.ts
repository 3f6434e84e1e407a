import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A block of code in docs/panel.md, as it stands there. */
export interface CodeBlock {
  /** The heading above it. */
  section: string;
  language: string;
  /** Where it belongs in an application: what the document says after the language, or a name of ours. */
  path: string;
  code: string;
}

export function panelDocument(): string {
  return readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'panel.md'), 'utf8');
}

export function panelBlocks(): CodeBlock[] {
  return panelDocument()
    .split(/^#+ /m)
    .flatMap((part) => {
      const section = part.slice(0, part.indexOf('\n'));
      const found = part.matchAll(/^```(\w+)(?: (\S+))?\n([^]*?)^```$/gm);
      return Array.from(found, ([, language = '', path, code = ''], index) => ({
        section,
        language,
        path: path ?? `src/${section.toLowerCase().replace(/\W+/g, '-')}-${index + 1}.${language}`,
        code,
      }));
    });
}

/** What a module of a page in HTML holds. */
export function scriptOf(html: string): string {
  return /<script type="module">([^]*?)<\/script>/.exec(html)?.[1] ?? '';
}
