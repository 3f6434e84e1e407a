import { Signer } from '../../test/support/signer.js';
import { TOKEN_ALGORITHMS } from '../options/module-options.js';
import { readKeySet } from './key-set.js';

const NONE = 'the key set has none to verify tokens with';

describe('A published key set', () => {
  const rsa = new Signer('RS256', { kid: 'one' }).jwk;
  const curve = new Signer('ES256', { kid: 'two' }).jwk;

  function kidsOf(...entries: unknown[]): string[] {
    return readKeySet({ keys: entries }).keys.map(({ kid }) => kid);
  }

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a list', [rsa]],
    ['no keys', {}],
    ['keys that are no list', { keys: { 0: rsa, length: 1 } }],
    ['an empty list', { keys: [] }],
    ['only what is none for us', { keys: [{ ...rsa, use: 'enc' }] }],
  ])('that is %s is an error', (_what, document) => {
    expect(() => readKeySet(document)).toThrow(new Error(NONE));
  });

  it('holds its keys in their order, as their issuer made them', () => {
    const set = readKeySet({ keys: [rsa, curve] });
    expect(set.remarks).toEqual([]);
    expect(set.keys.map(({ kid, algorithms }) => [kid, algorithms])).toEqual([
      ['one', ['RS256']],
      ['two', ['ES256']],
    ]);
    expect(set.keys.map(({ key }) => key.export({ format: 'jwk' }))).toEqual([
      { kty: 'RSA', n: rsa.n, e: rsa.e },
      { kty: 'EC', crv: 'P-256', x: curve.x, y: curve.y },
    ]);
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['a number', 7],
    ['a text', 'key'],
    ['a function', () => rsa],
    ['without a kid', { ...rsa, kid: undefined }],
    ['of an empty kid', { ...rsa, kid: '' }],
    ['whose kid is a number', { ...rsa, kid: 7 }],
    ['without a kind', { ...rsa, kty: undefined }],
    ['of another kind', { kty: 'OKP', kid: 'three', crv: 'Ed25519', x: 'A'.repeat(43) }],
    ['of an algorithm for encryption', { ...rsa, alg: 'RSA-OAEP-256' }],
    ['whose algorithm is null', { ...rsa, alg: null }],
    ['for encryption', { ...rsa, use: 'enc' }],
    ['whose use is null', { ...rsa, use: null }],
    ['to sign with only', { ...rsa, key_ops: ['sign'] }],
    ['whose uses are a text', { ...rsa, key_ops: 'verify' }],
    ['with its private part', { ...rsa, d: 'AQAB' }],
    ['of a curve that does not fit its algorithm', { ...curve, alg: 'ES384' }],
    ['of a curve for nothing of ours', { ...curve, crv: 'secp256k1' }],
    ['of a curve for RSA', { ...curve, alg: 'RS256' }],
    ['of RSA for a curve', { ...rsa, alg: 'ES256' }],
  ])('leaves out an entry without a word: %s', (_what, entry) => {
    const { keys, remarks } = readKeySet({ keys: [entry, { ...rsa, kid: 'good' }] });
    expect(keys.map(({ kid }) => kid)).toEqual(['good']);
    expect(remarks).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['without a use', { ...rsa, use: undefined }],
    ['with several uses', { ...rsa, key_ops: ['encrypt', 'verify'] }],
    ['with a certificate of nonsense', { ...rsa, x5c: [5] }],
  ])('takes an entry %s', (_what, entry) => {
    expect(kidsOf(entry)).toEqual(['one']);
  });

  it.each<[string, object, string[]]>([
    ['RSA', rsa, TOKEN_ALGORITHMS.filter((algorithm) => !algorithm.startsWith('ES'))],
    ['P-256', curve, ['ES256']],
    ['P-384', new Signer('ES384').jwk, ['ES384']],
    ['P-521', new Signer('ES512').jwk, ['ES512']],
  ])('that names no algorithm means all that the key can: %s', (_what, entry, algorithms) => {
    const { keys } = readKeySet({ keys: [{ ...entry, alg: undefined }] });
    expect(keys.map((key) => key.algorithms)).toEqual([algorithms]);
  });

  it.each([
    [2047, false],
    [2048, true],
  ])('RSA keys of %d bits: %s', (bits, isTaken) => {
    const entry = new Signer('RS256', { kid: 'x'.repeat(101), bits }).jwk;
    const { keys, remarks } = readKeySet({ keys: [rsa, entry] });
    expect(keys).toHaveLength(isTaken ? 2 : 1);
    expect(remarks).toEqual(isTaken ? [] : [`RSA keys under 2048 bits are not taken: "${'x'.repeat(100)}"`]);
  });

  it.each([
    ['AQ', false],
    ['Ag', false],
    ['Aw', true],
  ])('RSA keys of the exponent %s: %s', (exponent, isTaken) => {
    expect(kidsOf(rsa, { ...rsa, kid: 'odd', e: exponent })).toEqual(isTaken ? ['one', 'odd'] : ['one']);
  });

  it('says all that it does not take where there is nothing else', () => {
    const feeble = ['feeble', 'feebler'].map((kid) => new Signer('RS256', { kid, bits: 1024 }).jwk);
    expect(() => readKeySet({ keys: feeble })).toThrow(
      new Error(`${NONE}; RSA keys under 2048 bits are not taken: "feeble", "feebler"`),
    );
  });

  it.each([
    [100, []],
    [101, ['only the first 100 of 101 keys are taken']],
  ])('of %d keys is taken as far as a hundred', (count, remarks) => {
    const all = Array.from({ length: count }, (_, number) => ({ ...curve, kid: `${number}` }));
    const set = readKeySet({ keys: [null, ...all] });
    expect(set.keys.map(({ kid }) => kid)).toEqual(all.slice(0, 100).map(({ kid }) => kid));
    expect(set.remarks).toEqual(remarks);
  });
});
