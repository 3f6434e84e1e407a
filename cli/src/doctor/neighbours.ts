import { fetchAnswer, messagesOf } from 'nestjs-session-alerts/operations';
import type { Answer, Question } from 'nestjs-session-alerts/operations';
import { trustMend } from '../trust.js';
import type { Examination } from './check.js';
import { otherSchemeAt, OtherSchemeError } from './other-scheme.js';

/** How long a neighbour may take to answer (ms), and how much it may send (bytes). */
export const TIMEOUT = 10_000;
const LONGEST_ANSWER = 64 * 1024 * 1024;

/** An answer, and how far the neighbour's clock is ahead of ours (ms), where it says. */
export type TimedAnswer = Answer & { ahead: number | undefined };

/**
 * Asks a neighbour; an answer of any status is an answer, a redirect too.
 * @throws Error it cannot be reached, or does not answer in time
 */
export async function ask(
  { signal }: Pick<Examination, 'signal'>,
  address: string,
  question: Question = {},
): Promise<TimedAnswer> {
  const sentAt = Date.now();
  const limits = { timeout: TIMEOUT, longest: LONGEST_ANSWER, signal };
  const answer = await inItsScheme(address, () =>
    fetchAnswer(address, limits, { redirect: 'manual', ...question }),
  );
  // So nginx, Apache and Go answer what comes to their https in http.
  if (answer.status === 400 && /https|ssl/i.test(answer.text)) {
    const other = await otherSchemeAt(address, undefined);
    if (other) throw other;
  }
  return { ...answer, ahead: answer.date && aheadBy(answer.date.getTime(), sentAt) };
}

/**
 * What comes of asking there.
 * @throws OtherSchemeError where that is all that is wrong; else what asking throws
 */
export async function inItsScheme<T>(address: string, asking: () => Promise<T>): Promise<T> {
  try {
    return await asking();
  } catch (error) {
    throw (await otherSchemeAt(address, error)) ?? error;
  }
}

/**
 * How far a clock is ahead of ours (ms) that was read in whole seconds between `sentAt` and now.
 * @param theirs,sentAt ms since 1970
 */
export function aheadBy(theirs: number, sentAt: number): number {
  return theirs + 500 - (sentAt + Date.now()) / 2;
}

/** Why a neighbour could not be asked, in one clause. */
export function reasonOf(error: unknown): string {
  if (error instanceof OtherSchemeError) return error.message;
  return messagesOf(error).replace(/^(?:fetch failed: )+/, '');
}

/** What to look at where a neighbour could not be reached. */
export function reachingMend(error: unknown, setting: string): string {
  if (error instanceof OtherSchemeError) {
    return `Write ${error.spoken}:// in the place of ${error.asked}:// in ${setting}`;
  }
  const others = `or correct ${setting}`;
  const trust = trustMend(messagesOf(error));
  if (trust !== undefined) return `${trust}, ${others}`;
  return `Start it, open the network to it from here (firewall, NetworkPolicy, kubectl port-forward), ${others}`;
}

/** An address as it may be printed: a user, password or query may be secret. */
export function shown(address: string): string {
  if (!URL.canParse(address)) return 'an address that cannot be read';
  const { origin, pathname } = new URL(address);
  return pathname === '/' ? origin : `${origin}${pathname}`;
}

/** Where a redirect leads, as it may be printed; undefined where the answer is none. */
export function redirectOf({ status, headers }: Answer, from: string): string | undefined {
  if (![301, 302, 303, 307, 308].includes(status)) return undefined;
  const target = headers.get('location') ?? '';
  return shown(URL.canParse(target, from) ? new URL(target, from).href : target);
}
