import {
  isHttpUrl,
  messagesOf,
  parsedJson,
  readKeySet,
  recordOf,
  textOf,
} from 'nestjs-session-alerts/operations';
import type { SigningKey } from 'nestjs-session-alerts/operations';
import type { Examination } from './check.js';
import { ask, reachingMend, reasonOf, redirectOf, shown } from './neighbours.js';
import type { TimedAnswer } from './neighbours.js';

/** The issuer is there, is the one that the settings name, and has keys to verify tokens with. */
export async function checkIssuer(examination: Examination): Promise<void> {
  const { issuer } = examination.settings;
  if (issuer === undefined) {
    examination.skip('issuer', 'give --issuer or set OIDC_ISSUER');
    return;
  }
  const document = await discover(examination, issuer);
  if (!document) {
    examination.skip('issuer.keys', 'because the issuer cannot be asked');
    return;
  }
  const { jwksUri = textOf(document['jwks_uri']) } = examination.settings;
  const keys = await keysAt(examination, jwksUri);
  if (!keys) return;
  const tokenEndpoint = textOf(document['token_endpoint']);
  examination.issuer = { tokenEndpoint, keys };
}

/** @see https://openid.net/specs/openid-connect-discovery-1_0.html */
async function discover(
  examination: Examination,
  issuer: string,
): Promise<Record<string, unknown> | undefined> {
  const address = `${withoutSlash(issuer)}/.well-known/openid-configuration`;
  let answer: TimedAnswer;
  try {
    answer = await ask(examination, address);
  } catch (error) {
    examination.wrong(
      'issuer',
      `${shown(issuer)} cannot be reached: ${reasonOf(error)}`,
      reachingMend(error, 'OIDC_ISSUER'),
    );
    return undefined;
  }
  if (answer.ahead !== undefined) examination.clocks.push({ whose: 'the issuer', ahead: answer.ahead });
  const redirect = redirectOf(answer, address);
  if (redirect !== undefined) {
    examination.wrong(
      'issuer',
      `${shown(address)} redirects to ${redirect}`,
      "Set OIDC_ISSUER to the address that the tokens' iss says, which answers without a redirect",
    );
    return undefined;
  }
  if (answer.status !== 200) {
    const status = `${shown(address)} was answered with ${answer.status}`;
    examination.wrong(
      'issuer',
      status,
      answer.status === 404
        ? "Set OIDC_ISSUER to the realm's address with its path, e.g. https://host/auth/realms/Renku (newer Keycloaks have no /auth)"
        : 'See the log of Keycloak, or of the proxy before it',
    );
    return undefined;
  }
  const document = recordOf(parsedJson(answer.text));
  const itself = textOf(document['issuer']);
  if (itself !== issuer && withoutSlash(itself) === withoutSlash(issuer)) {
    const way = itself.endsWith('/') ? 'with' : 'without';
    examination.wrong(
      'issuer',
      `${shown(withoutSlash(issuer))} is there and calls itself so ${way} a slash at the end, unlike the issuer that is set: all tokens are refused`,
      `Write the issuer ${way} a slash at its end, in OIDC_ISSUER on the server as in --issuer here`,
    );
    return undefined;
  }
  if (itself !== issuer) {
    examination.wrong(
      'issuer',
      `It calls itself ${shown(itself)}, not ${issuer}: all tokens are refused`,
      "Set OIDC_ISSUER to that address, or Keycloak's hostname (KC_HOSTNAME) so that it calls itself as users reach it",
    );
    return undefined;
  }
  examination.ok('issuer', `${shown(issuer)} is there and calls itself so`);
  return document;
}

/** As addresses go on below it; its name may have one at its end. */
export function withoutSlash(issuer: string): string {
  return issuer.replace(/\/$/, '');
}

async function keysAt(examination: Examination, jwksUri: string): Promise<SigningKey[] | undefined> {
  const check = 'issuer.keys';
  if (!isHttpUrl(jwksUri)) {
    examination.wrong(check, 'Discovery names no jwks_uri', 'Set OIDC_JWKS_URI to the address of its keys');
    return undefined;
  }
  let answer: TimedAnswer;
  try {
    answer = await ask(examination, jwksUri);
  } catch (error) {
    examination.wrong(
      check,
      `${shown(jwksUri)} cannot be reached: ${reasonOf(error)}`,
      reachingMend(error, "OIDC_JWKS_URI, where discovery's own address cannot be reached from the server"),
    );
    return undefined;
  }
  const { algorithms } = examination.settings;
  const names = algorithms.join(' or ');
  let keys: SigningKey[] = [];
  let reason = '';
  try {
    if (answer.status === 200) ({ keys } = readKeySet(parsedJson(answer.text)));
    else reason = ` (status ${answer.status})`;
  } catch (error) {
    reason = ` (${messagesOf(error)})`;
  }
  const usable = keys.filter((key) => algorithms.some((algorithm) => key.algorithms.includes(algorithm)));
  if (usable.length === 0) {
    const [algorithm = 'RS256'] = algorithms;
    examination.wrong(
      check,
      `${shown(jwksUri)} has no ${names} key to verify tokens with${reason}`,
      `Keycloak: Realm settings → Keys → Add providers → ${algorithm.startsWith('ES') ? 'ecdsa' : 'rsa'}-generated with algorithm ${algorithm}`,
    );
    return undefined;
  }
  examination.ok(check, `Keys for ${names}: ${usable.length}`);
  return usable;
}
