import { AT_ONCE, HOSTILE_KINDS } from './hostile-requests.js';
import type { HostileJob, HostileResult } from './load-jobs.js';
import { WireConnection } from './wire-connection.js';

/** How long one of them may go without an answer (ms). */
const PATIENCE = 120_000;

/** Sends a salvo, and the next one as soon as all of it is answered, until the time is over. */
export function prepareSalvos({ url, callers, kind, seconds }: HostileJob): () => Promise<HostileResult> {
  const port = Number(new URL(url).port);
  const hostile = HOSTILE_KINDS[kind];
  if (!hostile) throw new Error(`There is no hostile request ${kind}`);
  const make = (): Buffer[][] => Array.from({ length: AT_ONCE }, () => hostile.request(callers));
  const made = make();
  return async () => {
    const answers: Record<string, number> = {};
    let salvos = 0;
    const until = performance.now() + seconds * 1000;
    for (; performance.now() < until; salvos++) {
      const requests = hostile.isNew ? make() : made;
      const outcomes = await Promise.all(requests.map((request) => outcomeOf(port, request)));
      for (const outcome of outcomes) answers[outcome] = (answers[outcome] ?? 0) + 1;
    }
    return { salvos, answers };
  };
}

/** The status, or how it ended without one. */
async function outcomeOf(port: number, request: Buffer[]): Promise<string> {
  const connection = await WireConnection.open(port);
  try {
    connection.write(...request);
    const { answers, ending } = await connection.answers({ methods: ['POST'], timeout: PATIENCE });
    return `${answers[0]?.status ?? ending}`;
  } finally {
    connection.close();
  }
}
