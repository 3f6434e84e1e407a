import { parseArgs } from 'node:util';

export interface LiveOptions {
  quick: boolean;
  /** How many streams are open at once. */
  streams: number;
  /** Where to write the figures as JSON as well. */
  json: string | undefined;
}

const STREAMS = 10_000;
/** A process of ours takes no more by default. */
const MOST_STREAMS = 20_000;
/** As many as one webhook concerns. */
export const LEAST_STREAMS = 1_000;

const HELP = `Measures what open pages cost: streams beside a bare server's and beside polling. Markdown goes to stdout.

  npm run bench:live -- [options]

  --quick         shorter, in less than two minutes; its figures are rougher
  --streams <n>   how many streams are open at once (${STREAMS}; ${LEAST_STREAMS} to ${MOST_STREAMS})
  --json <file>   write the figures there as well
  --help          this
`;

/** Reads the command line; it ends the process where that is all there is to do. */
export function readLiveOptions(args: string[]): LiveOptions {
  try {
    const { values } = parseArgs({
      args,
      options: {
        quick: { type: 'boolean', default: false },
        streams: { type: 'string', default: `${STREAMS}` },
        json: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    return { quick: values.quick, streams: streamsOf(values.streams), json: values.json };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    process.exit(2);
  }
}

function streamsOf(text: string): number {
  const streams = Number(text);
  if (!Number.isInteger(streams) || streams < LEAST_STREAMS || streams > MOST_STREAMS) {
    throw new Error(`--streams must be a whole number from ${LEAST_STREAMS} to ${MOST_STREAMS}`);
  }
  return streams;
}
