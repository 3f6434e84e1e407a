import { parseArgs } from 'node:util';
import { commitOf } from './revision.js';
import { UsageError } from './usage-error.js';

export const PARTS = ['webhooks', 'listing', 'big', 'overload', 'wal', 'hostile', 'delivery'] as const;
export type Part = (typeof PARTS)[number];

/** Those that are measured on another revision as well. */
const PARTS_AGAINST: Part[] = ['webhooks', 'listing', 'wal'];

export interface Options {
  quick: boolean;
  parts: Part[];
  /** Counted rounds; one more goes before them to warm up. */
  rounds: number;
  /** Commit whose server is measured too. */
  against: string | undefined;
  /** Nothing beside the other revision, so that more rounds fit. */
  pair: boolean;
  /** Where to write the figures as JSON as well. */
  json: string | undefined;
  /** File with the figures of an earlier run, which are taken instead of measuring. */
  from: string | undefined;
  /** Folder for charts. */
  charts: string | undefined;
  /** Markdown file whose figures are replaced. */
  document: string | undefined;
}

const DEFAULT_ROUNDS = 5;
const QUICK_ROUNDS = 3;

const HELP = `Measures the server beside others. Markdown goes to stdout; targets take turns in every round.

  bare     node:http and pg with the server's own statements, and nothing around them
  floor    the least that any receiver must do: one statement a webhook, one table, one unique index;
           in Node and in pgbench
  pgbench  the server's own statements without Node
  express  the server on Nest's other platform

  npm run bench -- [options]

  --against <rev>     the same rounds on the server of another revision (a commit, tag or branch of this
                      clone) too, instead of Express and of our statements in pgbench: webhooks at 1, 8 and
                      32 connections, listing, and the write-ahead log; 15 to 20 minutes. It is built in a
                      temporary folder, has a database of its own, and is driven by HTTP alone. What is
                      measured beside it is the working tree, with what is not committed
  --pair              with --against: the two alone, without bare and floor, in a third of the time; with
                      --rounds 20 a ratio of webhooks or listing is known to a few per cent
  --quick             smaller, shorter, without Express, in a few minutes; its figures are rough
  --only <part>[,..]  only these parts: ${PARTS.join(', ')}
                      (with --against: ${PARTS_AGAINST.join(', ')})
  --rounds <n>        counted rounds (${DEFAULT_ROUNDS}; quick: ${QUICK_ROUNDS}), of which medians are taken
  --json <file>       write the figures there as well
  --charts <folder>   draw charts there, as SVG: webhooks-1, webhooks-100, listing, wal
  --document <file>   put tables and claims into that Markdown file, between \`<!-- bench: <part> -->\` (with
                      --against: \`<!-- bench: against -->\`; with --pair too: \`<!-- bench: pair -->\`) and
                      \`<!-- bench: end -->\`
  --from <file>       measure nothing: take the figures that --json wrote
  --help              this
`;

/** Reads the command line; it ends the process where that is all there is to do. */
export function readOptions(args: string[]): Options {
  try {
    const { values } = parseArgs({
      args,
      options: {
        quick: { type: 'boolean', default: false },
        against: { type: 'string' },
        pair: { type: 'boolean', default: false },
        only: { type: 'string' },
        rounds: { type: 'string' },
        json: { type: 'string' },
        charts: { type: 'string' },
        document: { type: 'string' },
        from: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    if (values.pair && values.against === undefined) throw new UsageError('--pair goes with --against.');
    return {
      quick: values.quick,
      parts: partsOf(values.only, values.against === undefined ? PARTS : PARTS_AGAINST),
      rounds: roundsOf(values.rounds) ?? (values.quick ? QUICK_ROUNDS : DEFAULT_ROUNDS),
      against: values.against === undefined ? undefined : commitOf(values.against),
      pair: values.pair,
      json: values.json,
      from: values.from,
      charts: values.charts,
      document: values.document,
    };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    process.stderr.write(error instanceof UsageError ? `${text}\n` : `${text}\n\n${HELP}`);
    process.exit(2);
  }
}

function partsOf(only: string | undefined, possible: readonly Part[]): Part[] {
  if (only === undefined) return [...possible];
  const wanted = only.split(',');
  const unknown = wanted.filter((name) => !PARTS.some((part) => part === name));
  if (unknown.length > 0) throw new UsageError(`There is no part "${unknown.join(', ')}": see --help.`);
  const parts = PARTS.filter((part) => wanted.includes(part));
  const alone = parts.filter((part) => !possible.includes(part));
  if (alone.length > 0) {
    throw new UsageError(`${alone.join(', ')}: measured without another revision only; leave out --against.`);
  }
  return parts;
}

function roundsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new UsageError('--rounds must be a whole number from 1.');
  return rounds;
}
