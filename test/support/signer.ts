import { constants, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import type { TokenAlgorithm } from '../../src/options/module-options.js';

const CURVES = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

export interface SignerOptions {
  kid?: string;
  /** Of an RSA key. */
  bits?: number;
  /** Of an RSA key. */
  exponent?: number;
}

/** A key of an issuer's, of any kind: its entry in the key set, and tokens that it signs. */
export class Signer {
  /** As Keycloak publishes it. */
  readonly jwk: JsonWebKey & { kid: string; alg: string; use: string };
  private readonly privateKey: KeyObject;

  constructor(
    readonly algorithm: TokenAlgorithm,
    { kid = randomUUID(), bits = 2048, exponent = 65_537 }: SignerOptions = {},
  ) {
    const { publicKey, privateKey } = algorithm.startsWith('ES')
      ? generateKeyPairSync('ec', { namedCurve: CURVES[algorithm as keyof typeof CURVES] })
      : generateKeyPairSync('rsa', { modulusLength: bits, publicExponent: exponent });
    this.privateKey = privateKey;
    this.jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' };
  }

  /** A good token of a user; what its header says of the signature may be untrue. */
  token(
    issuer: string,
    header: Record<string, unknown> = {},
    moreClaims: Record<string, unknown> = {},
  ): string {
    const claims = {
      iss: issuer,
      aud: 'renku',
      sub: 'jane',
      typ: 'Bearer',
      exp: Math.floor(Date.now() / 1000) + 300,
      ...moreClaims,
    };
    const signed = [{ alg: this.algorithm, typ: 'JWT', kid: this.jwk.kid, ...header }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const signature = sign(`sha${this.algorithm.slice(2)}`, Buffer.from(signed), {
      key: this.privateKey,
      dsaEncoding: 'ieee-p1363',
      ...(this.algorithm.startsWith('PS') && {
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      }),
    });
    return `${signed}.${signature.toString('base64url')}`;
  }
}
