import { USER_ID } from '../auth/user-id.js';

/** By which key mail to a user is turned off. It names the user, so that nobody has to be looked for. */
export interface UnsubscribeKey {
  userId: string;
  /** What cannot be guessed, as it is kept with the address. */
  secret: string;
}

const KEY = /^([\w-]{1,2000})\.([\w-]{16,64})$/;

/** As it stands in an address. */
export function writeUnsubscribeKey({ userId, secret }: UnsubscribeKey): string {
  return `${Buffer.from(userId).toString('base64url')}.${secret}`;
}

export function readUnsubscribeKey(text: string): UnsubscribeKey | undefined {
  const [, encoded = '', secret = ''] = KEY.exec(text) ?? [];
  const userId = Buffer.from(encoded, 'base64url').toString();
  return USER_ID.test(userId) ? { userId, secret } : undefined;
}
