import { createECDH, ECDH } from 'node:crypto';

/** The keys by which push services and browsers know a server (RFC 8292), base64url. */
export interface VapidKeys {
  publicKey: string;
  privateKey: string;
}

const CURVE = 'prime256v1';
/** Bytes of a private key. */
const LENGTH = 32;
/** Bytes of a point that is written whole, and what such a one begins with. */
const POINT_LENGTH = 65;
const WHOLE_POINT = 4;

export function makeVapidKeys(): VapidKeys {
  const pair = createECDH(CURVE);
  const publicKey = pair.generateKeys('base64url');
  const number = pair.getPrivateKey();
  // Of a small number the leading zeros are left out.
  const privateKey = Buffer.concat([Buffer.alloc(LENGTH - number.length), number]).toString('base64url');
  return { publicKey, privateKey };
}

/** The public key that belongs to a private one; `undefined` where that is none. */
export function publicKeyOf(privateKey: string): string | undefined {
  const pair = createECDH(CURVE);
  try {
    pair.setPrivateKey(privateKey, 'base64url');
    return pair.getPublicKey('base64url');
  } catch {
    return undefined;
  }
}

/** Whether these bytes are a point of P-256, as a browser's key is (RFC 8291). */
export function isPoint(bytes: Uint8Array): boolean {
  if (bytes.length !== POINT_LENGTH || bytes[0] !== WHOLE_POINT) return false;
  try {
    ECDH.convertKey(bytes, CURVE);
    return true;
  } catch {
    return false;
  }
}
