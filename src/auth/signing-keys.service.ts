import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import { JwksClient } from 'jwks-rsa';
import { ALERTS_SETTINGS, isHttpUrl } from '../alerts-settings.js';
import type { AlertsSettings, TokenSettings } from '../alerts-settings.js';
import { messagesOf } from '../error-messages.js';
import { fetchJson } from '../http/fetch-json.js';
import { IssuerUnavailableException } from './auth-errors.js';

/** How many times in a row the issuer may be asked, and how often (ms) one more time is granted. */
const MOST_ASKS = 4;
const ASK_EVERY = 15_000;
/** A key set older than this (ms) is fetched anew, so that a withdrawn key stops working. */
const KEYS_FRESH_FOR = 10 * 60_000;
/** How long (ms) and how large (bytes) an answer of the issuer may be. */
const ISSUER_TIMEOUT = 5_000;
const LONGEST_ANSWER = 1024 * 1024;

/**
 * The issuer's public keys by `kid`. Known keys are served from memory, also while the issuer is away; an
 * unknown `kid` may make it ask the issuer, but only a few times a minute, whoever sends it.
 */
@Injectable()
export class SigningKeys implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(SigningKeys.name);
  private readonly settings: TokenSettings | undefined;
  private readonly stopping = new AbortController();
  private keys = new Map<string, KeyObject>();
  private fetchedAt = -Infinity;
  private failure: unknown = new Error('The keys have not been fetched yet');
  private asksLeft = MOST_ASKS;
  private askGrantedAt = performance.now();
  private fetching: Promise<void> | undefined;

  constructor(@Inject(ALERTS_SETTINGS) settings: AlertsSettings) {
    this.settings = 'guard' in settings.auth ? undefined : settings.auth;
  }

  /** Whether there are keys to verify tokens with. */
  get isReady(): boolean {
    return this.settings === undefined || this.keys.size > 0;
  }

  onApplicationBootstrap(): void {
    if (this.settings) void this.warmUp();
  }

  onModuleDestroy(): void {
    this.stopping.abort();
  }

  /**
   * The public key of that `kid`; `undefined` where the issuer has none.
   * @throws IssuerUnavailableException the issuer cannot be asked
   */
  async find(kid: string): Promise<KeyObject | undefined> {
    const known = this.keys.get(kid);
    if (known) {
      if (performance.now() - this.fetchedAt > KEYS_FRESH_FOR) void this.ask();
      return known;
    }
    await this.ask();
    const found = this.keys.get(kid);
    if (!found && this.failure) throw new IssuerUnavailableException(this.failure);
    return found;
  }

  /** Fetches the keys unless that was done too often; those who come meanwhile share one fetch. */
  private async ask(): Promise<void> {
    if (!this.fetching && this.mayAsk()) {
      this.fetching = this.fetch().finally(() => (this.fetching = undefined));
    }
    await this.fetching;
  }

  private mayAsk(): boolean {
    const granted = Math.floor((performance.now() - this.askGrantedAt) / ASK_EVERY);
    this.askGrantedAt += granted * ASK_EVERY;
    this.asksLeft = Math.min(MOST_ASKS, this.asksLeft + granted);
    if (this.asksLeft === 0) return false;
    this.asksLeft -= 1;
    return true;
  }

  /** The issuer may come up after us: keys are there before the first token is. */
  private async warmUp(): Promise<void> {
    const signal = this.stopping.signal;
    for (let wait = 500; !signal.aborted; wait = Math.min(wait * 2, 5_000)) {
      this.fetching ??= this.fetch().finally(() => (this.fetching = undefined));
      await this.fetching;
      if (this.keys.size > 0) return;
      await sleep(wait, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async fetch(): Promise<void> {
    try {
      const client = new JwksClient({
        jwksUri: await this.jwksUri(),
        cache: false,
        rateLimit: false,
        // Its own waits for ever where an answer stops half way.
        fetcher: (address) => this.fetchJson(address) as Promise<{ keys: unknown }>,
      });
      const keys = await client.getSigningKeys();
      this.keys = new Map(keys.map((key) => [key.kid, createPublicKey(key.getPublicKey())]));
      this.fetchedAt = performance.now();
      if (this.failure) this.logger.log(`Fetched ${keys.length} signing keys of ${this.issuer}`);
      this.failure = undefined;
    } catch (error) {
      this.failure = error;
      this.logger.warn(`Cannot fetch the signing keys of ${this.issuer}: ${messagesOf(error)}`);
    }
  }

  /** @see https://openid.net/specs/openid-connect-discovery-1_0.html */
  private async jwksUri(): Promise<string> {
    if (this.settings?.jwksUri) return this.settings.jwksUri;
    const document = (await this.fetchJson(
      `${this.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    )) as { issuer?: unknown; jwks_uri?: unknown } | null;
    if (document?.issuer !== this.issuer) {
      throw new Error(`discovery names another issuer: ${JSON.stringify(document?.issuer)}`);
    }
    if (!isHttpUrl(document.jwks_uri)) throw new Error('discovery names no jwks_uri');
    return document.jwks_uri;
  }

  private async fetchJson(address: string): Promise<unknown> {
    const limits = { timeout: ISSUER_TIMEOUT, longest: LONGEST_ANSWER, signal: this.stopping.signal };
    return (await fetchJson(address, limits)).body;
  }

  private get issuer(): string {
    return this.settings?.issuer ?? '';
  }
}
