import { trustMend } from './trust.js';

describe('What to do about a certificate', () => {
  // https://docs.openssl.org/3.0/man1/openssl-verification-options/
  it.each([
    'fetch failed: unable to verify the first certificate',
    'fetch failed: unable to get local issuer certificate',
    'fetch failed: unable to get issuer certificate',
    'fetch failed: self-signed certificate',
    'fetch failed: self-signed certificate in certificate chain',
  ])('is to name its authority, where we are told: %s', (said) => {
    expect(trustMend(said)).toContain('NODE_EXTRA_CA_CERTS');
  });

  it.each([
    'fetch failed: certificate has expired',
    "fetch failed: Hostname/IP does not match certificate's altnames: Host: a. is not in the cert's altnames: DNS:b",
    'fetch failed: connect ECONNREFUSED 127.0.0.1:9',
  ])('is something else, where we are told: %s', (said) => {
    expect(trustMend(said)).toBeUndefined();
  });
});
