import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { marked } from 'marked';

const PROJECT = join(import.meta.dirname, '..', '..');
const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'deploy/README.md',
  ...readdirSync(join(PROJECT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

function tokensOf(file: string): { links: string[]; anchors: string[] } {
  const [links, anchors] = [[], []] as [string[], string[]];
  void marked.walkTokens(marked.lexer(readFileSync(file, 'utf8')), (token) => {
    if (token.type === 'link' || token.type === 'image') links.push(token.href as string);
    if (token.type === 'heading') anchors.push(anchorOf(token.text as string));
  });
  return { links, anchors };
}

/** What a heading is called in addresses, on the pages that show our repository. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .replaceAll(' ', '-');
}

it.each(DOCUMENTS)('%s links to what is there', (document) => {
  const file = join(PROJECT, document);
  const broken = tokensOf(file).links.filter((link) => {
    if (/^(https?:|mailto:)/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? file : join(dirname(file), path);
    if (!existsSync(target)) return true;
    return anchor !== undefined && !tokensOf(target).anchors.includes(anchor);
  });
  expect(broken).toEqual([]);
});

it('the README leads to every document', () => {
  const { links } = tokensOf(join(PROJECT, 'README.md'));
  const others = DOCUMENTS.filter((document) => document !== 'README.md');
  expect(others.filter((document) => !links.includes(document))).toEqual([]);
});

it('CONTRIBUTING.md shows the floors that are kept', async () => {
  const rules = (await import(join(PROJECT, '.dependency-cruiser.mjs'))) as { FLOORS: string[][] };
  const [, house = ''] =
    /```\n(index\.ts[^]*?)```/.exec(readFileSync(join(PROJECT, 'CONTRIBUTING.md'), 'utf8')) ?? [];
  const shown = house
    .trim()
    .split('\n')
    .map((floor) => (floor.split('  ')[0] ?? '').split(' · '));
  expect(shown).toEqual(rules.FLOORS);
});
