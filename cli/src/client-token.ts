import { fetchAnswer, fetchJson, messagesOf, parsedJson, recordOf } from 'nestjs-session-alerts/operations';
import { CommandError, UnreachableError } from './command-error.js';

/** How long an answer may take (ms), and how large it may be (bytes). */
const LIMITS = { timeout: 15_000, longest: 1024 * 1024, signal: new AbortController().signal };

/**
 * Where an issuer's tokens come from, by OpenID Connect discovery.
 * @throws UnreachableError, CommandError
 */
export async function discoverTokenUrl(issuer: string): Promise<string> {
  const address = `${issuer}/.well-known/openid-configuration`;
  let document: { token_endpoint?: unknown } | null;
  try {
    document = (await fetchJson(address, LIMITS)).body as typeof document;
  } catch (cause) {
    throw new UnreachableError(
      `The issuer cannot be asked where its tokens come from: check --issuer (${issuer}), or give --token-url`,
      { cause },
    );
  }
  if (typeof document?.token_endpoint !== 'string') {
    throw new CommandError(`${address} names no token_endpoint: check --issuer, or give --token-url.`);
  }
  return document.token_endpoint;
}

/**
 * An access token by client credentials (RFC 6749, section 4.4), asked for as the administrators' guide does.
 * @throws UnreachableError the issuer does not answer
 * @throws CommandError it refuses
 */
export async function clientToken(
  tokenUrl: string,
  { clientId, clientSecret }: { clientId: string; clientSecret: string },
): Promise<string> {
  const { status, text } = await post(tokenUrl, {
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
    }),
  });
  const answer = recordOf(parsedJson(text));
  if (status === 200 && typeof answer['access_token'] === 'string') return answer['access_token'];
  const reason = [answer['error'], answer['error_description']].filter((word) => typeof word === 'string');
  const said = `${tokenUrl} gives the client ${clientId} no token (${[status, ...reason].join(', ')})`;
  if (status >= 500) throw new UnreachableError(`${said}: look into the issuer's log, and try again.`);
  if (reason[0] === 'invalid_client' || reason[0] === 'unauthorized_client') {
    throw new CommandError(
      `${said}: check the client's id and secret; "session-alerts keycloak setup" makes them right.`,
    );
  }
  throw new CommandError(`${said}: check the token address.`);
}

/** What a token claims; nothing is verified. */
export function claimsOf(token: string): Record<string, unknown> {
  return recordOf(parsedJson(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()));
}

/**
 * Posts, and follows no redirect: it would lose the body.
 * @throws UnreachableError
 */
export async function post(
  address: string,
  { body, headers }: { body: string | URLSearchParams; headers?: Record<string, string> },
): Promise<{ status: number; text: string }> {
  try {
    return await fetchAnswer(address, LIMITS, {
      method: 'POST',
      body,
      redirect: 'manual',
      ...(headers && { headers }),
    });
  } catch (error) {
    throw new UnreachableError(
      `${address} does not answer: check the address, and that it can be reached from here (${messagesOf(error)}).`,
    );
  }
}
