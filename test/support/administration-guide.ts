import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { marked } from 'marked';

const PROJECT = join(import.meta.dirname, '..', '..');

/** A fenced block of docs/administration.md. */
export interface GuideBlock {
  /** The heading that it stands below. */
  section: string;
  language: string;
  text: string;
}

/**
 * - excerpt: of a file in deploy/, which its first line names
 * - commands: of `session-alerts`, and of programs that need a cluster or a registry
 * - checks: by the programs that read deploy/
 * - requests: to the instance, by curl and jq
 */
export type BlockKind = 'excerpt' | 'commands' | 'checks' | 'requests';

/** What each kind of bash block may run, besides bash's own `export`. */
const PROGRAMS: Record<Exclude<BlockKind, 'excerpt'>, string[]> = {
  commands: ['session-alerts', 'kubectl', 'helm', 'docker'],
  checks: ['promtool', 'amtool'],
  requests: ['curl', 'jq'],
};

/** All fenced blocks of docs/administration.md, in their order. */
export function guideBlocks(): GuideBlock[] {
  const blocks: GuideBlock[] = [];
  let section = '';
  void marked.walkTokens(
    marked.lexer(readFileSync(join(PROJECT, 'docs', 'administration.md'), 'utf8')),
    (token) => {
      if (token.type === 'heading') section = token.text as string;
      if (token.type === 'code') {
        blocks.push({
          section,
          language: (token.lang as string | undefined) ?? '',
          text: token.text as string,
        });
      }
    },
  );
  return blocks;
}

/** The blocks of a kind. */
export function guideBlocksOf(kind: BlockKind): GuideBlock[] {
  return guideBlocks().filter((block) => kindOf(block) === kind);
}

/** What a block is; nothing for one that no test knows how to try. */
export function kindOf({ language, text }: GuideBlock): BlockKind | undefined {
  if (language === 'yaml') return excerptOf(text) === undefined ? undefined : 'excerpt';
  if (language !== 'bash') return undefined;
  const programs = programsOf(text);
  return (Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[]).find(
    (kind) => programs.length > 0 && programs.every((program) => PROGRAMS[kind].includes(program)),
  );
}

/** The file, below the project's folder, that an excerpt is of. */
export function excerptOf(text: string): string | undefined {
  return /^# (deploy\/\S+)\n/.exec(text)?.[1];
}

/** The programs that a script calls by their names: at the begin of a line, behind variables, in $( ) or behind a pipe. */
function programsOf(script: string): string[] {
  const commands = script
    .replaceAll('\\\n', ' ')
    .replace(/'[^']*'/g, "''")
    .split(/\n|\||\$\(/)
    .map((command) => command.trim().replace(/^(\w+=\S*\s+)+/, ''))
    .filter((command) => command !== '' && !/^\w+=$/.test(command) && !command.startsWith('export '));
  return commands.map((command) => command.split(/\s+/)[0] ?? '');
}
