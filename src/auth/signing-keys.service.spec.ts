import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import timers from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { waitUntil } from '../../test/support/server.js';
import { Signer } from '../../test/support/signer.js';
import { DatabaseClock } from '../clock/database-clock.js';
import { TrustedClock } from '../clock/trusted-clock.js';
import { alertsSettings } from '../options/alerts-settings.js';
import { IssuerUnavailableException } from './auth-errors.js';
import type { SigningKey } from './key-set.js';
import { SigningKeys } from './signing-keys.service.js';

/** As they are before a test counts what is slept. */
const { setImmediate, setTimeout: sleep } = timers;

const NOTHING_TRIED: ReadonlySet<SigningKey> = new Set();
const TEN_MINUTES = 600_000;

describe("The issuer's keys", () => {
  const one = new Signer('ES256', { kid: 'one' }).jwk;
  const two = new Signer('ES256', { kid: 'two' }).jwk;
  const ONE = { kid: 'one', algorithm: 'ES256' };
  const TWO = { kid: 'two', algorithm: 'ES256' };
  const clock = new TrustedClock(new DatabaseClock());
  let server: Server;
  let url: string;
  /** What was asked for, in its order. */
  let asked: string[];
  /** What is answered by path; a status where it is a number. */
  let answers: Record<string, unknown>;
  let ahead: number;
  let all: SigningKeys[];
  let said: string[];

  beforeEach(async () => {
    [asked, all, said, ahead] = [[], [], [], 0];
    server = createServer(({ url: path = '' }, response) => {
      asked.push(path);
      const answer = path in answers ? answers[path] : 404;
      response.statusCode = typeof answer === 'number' ? answer : 200;
      response.end(JSON.stringify(answer));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    answers = {
      '/.well-known/openid-configuration': { issuer: url, jwks_uri: `${url}/keys` },
      '/keys': { keys: [one] },
    };
    jest.spyOn(performance, 'now').mockImplementation(() => 1_000_000 + ahead);
    for (const level of ['warn', 'log'] as const) {
      jest
        .spyOn(Logger.prototype, level)
        .mockImplementation((...words: unknown[]) => said.push(`${level}: ${words.join()}`));
    }
  });
  afterEach(() => {
    for (const keys of all) keys.onModuleDestroy();
    jest.restoreAllMocks();
    server.close();
    server.closeAllConnections();
  });

  function create(more: { issuer?: string; jwksUri?: string } = {}): SigningKeys {
    const keys = new SigningKeys(alertsSettings({ auth: { issuer: url, ...more } }), clock);
    all.push(keys);
    return keys;
  }

  function find(keys: SigningKeys, wanted = ONE, tried = NOTHING_TRIED): Promise<SigningKey | undefined> {
    return keys.find(wanted, tried, keys.moment);
  }

  async function refusal(keys: SigningKeys, wanted = TWO): Promise<IssuerUnavailableException> {
    const error: unknown = await find(keys, wanted).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(IssuerUnavailableException);
    return error as IssuerUnavailableException;
  }

  it('are needed only where tokens are verified here', async () => {
    class Guard {
      canActivate(): boolean {
        return true;
      }
    }
    const keys = new SigningKeys(alertsSettings({ auth: { guard: Guard } }), clock);
    all.push(keys);
    keys.onApplicationBootstrap();
    expect(keys.isReady).toBe(true);
    await setImmediate();
    expect([asked, said]).toEqual([[], []]);
  });

  it('are fetched when one is looked for, and found then without asking', async () => {
    const keys = create();
    expect(keys.isReady).toBe(false);
    expect(await find(keys)).toMatchObject({ kid: 'one', algorithms: ['ES256'] });
    expect(keys.isReady).toBe(true);
    expect(await find(keys)).toBeDefined();
    expect(asked).toEqual(['/.well-known/openid-configuration', '/keys']);
    expect(said).toEqual([`log: Fetched 1 signing keys of ${url}`]);
  });

  it("are asked for at the issuer's own address, or where it is said they are", async () => {
    answers['/.well-known/openid-configuration'] = { issuer: `${url}/`, jwks_uri: `${url}/keys` };
    expect(await find(create({ issuer: `${url}/` }))).toBeDefined();
    asked = [];
    expect(await find(create({ jwksUri: `${url}/keys` }))).toBeDefined();
    expect(asked).toEqual(['/keys']);
  });

  it.each<[string, (url: string) => unknown, string]>([
    [
      'of another issuer',
      (own) => ({ issuer: 'https://other.example', jwks_uri: `${own}/keys` }),
      'discovery names another issuer: "https://other.example"',
    ],
    ['of nobody', () => null, 'discovery names another issuer: undefined'],
    ['without keys', (own) => ({ issuer: own }), 'discovery names no jwks_uri'],
    ['in a file', (own) => ({ issuer: own, jwks_uri: 'file:///keys' }), 'discovery names no jwks_uri'],
  ])('are not taken from a document %s', async (_what, document, why) => {
    answers['/.well-known/openid-configuration'] = document(url);
    const keys = create();
    expect(await refusal(keys)).toMatchObject({ retryAfter: 1, cause: { message: why } });
    expect(asked).toEqual(['/.well-known/openid-configuration']);
    expect(said).toEqual([`warn: Cannot fetch the signing keys of ${url}: ${why}`]);
  });

  it('are found by kid and algorithm, other than those that were tried', async () => {
    const again = new Signer('ES256', { kid: 'one' }).jwk;
    answers['/keys'] = { keys: [one, again, two] };
    const keys = create();
    const first = await find(keys);
    const second = await find(keys, ONE, new Set([first!]));
    expect([first, second].map((key) => key?.key.export({ format: 'jwk' }).x)).toEqual([one.x, again.x]);
    expect((await find(keys, TWO))?.kid).toBe('two');
    expect(asked).toHaveLength(2);
    expect(await find(keys, ONE, new Set([first!, second!]))).toBeUndefined();
    expect(await find(keys, { kid: 'one', algorithm: 'RS256' })).toBeUndefined();
    expect(asked).toHaveLength(6);
  });

  it('are not asked for again where they were since the moment of the token', async () => {
    const keys = create();
    const { moment } = keys;
    expect(await find(keys)).toBeDefined();
    expect(await keys.find(TWO, NOTHING_TRIED, moment)).toBeUndefined();
    expect(asked).toHaveLength(2);
    expect(await keys.find(TWO, NOTHING_TRIED, keys.moment)).toBeUndefined();
    expect(asked).toHaveLength(4);
  });

  it('are asked for once by all who come together', async () => {
    const keys = create();
    await Promise.all([find(keys), find(keys), find(keys)]);
    expect(asked).toHaveLength(2);
    // The second comes when the first fetch has begun, the third shares the fetch that the second needs.
    await Promise.all([find(keys, TWO), find(keys, TWO), find(keys, TWO)]);
    expect(asked).toHaveLength(6);
  });

  it('are asked for four times in a row, and then once in 15 s', async () => {
    const keys = create();
    for (let time = 0; time < 4; time += 1) expect(await find(keys, TWO)).toBeUndefined();
    expect(asked).toHaveLength(8);
    expect(await refusal(keys)).toMatchObject({
      retryAfter: 15,
      cause: { message: 'The issuer has been asked too often' },
    });
    ahead = 14_500;
    expect((await refusal(keys)).retryAfter).toBe(1);
    expect(asked).toHaveLength(8);
    ahead = 15_000;
    expect(await find(keys, TWO)).toBeUndefined();
    expect((await refusal(keys)).retryAfter).toBe(15);
    // What is not used is not saved.
    ahead = TEN_MINUTES - 1_000;
    for (let time = 0; time < 4; time += 1) expect(await find(keys, TWO)).toBeUndefined();
    await refusal(keys);
    expect(asked).toHaveLength(18);
    expect(await find(keys)).toBeDefined();
  });

  it('go on while the issuer fails, of which the log tells, and of its recovery', async () => {
    const keys = create();
    expect(await find(keys)).toBeDefined();
    answers['/keys'] = 500;
    expect(await refusal(keys)).toMatchObject({
      retryAfter: 1,
      cause: { message: `${url}/keys was answered with 500` },
    });
    expect(await find(keys)).toBeDefined();
    answers['/keys'] = { keys: [one, two, new Signer('RS256', { kid: 'feeble', bits: 1024 }).jwk] };
    expect(await find(keys, TWO)).toBeDefined();
    expect(said).toEqual([
      `log: Fetched 1 signing keys of ${url}`,
      `warn: Cannot fetch the signing keys of ${url}: ${url}/keys was answered with 500`,
      `warn: The key set of ${url}: RSA keys under 2048 bits are not taken: "feeble"`,
      `log: Fetched 2 signing keys of ${url}`,
    ]);
    said = [];
    expect(await find(keys, { kid: 'three', algorithm: 'ES256' })).toBeUndefined();
    expect(said).toEqual([expect.stringContaining('feeble')]);
  });

  it('are fetched anew when they are older than ten minutes, without anybody waiting', async () => {
    const keys = create();
    const known = (await find(keys))!;
    answers['/keys'] = { keys: [two] };
    ahead = TEN_MINUTES;
    expect(keys.isPublished(known)).toBe(true);
    expect(await find(keys)).toBe(known);
    await sleep(50);
    expect(asked).toHaveLength(2);
    ahead = TEN_MINUTES + 1;
    expect(keys.isPublished(known)).toBe(true);
    expect(keys.isPublished(known)).toBe(true);
    await waitUntil(() => !keys.isPublished(known));
    expect(asked).toHaveLength(4);
    const young = (await find(keys, TWO))!;
    ahead += TEN_MINUTES + 1;
    expect(await find(keys, TWO)).toBe(young);
    await waitUntil(() => asked.length === 6);
    expect(keys.isPublished(known)).toBe(false);
  });

  it('stay the same objects as long as they are the same keys for the same algorithms', async () => {
    answers['/keys'] = { keys: [one, two] };
    const keys = create();
    const [first, second] = [(await find(keys))!, (await find(keys, TWO))!];
    answers['/keys'] = { keys: [{ ...one, alg: undefined }, new Signer('ES256', { kid: 'two' }).jwk] };
    await find(keys, { kid: 'three', algorithm: 'ES256' });
    expect(await find(keys)).toBe(first);
    expect(keys.isPublished(first)).toBe(true);
    expect(await find(keys, TWO)).not.toBe(second);
    expect(keys.isPublished(second)).toBe(false);

    const rsa = new Signer('RS256', { kid: 'rsa' }).jwk;
    answers['/keys'] = { keys: [rsa] };
    const named = (await find(keys, { kid: 'rsa', algorithm: 'RS256' }))!;
    answers['/keys'] = { keys: [{ ...rsa, alg: undefined }] };
    expect((await find(keys, { kid: 'rsa', algorithm: 'PS256' }))!.algorithms).toHaveLength(6);
    expect(keys.isPublished(named)).toBe(false);
  });

  it('are asked for from the start, ever more seldom, until they are there', async () => {
    answers['/keys'] = 500;
    const waits: unknown[] = [];
    const waiting = jest.spyOn(timers, 'setTimeout').mockImplementation((ms) => {
      waits.push(ms);
      if (waits.length === 6) answers['/keys'] = { keys: [one] };
      return Promise.resolve();
    });
    const keys = create();
    keys.onApplicationBootstrap();
    await waitUntil(() => keys.isReady);
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000]);
    // A process that ends is not kept waiting.
    expect(waiting.mock.calls[0]?.[2]).toEqual({
      signal: expect.any(AbortSignal) as AbortSignal,
      ref: false,
    });
    await setImmediate();
    expect(asked).toHaveLength(14);
  });

  it('are not asked for any more once the server stops', async () => {
    answers['/keys'] = 500;
    const keys = create();
    keys.onApplicationBootstrap();
    await waitUntil(() => asked.length === 2);
    keys.onModuleDestroy();
    await sleep(700);
    expect(asked).toHaveLength(2);
  });
});
