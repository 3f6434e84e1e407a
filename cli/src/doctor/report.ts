import type { Terminal } from '../terminal.js';
import type { CheckStatus, Finding } from './check.js';

const WORDS: Record<CheckStatus, string> = {
  ok: 'ok',
  wrong: 'wrong',
  warning: 'warning',
  not_checked: 'not checked',
};
/** ECMA-48's numbers. */
const COLOURS: Record<CheckStatus, number> = { ok: 32, wrong: 31, warning: 33, not_checked: 2 };
const INDENT = ' '.repeat(13);

/** One line a finding, and below it what mends it. */
export function lineOf({ check, status, message, mend }: Finding, hasColours: boolean): string {
  const word = WORDS[status].padEnd(INDENT.length);
  const first = hasColours ? `\u001b[${COLOURS[status]}m${word}\u001b[0m` : word;
  const line = `${first}${check}: ${onOneLine(message)}\n`;
  return mend === undefined ? line : `${line}${INDENT}${onOneLine(mend)}\n`;
}

/** Only a person's screen has colours, and only where they want them (https://no-color.org). */
export function coloured({ stdout, env }: Terminal): boolean {
  return 'isTTY' in stdout && stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}

/** What neighbours say may hold line breaks, and sequences that a terminal obeys. */
function onOneLine(text: string): string {
  return text.replace(/\p{C}+/gu, ' ');
}
