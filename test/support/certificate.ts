import { isIPv4 } from 'node:net';
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import tls from 'node:tls';

/** A server's key and the certificate that it has signed itself, as PEM. */
export interface SelfSigned {
  key: string;
  cert: string;
}

const DAY = 24 * 3600_000;
/** Object identifiers (RFC 5280, RFC 5758), encoded. */
const COMMON_NAME = '0603550403';
const ALTERNATIVE_NAMES = '0603551d11';
const ECDSA_WITH_SHA256 = '06082a8648ce3d040302';

/** A name, or an address of IPv4 (RFC 5280, section 4.2.1.6). */
function alternativeName(host: string): Buffer {
  return isIPv4(host) ? der(0x87, Buffer.from(host.split('.').map(Number))) : der(0x82, Buffer.from(host));
}

/** One for names of hosts and addresses, valid from yesterday to tomorrow. */
export function selfSignedCertificate(...hosts: string[]): SelfSigned {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(0x30, Buffer.from(ECDSA_WITH_SHA256, 'hex'));
  const name = der(
    0x30,
    der(0x31, der(0x30, Buffer.from(COMMON_NAME, 'hex'), der(0x0c, Buffer.from(hosts[0] ?? '')))),
  );
  const names = der(0x30, ...hosts.map(alternativeName));
  const toSign = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    name,
    der(0x30, time(Date.now() - DAY), time(Date.now() + DAY)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, der(0x30, Buffer.from(ALTERNATIVE_NAMES, 'hex'), der(0x04, names)))),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', toSign, privateKey)]);
  const certificate = der(0x30, toSign, algorithm, der(0x03, signature)).toString('base64');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
  };
}

/**
 * Lets this process trust a certificate, as NODE_EXTRA_CA_CERTS does for one that is still to start.
 * @returns what undoes it
 */
export function trust(cert: string): () => void {
  const { connect } = tls;
  const trusting = (options: tls.ConnectionOptions, done?: () => void): tls.TLSSocket =>
    connect({ ...options, ca: [...tls.rootCertificates, cert] }, done);
  tls.connect = trusting as typeof connect;
  return () => {
    tls.connect = connect;
  };
}

function time(moment: number): Buffer {
  return der(0x18, Buffer.from(new Date(moment).toISOString().replace(/\.\d+|[-:T]/g, '')));
}

/** A value with its tag and length (X.690). */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const bytes = length < 0x100 ? [length] : [length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length, ...bytes]), content]);
}
