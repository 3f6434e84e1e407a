import KeycloakAdminClient, { NetworkError } from '@keycloak/keycloak-admin-client';
import { messagesOf } from 'nestjs-session-alerts/operations';
import { CommandError, UnreachableError } from '../command-error.js';

/** How long an answer may take (ms). Keycloak's first ones take seconds. */
const TIMEOUT = 60_000;

/** Who sets Keycloak up: a person, or a client with a service account. */
export type Administrator = { realm: string } & (
  { user: string; password: string } | { clientId: string; clientSecret: string }
);

/** Keycloak's administration, and its address with the path that it is served under. */
export interface KeycloakLogin {
  admin: KeycloakAdminClient;
  baseUrl: string;
}

/**
 * Logs in to the Keycloak at an address, given with or without the path `/auth`.
 * @throws UnreachableError, CommandError
 */
export async function logIn(url: string, administrator: Administrator): Promise<KeycloakLogin> {
  const { realm } = administrator;
  const baseUrl = await findKeycloak(url, realm);
  const admin = new KeycloakAdminClient({ baseUrl, realmName: realm, timeout: TIMEOUT });
  try {
    await admin.auth(
      'user' in administrator
        ? {
            grantType: 'password',
            clientId: 'admin-cli',
            username: administrator.user,
            password: administrator.password,
          }
        : {
            grantType: 'client_credentials',
            clientId: administrator.clientId,
            clientSecret: administrator.clientSecret,
          },
    );
  } catch (error) {
    if (!(error instanceof NetworkError)) throw asCommandError(error);
    const who = 'user' in administrator ? administrator.user : administrator.clientId;
    throw new CommandError(
      `Keycloak's realm ${realm} refuses the login of ${who} (${saidBy(error)}): check the name, its password or secret, and --admin-realm.`,
    );
  }
  return { admin, baseUrl };
}

/**
 * What went wrong with a request to Keycloak's administration, and what to do about it.
 * @returns errors that are no request's as they are
 */
export function asCommandError(error: unknown): unknown {
  if (error instanceof CommandError) return error;
  if (error instanceof NetworkError) {
    const { status } = error.response;
    const said = `Keycloak answers ${saidBy(error)}`;
    if (status === 403) {
      return new CommandError(
        `${said}: give the administrator the roles manage-realm, manage-clients and manage-users of the realm.`,
      );
    }
    if (status === 409)
      return new CommandError(`${said}: somebody else made the same just now; run it again.`);
    if (status >= 500) return new UnreachableError(`${said}: look into its log, and run this again.`);
    return new CommandError(`${said}: mend that, and run this again.`);
  }
  if (isNoAnswer(error)) {
    return new UnreachableError(`Keycloak does not answer any more (${messagesOf(error)}): run this again.`);
  }
  return error;
}

/** Keycloak used to be served under `/auth`, and still is where it was told to. */
async function findKeycloak(url: string, realm: string): Promise<string> {
  const other = url.endsWith('/auth') ? url.slice(0, -'/auth'.length) : `${url}/auth`;
  const answers: string[] = [];
  for (const baseUrl of [url, other]) {
    const address = `${baseUrl}/realms/${encodeURIComponent(realm)}`;
    try {
      const response = await fetch(address, { redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT) });
      const body = (await response.json().catch(() => null)) as { realm?: unknown } | null;
      if (response.ok && body?.realm === realm) return baseUrl;
      answers.push(`${address} answers ${response.status}`);
    } catch (error) {
      throw new UnreachableError(`Keycloak cannot be reached: check --url (${url}): ${messagesOf(error)}.`);
    }
  }
  throw new CommandError(`There is no Keycloak with a realm ${realm}: check --url (${answers.join('; ')}).`);
}

function saidBy({ response, responseData }: NetworkError): string {
  const {
    error,
    error_description: description,
    errorMessage,
  } = (responseData ?? {}) as Record<string, unknown>;
  return [response.status, error, description, errorMessage]
    .filter((word) => typeof word === 'string' || typeof word === 'number')
    .join(', ');
}

function isNoAnswer(error: unknown): boolean {
  return error instanceof Error && (error.message === 'fetch failed' || error.name === 'TimeoutError');
}
