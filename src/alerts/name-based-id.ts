import { hash } from 'node:crypto';

/**
 * A UUID that says nothing but "these names, in this order" (RFC 9562, version 8, over SHA-256). Used where
 * an identity of any length has to be a small key.
 */
export function nameBasedId(...names: (string | null)[]): string {
  const hex = hash('sha256', JSON.stringify(names));
  const variant = '89ab'[Number.parseInt(hex.charAt(16), 16) % 4] ?? '';
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Identity of an alert: at most one open alert has it. */
export function alertFingerprint(userId: string, sessionName: string | null, eventType: string): string {
  return nameBasedId('alert', userId, sessionName, eventType);
}

/** Identity of a series; scoped to user and session so that no collision can cross from one to another. */
export function seriesIdentity(userId: string, sessionName: string, fingerprint: string): string {
  return nameBasedId('series', userId, sessionName, fingerprint);
}
