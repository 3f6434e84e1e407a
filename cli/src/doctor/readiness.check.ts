import { isRecord, parsedJson, recordOf, textOf, textsIn } from 'nestjs-session-alerts/operations';
import type { Examination } from './check.js';
import { ask, shown } from './neighbours.js';

const CHECK = 'readiness';

/** What the server says of itself: whether it can serve, and what keeps it from that. */
export async function checkReadiness(examination: Examination): Promise<void> {
  const { url } = examination.settings;
  if (url === undefined) {
    examination.skip(CHECK, 'give --api-url, such as https://host/api/data');
    return;
  }
  const address = `${new URL(url).origin}/readyz`;
  const answer = await ask(examination, address).catch(() => undefined);
  const said = recordOf(parsedJson(answer?.text ?? ''));
  if (!answer || !isRecord(said['checks'])) {
    examination.skip(
      CHECK,
      `because nothing of ours answers at ${shown(address)}; give --api-url with the server's own address to see what it says`,
    );
    return;
  }
  const problems = textsIn(said['problems']);
  const failing = Object.entries(said['checks']).filter(([, state]) => state !== 'ok');
  const isReady = answer.status === 200;
  const tell = (message: string, mend: string): void => {
    if (isReady) examination.warn(CHECK, message, mend);
    else examination.wrong(CHECK, message, mend);
  };
  for (const problem of problems) {
    const { what, mend } = split(problem);
    tell(`The server says: ${what}`, mend);
  }
  if (problems.length > 0) return;
  if (failing.length > 0 || !isReady) {
    const states = failing.map(([name, state]) => `${name} is ${textOf(state) || 'not ok'}`).join(', ');
    tell(
      `The server's /readyz answers with ${answer.status}${states && `: ${states}`}`,
      "See the server's log, which says why",
    );
  } else {
    examination.ok(CHECK, `The server can serve: ${Object.keys(said['checks']).join(', ')}`);
  }
}

/** The server's problems end with the sentence that says what mends them. */
function split(problem: string): { what: string; mend: string } {
  const sentences = problem.replace(/\.$/, '').split('. ');
  const mend = sentences.length > 1 ? sentences.pop() : undefined;
  return { what: sentences.join('. '), mend: mend ?? "See the server's log" };
}
