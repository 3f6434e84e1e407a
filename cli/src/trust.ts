/**
 * What to do where a neighbour's certificate is not trusted, by the messages that OpenSSL has for that; `undefined`
 * for every other failure.
 */
export function trustMend(said: string): string | undefined {
  return /self-signed certificate|unable to (?:verify the first|get (?:local )?issuer) certificate/i.test(
    said,
  )
    ? 'Set NODE_EXTRA_CA_CERTS to the file with the certificate of the authority that signed its certificate'
    : undefined;
}
