import { createHash } from 'node:crypto';

/**
 * A UUID that says nothing but "these names, in this order" (RFC 9562, version 8, over SHA-256). Used where
 * an identity of any length has to be a small key.
 */
export function nameBasedId(...names: (string | null)[]): string {
  const bytes = createHash('sha256').update(JSON.stringify(names)).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Identity of an alert: at most one open alert has it. */
export function alertFingerprint(userId: string, sessionName: string | null, eventType: string): string {
  return nameBasedId('alert', userId, sessionName, eventType);
}

/** Identity of a series; scoped to user and session so that no collision can cross from one to another. */
export function seriesIdentity(userId: string, sessionName: string, fingerprint: string): string {
  return nameBasedId('series', userId, sessionName, fingerprint);
}
