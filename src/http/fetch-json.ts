import { fetchAnswer } from './fetch-answer.js';
import type { Answer, FetchLimits } from './fetch-answer.js';

export interface FetchJsonOptions extends FetchLimits {
  headers?: Record<string, string>;
}

const MOST_REDIRECTS = 3;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Fetches JSON from a neighbour whose word is trusted, and who may hang, stop half way or answer without end. Where it
 * redirects to another host, that one is not asked. The time-out is for all redirects together.
 * @returns the parsed body, and the moment of the answer by the neighbour's own clock, where it says that
 * @throws Error what went wrong, naming the address
 */
export async function fetchJson(
  address: string,
  options: FetchJsonOptions,
): Promise<{ body: unknown; date: Date | undefined }> {
  const { status, text, date } = await fetchFromHost(address, options);
  if (status < 200 || status > 299) throw new Error(`${address} was answered with ${status}`);
  return { body: JSON.parse(text), date };
}

async function fetchFromHost(
  address: string,
  { headers = {}, timeout, ...limits }: FetchJsonOptions,
): Promise<Answer> {
  const deadline = performance.now() + timeout;
  let asked = address;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const left = Math.max(deadline - performance.now(), 0);
    const answer = await fetchAnswer(asked, { ...limits, timeout: left }, { headers, redirect: 'manual' });
    const location = REDIRECTS.has(answer.status) ? answer.headers.get('location') : null;
    if (location === null) return answer;
    asked = onSameHost(location, asked);
  }
  throw new Error(`${address} redirects more than ${MOST_REDIRECTS} times`);
}

/** The same scheme, host and port; or the same host by TLS. */
function onSameHost(location: string, from: string): string {
  const target = URL.canParse(location, from) ? new URL(location, from) : undefined;
  const { origin, hostname } = new URL(from);
  const isSecured = target?.hostname === hostname && target.protocol === 'https:';
  if (target && (target.origin === origin || isSecured)) return target.href;
  // The rest of the address may hold a secret.
  const leads = target ? `to another host (${target.protocol}//${target.host})` : 'to what is no address';
  throw new Error(`${from} redirects ${leads}, which is not asked: set the address that answers by itself`);
}
