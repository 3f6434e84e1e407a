import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import { TrustedClock } from '../clock/trusted-clock.js';
import { ALERTS_SETTINGS } from '../options/alerts-settings.js';
import { isHttpUrl } from '../options/option-checks.js';
import type { AlertsSettings, TokenSettings } from '../options/alerts-settings.js';
import { messagesOf } from '../http/error-messages.js';
import { fetchJson } from '../http/fetch-json.js';
import { IssuerUnavailableException } from './auth-errors.js';
import { readKeySet } from './key-set.js';
import type { SigningKey } from './key-set.js';

/** How many times in a row the issuer may be asked, and how often (ms) one more time is granted. */
const MOST_ASKS = 4;
const ASK_EVERY = 15_000;
/** A key set older than this (ms) is fetched anew, so that a withdrawn key stops working. */
const KEYS_FRESH_FOR = 10 * 60_000;
/** How long (ms) and how large (bytes) an answer of the issuer may be. */
const ISSUER_TIMEOUT = 5_000;
const LONGEST_ANSWER = 1024 * 1024;

/** The key that a token names. */
export interface WantedKey {
  kid: string;
  algorithm: string;
}

/**
 * The issuer's public keys, by `kid` and algorithm. Known keys are served from memory, also while the issuer is away;
 * what no known key verifies may make it ask the issuer, but only a few times a minute, whoever sends it.
 */
@Injectable()
export class SigningKeys implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(SigningKeys.name);
  private readonly settings: TokenSettings | undefined;
  private readonly stopping = new AbortController();
  private keys: ReadonlyMap<string, readonly SigningKey[]> = new Map();
  private fetchedAt = -Infinity;
  private failure: unknown = new Error('The keys have not been fetched yet');
  private asksLeft = MOST_ASKS;
  private askGrantedAt = performance.now();
  private fetching: Promise<void> | undefined;
  /** How many fetches have begun, and which of them brought the keys. */
  private begun = 0;
  private fetched = 0;

  constructor(
    @Inject(ALERTS_SETTINGS) settings: AlertsSettings,
    private readonly clock: TrustedClock,
  ) {
    this.settings = 'guard' in settings.auth ? undefined : settings.auth;
  }

  /** Whether there are keys to verify tokens with. */
  get isReady(): boolean {
    return this.settings === undefined || this.keys.size > 0;
  }

  /** The present, for `find`: only a fetch that begins later knows of all keys with which tokens have been signed. */
  get moment(): number {
    return this.begun;
  }

  onApplicationBootstrap(): void {
    if (this.settings) void this.warmUp();
  }

  onModuleDestroy(): void {
    this.stopping.abort();
  }

  /** Whether the issuer still publishes the key, as far as is known. */
  isPublished(key: SigningKey): boolean {
    this.renewWhereOld();
    return this.keys.get(key.kid)?.includes(key) ?? false;
  }

  /**
   * A key that fits, other than those that were tried in vain; `undefined` where the issuer has none. The issuer is
   * asked where none is known, unless that was done since the given moment.
   * @throws IssuerUnavailableException the issuer cannot be asked, or has been asked too often
   */
  async find(
    { kid, algorithm }: WantedKey,
    tried: ReadonlySet<SigningKey>,
    moment: number,
  ): Promise<SigningKey | undefined> {
    for (;;) {
      const found = this.keys
        .get(kid)
        ?.find((key) => key.algorithms.some((one) => one === algorithm) && !tried.has(key));
      if (found) {
        this.renewWhereOld();
        return found;
      }
      if (this.fetched > moment) return undefined;
      if (!this.fetching && !this.mayAsk()) throw this.unavailable();
      await this.ask();
      if (this.failure) throw this.unavailable();
    }
  }

  /** Those who come meanwhile share one fetch. */
  private ask(): Promise<void> {
    this.fetching ??= this.fetch().finally(() => (this.fetching = undefined));
    return this.fetching;
  }

  /** Nobody waits for it. */
  private renewWhereOld(): void {
    const isOld = performance.now() - this.fetchedAt > KEYS_FRESH_FOR;
    if (isOld && !this.fetching && this.mayAsk()) void this.ask();
  }

  private mayAsk(): boolean {
    const granted = Math.floor((performance.now() - this.askGrantedAt) / ASK_EVERY);
    this.askGrantedAt += granted * ASK_EVERY;
    this.asksLeft = Math.min(MOST_ASKS, this.asksLeft + granted);
    if (this.asksLeft === 0) return false;
    this.asksLeft -= 1;
    return true;
  }

  private unavailable(): IssuerUnavailableException {
    const untilGranted = this.asksLeft > 0 ? 0 : this.askGrantedAt + ASK_EVERY - performance.now();
    const cause = this.failure ?? new Error('The issuer has been asked too often');
    return new IssuerUnavailableException(Math.max(Math.ceil(untilGranted / 1000), 1), { cause });
  }

  /** The issuer may come up after us: keys are there before the first token is. */
  private async warmUp(): Promise<void> {
    const signal = this.stopping.signal;
    for (let wait = 500; !signal.aborted; wait = Math.min(wait * 2, 5_000)) {
      await this.ask();
      if (this.keys.size > 0) return;
      await sleep(wait, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async fetch(): Promise<void> {
    this.begun += 1;
    const number = this.begun;
    try {
      const set = readKeySet(await this.fetchJson(await this.jwksUri()));
      this.keys = this.keptAmong(set.keys);
      this.fetchedAt = performance.now();
      this.fetched = number;
      for (const remark of set.remarks) this.logger.warn(`The key set of ${this.issuer}: ${remark}`);
      if (this.failure) this.logger.log(`Fetched ${set.keys.length} signing keys of ${this.issuer}`);
      this.failure = undefined;
    } catch (error) {
      this.failure = error;
      this.logger.warn(`Cannot fetch the signing keys of ${this.issuer}: ${messagesOf(error)}`);
    }
  }

  /** By `kid`; a key that was known stays the same object, with what was verified by it. */
  private keptAmong(published: SigningKey[]): Map<string, SigningKey[]> {
    const keys = new Map<string, SigningKey[]>();
    for (const key of published) {
      const known = this.keys.get(key.kid)?.find((one) => isSame(one, key));
      keys.set(key.kid, [...(keys.get(key.kid) ?? []), known ?? key]);
    }
    return keys;
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
    const askedAt = performance.now();
    const { body, date } = await fetchJson(address, limits);
    // Its `Date` leaves out the fraction of a second.
    if (date) this.clock.learnIssuers(date, (askedAt + performance.now()) / 2 - 500);
    return body;
  }

  private get issuer(): string {
    return this.settings?.issuer ?? '';
  }
}

function isSame(one: SigningKey, other: SigningKey): boolean {
  return one.key.equals(other.key) && one.algorithms.join() === other.algorithms.join();
}
