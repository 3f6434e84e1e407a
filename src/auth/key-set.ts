import { createPublicKey } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { TOKEN_ALGORITHMS } from '../options/module-options.js';
import type { TokenAlgorithm } from '../options/module-options.js';

/** A public key of the issuer's, and which signatures it may verify. */
export interface SigningKey {
  readonly kid: string;
  readonly algorithms: readonly TokenAlgorithm[];
  readonly key: KeyObject;
}

/** What a published key set (RFC 7517) holds for us. */
export interface KeySet {
  keys: SigningKey[];
  /** What of it is not taken, and why, in a sentence each; only what its issuer would wonder about. */
  remarks: string[];
}

/** Keycloak has one or two for signing. */
const MOST_KEYS = 100;
/** Bits (RFC 7518, section 3.3). */
const SHORTEST_RSA_KEY = 2048;

const ALGORITHM_OF_CURVE: Readonly<Record<string, TokenAlgorithm>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

/** An entry that says it is a key for signatures; what it is made of has yet to be seen. */
interface PublishedKey extends JsonWebKey {
  kid: string;
  alg?: TokenAlgorithm;
}

/**
 * Reads a published key set. An entry that cannot be used, whatever it is, spoils no other.
 * @throws Error there is none to verify tokens with
 */
export function readKeySet(document: unknown): KeySet {
  const published: unknown = (document as { keys?: unknown } | null | undefined)?.keys;
  const entries = Array.isArray(published) ? published.filter(isForSignatures) : [];
  const taken = entries.slice(0, MOST_KEYS);
  const set: KeySet = { keys: [], remarks: [] };
  const weak: string[] = [];
  for (const entry of taken) {
    const key = publicKeyOf(entry);
    if (!key) continue;
    const { kid, alg } = entry;
    const algorithms = algorithmsOf(key, alg);
    if (isWeak(key)) weak.push(JSON.stringify(kid.slice(0, 100)));
    else if (algorithms.length > 0) set.keys.push({ kid, algorithms, key });
  }
  if (weak.length > 0) {
    set.remarks.push(`RSA keys under ${SHORTEST_RSA_KEY} bits are not taken: ${weak.join(', ')}`);
  }
  if (entries.length > taken.length) {
    set.remarks.push(`only the first ${MOST_KEYS} of ${entries.length} keys are taken`);
  }
  if (set.keys.length === 0) {
    throw new Error(['the key set has none to verify tokens with', ...set.remarks].join('; '));
  }
  return set;
}

function isForSignatures(entry: unknown): entry is PublishedKey {
  if (typeof entry !== 'object' || entry === null) return false;
  const { kid, kty, alg, use, key_ops: operations, d } = entry as Record<string, unknown>;
  return (
    typeof kid === 'string' &&
    kid !== '' &&
    (kty === 'RSA' || kty === 'EC') &&
    (alg === undefined || TOKEN_ALGORITHMS.some((one) => one === alg)) &&
    (use === undefined || use === 'sig') &&
    (operations === undefined || (Array.isArray(operations) && operations.includes('verify'))) &&
    // A private key that was published signs for anybody.
    d === undefined
  );
}

/** Made of the members of a public key alone: what else stands there could only do harm. */
function publicKeyOf({ kty, crv, n, e, x, y }: JsonWebKey): KeyObject | undefined {
  try {
    return createPublicKey({ key: { kty, crv, n, e, x, y }, format: 'jwk' });
  } catch {
    return undefined;
  }
}

/** RFC 7518, section 3.1: any RSA key verifies RS and PS, a curve is for one algorithm; and `alg` names the only one. */
function algorithmsOf(key: KeyObject, alg: TokenAlgorithm | undefined): TokenAlgorithm[] {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  return TOKEN_ALGORITHMS.filter((algorithm) => {
    const fits =
      key.asymmetricKeyType === 'ec'
        ? ALGORITHM_OF_CURVE[curve ?? ''] === algorithm
        : !algorithm.startsWith('ES');
    return fits && (alg === undefined || alg === algorithm);
  });
}

/** Under the exponent 1 anybody can sign. */
function isWeak({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): boolean {
  if (type !== 'rsa') return false;
  return (details?.modulusLength ?? 0) < SHORTEST_RSA_KEY || (details?.publicExponent ?? 0n) < 3n;
}
