import { hash } from 'node:crypto';
import type { AlertsUser } from '../options/alerts-user.js';
import type { SigningKey } from './key-set.js';

/** What was learnt when a token was verified. */
export interface VerifiedToken {
  user: AlertsUser;
  /** The key that signed it, as the issuer published it then. */
  signer: SigningKey;
  /** When it stops being valid, tolerance included (s since 1970). */
  expiresAt: number;
}

const MOST_KEPT = 10_000;

/**
 * Tokens that have been verified, by their digest: a signature costs as much to verify as all the rest of a
 * small request, and every page and Alertmanager sends the same token again and again.
 */
export class VerifiedTokens {
  private readonly known = new Map<string, VerifiedToken>();

  /**
   * What is known of the token, unless it has expired; whether its key still stands is for the caller to see.
   * @param now ms since 1970
   */
  find(token: string, now: number): VerifiedToken | undefined {
    const digest = digestOf(token);
    const verified = this.known.get(digest);
    if (!verified || Math.floor(now / 1000) < verified.expiresAt) return verified;
    this.known.delete(digest);
    return undefined;
  }

  remember(token: string, verified: VerifiedToken): void {
    if (this.known.size >= MOST_KEPT) this.forgetOldest();
    this.known.set(digestOf(token), verified);
  }

  private forgetOldest(): void {
    for (const digest of this.known.keys()) {
      this.known.delete(digest);
      return;
    }
  }
}

function digestOf(token: string): string {
  return hash('sha256', token, 'base64');
}
