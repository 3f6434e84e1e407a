import { fetchAnswer } from './fetch-answer.js';
import type { FetchLimits } from './fetch-answer.js';

export interface FetchJsonOptions extends FetchLimits {
  headers?: Record<string, string>;
}

/**
 * Fetches JSON from a neighbour that may hang, stop half way or answer without end.
 * @returns the parsed body, and the moment of the answer by the neighbour's own clock
 * @throws Error what went wrong, naming the address
 */
export async function fetchJson(
  address: string,
  { headers = {}, ...limits }: FetchJsonOptions,
): Promise<{ body: unknown; date: Date }> {
  const { status, text, date } = await fetchAnswer(address, limits, { headers });
  if (status < 200 || status > 299) throw new Error(`${address} was answered with ${status}`);
  return { body: JSON.parse(text), date: date ?? new Date() };
}
