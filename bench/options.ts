import { parseArgs } from 'node:util';

export const PARTS = ['webhooks', 'listing', 'big', 'overload', 'wal', 'hostile'] as const;
export type Part = (typeof PARTS)[number];

export interface Options {
  quick: boolean;
  parts: Part[];
  /** Counted rounds; one more goes before them to warm up. */
  rounds: number;
  /** Where to write the figures as JSON as well. */
  json: string | undefined;
}

const DEFAULT_ROUNDS = 5;
const QUICK_ROUNDS = 3;

const HELP = `Measures the server against a bare one with the same statements, against the least that any receiver
must do (floor), against Express and against the database itself. Markdown goes to stdout.

  npm run bench -- [options]

  --quick             smaller, shorter, without Express, in a few minutes; its figures are rough
  --only <part>[,..]  only these parts: ${PARTS.join(', ')}
  --rounds <n>        counted rounds (${DEFAULT_ROUNDS}; quick: ${QUICK_ROUNDS}), of which medians are taken
  --json <file>       write the figures there as well
  --help              this
`;

/** Reads the command line; it ends the process where that is all there is to do. */
export function readOptions(args: string[]): Options {
  try {
    const { values } = parseArgs({
      args,
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        rounds: { type: 'string' },
        json: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    return {
      quick: values.quick,
      parts: partsOf(values.only),
      rounds: roundsOf(values.rounds) ?? (values.quick ? QUICK_ROUNDS : DEFAULT_ROUNDS),
      json: values.json,
    };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    process.exit(2);
  }
}

function partsOf(only: string | undefined): Part[] {
  if (only === undefined) return [...PARTS];
  const wanted = only.split(',');
  const unknown = wanted.filter((name) => !PARTS.some((part) => part === name));
  if (unknown.length > 0) throw new Error(`There is no part "${unknown.join(', ')}"`);
  return PARTS.filter((part) => wanted.includes(part));
}

function roundsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds must be a whole number from 1');
  return rounds;
}
