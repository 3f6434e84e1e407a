import { hash } from 'node:crypto';

/** In hex digits: what a double holds exactly, and so does every JSON. */
const LENGTH = 13;

/**
 * A number that says nothing but "these names, in this order": the last 52 bits of the first 16 bytes of their
 * SHA-256. Used where an identity of any length has to be a small key, beside the user whom it belongs to.
 */
function nameBasedId(...names: (string | null)[]): number {
  const hex = hash('sha256', JSON.stringify(names));
  return Number.parseInt(hex.slice(32 - LENGTH, 32), 16);
}

/** Identity of an alert among those of its user's session: at most one open alert has it. */
export function alertFingerprint(userId: string, sessionName: string | null, eventType: string): number {
  return nameBasedId('alert', userId, sessionName, eventType);
}

/** Identity of a series among those of everybody. */
export function seriesKey(userId: string, sessionName: string, fingerprint: string): number {
  return nameBasedId('series', userId, sessionName, fingerprint);
}
