/** Gives an access token: the one at hand, or a new one where `refresh` says that the last one is refused or over. */
export type GetToken = (options: { refresh: boolean }) => string | Promise<string>;

/** What a JWT says of itself. It is not verified here; the API does that. */
interface TokenClaims {
  iss?: string;
  sub?: string;
  /** Moment when it ends (ms). */
  expires?: number;
}

/** Reads a JWT's claims; of an opaque token nothing is known. */
export function readClaims(token: string): TokenClaims {
  const payload = token.split('.')[1];
  if (!payload) return {};
  try {
    const claims = JSON.parse(decodeBase64Url(payload)) as {
      iss?: unknown;
      sub?: unknown;
      exp?: unknown;
    } | null;
    return {
      ...(typeof claims?.iss === 'string' && { iss: claims.iss }),
      ...(typeof claims?.sub === 'string' && { sub: claims.sub }),
      ...(typeof claims?.exp === 'number' && { expires: claims.exp * 1000 }),
    };
  } catch {
    return {};
  }
}

function decodeBase64Url(text: string): string {
  const binary = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
  return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}
