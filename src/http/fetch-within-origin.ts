import { fetchAnswer } from './fetch-answer.js';
import type { FetchLimits } from './fetch-answer.js';

const MOST_REDIRECTS = 3;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Fetches JSON from a neighbour whose word is trusted: where it redirects to another scheme, host or port, that one is
 * not asked. The time-out is for all redirects together.
 * @throws Error what went wrong, naming the address
 */
export async function fetchWithinOrigin(
  address: string,
  { timeout, ...limits }: FetchLimits,
): Promise<unknown> {
  const deadline = performance.now() + timeout;
  let asked = address;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const left = Math.max(deadline - performance.now(), 0);
    const answer = await fetchAnswer(asked, { ...limits, timeout: left }, { redirect: 'manual' });
    const location = REDIRECTS.has(answer.status) ? answer.headers.get('location') : null;
    if (location === null) {
      if (answer.status < 200 || answer.status > 299) {
        throw new Error(`${asked} was answered with ${answer.status}`);
      }
      return JSON.parse(answer.text);
    }
    asked = withinOrigin(location, asked);
  }
  throw new Error(`${address} redirects more than ${MOST_REDIRECTS} times`);
}

function withinOrigin(location: string, from: string): string {
  const target = URL.canParse(location, from) ? new URL(location, from) : undefined;
  if (target?.origin === new URL(from).origin) return target.href;
  // The rest of the address may hold a secret.
  const leads = target ? `to another host (${target.protocol}//${target.host})` : 'to what is no address';
  throw new Error(`${from} redirects ${leads}, which is not asked: set the address that answers by itself`);
}
