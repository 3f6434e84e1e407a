import { constants, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { TokenAlgorithm } from 'nestjs-session-alerts';
import { parsedJson, recordOf, textOf, textsIn } from 'nestjs-session-alerts/operations';
import type { ClientToken, Examination } from './check.js';
import { durationText } from './duration-text.js';
import { withoutSlash } from './issuer.check.js';
import { aheadBy, ask, reachingMend, reasonOf, shown } from './neighbours.js';
import type { TimedAnswer } from './neighbours.js';

/** Makes client, role, audience and assignment anew, and leaves alone what is right. */
const SET_UP = 'session-alerts keycloak setup';
/** Alertmanager gets a new token 10 s before the old one expires; shorter lifetimes than this (s) make it ask for many. */
const SHORTEST_LIFETIME = 60;
/** A role that is withdrawn counts until the last token expires (s). */
const LONGEST_LIFETIME = 24 * 3600;

/** A token by client credentials, as Alertmanager gets it: that it comes, and says what the server asks for. */
export async function checkToken(examination: Examination): Promise<void> {
  const { issuer, clientSecret } = examination.settings;
  if (issuer === undefined) {
    examination.skip('token', 'give --issuer or set OIDC_ISSUER');
  } else if (clientSecret === undefined) {
    examination.skip('token', 'give --client-secret-file or set ALERTMANAGER_CLIENT_SECRET');
  } else if (!examination.issuer) {
    examination.skip('token', 'because the issuer or its keys cannot be used');
  } else {
    const token = await getToken(examination, clientSecret);
    if (!token || !isVerified(examination, token)) return;
    examination.token = token;
    checkAudience(examination, token);
    checkRole(examination, token);
    checkLifetime(examination, token);
  }
}

async function getToken(examination: Examination, secret: string): Promise<ClientToken | undefined> {
  const { issuer = '', clientId } = examination.settings;
  const endpoint =
    examination.issuer?.tokenEndpoint || `${withoutSlash(issuer)}/protocol/openid-connect/token`;
  const sentAt = Date.now();
  let answer: TimedAnswer;
  try {
    answer = await ask(examination, endpoint, {
      method: 'POST',
      headers: {
        // Both parts are form-encoded first (RFC 6749, section 2.3.1).
        Authorization: `Basic ${btoa(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`)}`,
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: 'grant_type=client_credentials',
    });
  } catch (error) {
    examination.wrong(
      'token',
      `${shown(endpoint)} cannot be reached: ${reasonOf(error)}`,
      reachingMend(error, 'OIDC_ISSUER'),
    );
    return undefined;
  }
  const body = recordOf(parsedJson(answer.text));
  if (answer.status !== 200) {
    refused(examination, answer.status, body);
    return undefined;
  }
  const text = textOf(body['access_token']);
  const claims = claimsOf(text);
  if (!claims) {
    examination.wrong(
      'token',
      'The issuer sent no access token in the form of a JWT',
      `Keycloak: Clients → ${clientId} → Advanced → Use "at+jwt" as access token header type: Off, and no lightweight access token`,
    );
    return undefined;
  }
  if (typeof claims['iat'] === 'number') {
    const ahead = aheadBy(claims['iat'] * 1000, sentAt);
    // Its own word; the date of the answer may be that of a proxy before it.
    const issuerClock = examination.clocks.find(({ whose }) => whose === 'the issuer');
    if (issuerClock) issuerClock.ahead = ahead;
    else examination.clocks.push({ whose: 'the issuer', ahead });
  }
  return { text, claims };
}

/** @see RFC 6749, section 5.2, and Keycloak's own descriptions */
function refused(examination: Examination, status: number, body: Record<string, unknown>): void {
  const { clientId } = examination.settings;
  const code = textOf(body['error']).slice(0, 100);
  const description = textOf(body['error_description']).slice(0, 200);
  const said = [code, description].filter(Boolean).join(': ') || 'no reason';
  const message = `The issuer gives the client ${clientId} no token (status ${status}, ${said})`;
  if (/service account/i.test(description)) {
    examination.wrong(
      'token',
      message,
      `Keycloak: Clients → ${clientId} → Settings → Capability config → Client authentication and Service accounts roles: On; or run \`${SET_UP}\``,
    );
  } else if (status === 400 || status === 401 || status === 403) {
    examination.wrong(
      'token',
      `${message}: the client secret is wrong, or there is no such client`,
      `Put the secret from Keycloak: Clients → ${clientId} → Credentials into the client secret file, here and for Alertmanager (client_secret_file); if there is no such client, run \`${SET_UP}\``,
    );
  } else {
    examination.wrong('token', message, 'See the log of Keycloak, or of the proxy before it');
  }
}

/** Signature, issuer and kind, as the server verifies them. */
function isVerified(examination: Examination, { text, claims }: ClientToken): boolean {
  const { issuer = '', clientId, algorithms } = examination.settings;
  const [head = '', payload = '', signature = ''] = text.split('.');
  const { alg, kid } = recordOf(parsedJson(Buffer.from(head, 'base64url').toString()));
  const algorithm = algorithms.find((one) => one === alg);
  const problem = (message: string, mend: string): false => {
    examination.wrong('token', message, mend);
    return false;
  };
  if (algorithm === undefined) {
    return problem(
      `The token is signed with ${String(alg)}; the server takes ${algorithms.join(' or ')}`,
      `Keycloak: Clients → ${clientId} → Advanced → Access token signature algorithm: ${algorithms.join(' or ')}, or set TOKEN_ALGORITHMS`,
    );
  }
  const keys = (examination.issuer?.keys ?? []).filter(
    (key) => key.kid === kid && key.algorithms.includes(algorithm),
  );
  if (keys.length === 0) {
    return problem(
      "The token is signed with a key that is not among the issuer's published ones",
      "Set OIDC_JWKS_URI, where it is set, to this issuer's keys, or remove it",
    );
  }
  const signed = Buffer.from(`${head}.${payload}`);
  if (!keys.some(({ key }) => isSignedBy(key, algorithm, signed, Buffer.from(signature, 'base64url')))) {
    return problem(
      "The token's signature does not fit the issuer's published key",
      "Set OIDC_JWKS_URI, where it is set, to this issuer's keys, or remove it",
    );
  }
  if (claims['iss'] !== issuer) {
    return problem(
      `The token's iss is ${shown(textOf(claims['iss']))}, not ${issuer}`,
      "Set OIDC_ISSUER to that address, or Keycloak's hostname (KC_HOSTNAME) to the one that users reach",
    );
  }
  if (claims['typ'] !== 'Bearer') {
    return problem(
      `The token's typ is ${JSON.stringify(claims['typ'])}, not "Bearer"`,
      `Keycloak: Clients → ${clientId} → Advanced: no lightweight access token`,
    );
  }
  if (typeof claims['sub'] !== 'string') {
    return problem(
      'The token has no sub',
      `Keycloak: Clients → ${clientId} → Client scopes → Add client scope → basic, as default`,
    );
  }
  examination.ok('token', `The issuer gives the client ${clientId} one, and its signature verifies`);
  return true;
}

/** RFC 7518, sections 3.3 to 3.5. */
function isSignedBy(key: KeyObject, algorithm: TokenAlgorithm, signed: Buffer, signature: Buffer): boolean {
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  const options = { key, dsaEncoding: 'ieee-p1363', ...(algorithm.startsWith('PS') && pss) } as const;
  return verify(`sha${algorithm.slice(2)}`, signed, options, signature);
}

function checkAudience(examination: Examination, { claims }: ClientToken): void {
  const { audience, clientId } = examination.settings;
  const { aud } = claims;
  const audiences = typeof aud === 'string' ? [aud] : textsIn(aud);
  if (audiences.includes(audience)) {
    examination.ok('token.audience', `aud contains ${audience}`);
    return;
  }
  const has = audiences.length === 0 ? 'no aud' : `aud ${audiences.join(', ')}`;
  examination.wrong(
    'token.audience',
    `The token has ${has}; the server asks for ${audience}: the audience mapper is missing`,
    `Keycloak: Clients → ${clientId} → Client scopes → ${clientId}-dedicated → Add mapper → By configuration → Audience, Included Custom Audience: ${audience}, Add to access token: On; or run \`${SET_UP}\``,
  );
}

function checkRole(examination: Examination, { claims }: ClientToken): void {
  const { webhookRole, adminRole, clientId } = examination.settings;
  const access = claims['realm_access'];
  const roles = textsIn(recordOf(access)['roles']);
  if (roles.includes(webhookRole)) {
    examination.ok('token.role', `realm_access.roles contains ${webhookRole}`);
  } else if (roles.includes(adminRole)) {
    examination.warn(
      'token.role',
      `The client has the administrators' role ${adminRole} and not ${webhookRole}: its secret opens more than webhooks`,
      assign(clientId, webhookRole),
    );
  } else {
    const seen = roles.length > 0 ? `its realm roles are ${roles.join(', ')}` : 'it carries no realm role';
    examination.wrong(
      'token.role',
      `The token lacks the role ${webhookRole}: ${seen}`,
      access === undefined
        ? `${assign(clientId, webhookRole)}; where it is assigned already, Client scopes → Add client scope → roles, as default`
        : assign(clientId, webhookRole),
    );
  }
}

function assign(clientId: string, role: string): string {
  return `Keycloak: Clients → ${clientId} → Service accounts roles → Assign role → Realm roles → ${role}; or run \`${SET_UP}\``;
}

function checkLifetime(examination: Examination, { claims }: ClientToken): void {
  const { clientId } = examination.settings;
  const { exp, iat } = claims;
  if (typeof exp !== 'number' || typeof iat !== 'number') {
    examination.wrong(
      'token.lifetime',
      'The token does not say when it expires',
      `Keycloak: Clients → ${clientId} → Advanced → Access Token Lifespan: 5 minutes`,
    );
    return;
  }
  const lifetime = exp - iat;
  const mend = `Keycloak: Clients → ${clientId} → Advanced → Access Token Lifespan: 5 minutes (Realm settings → Tokens where it inherits)`;
  if (lifetime < SHORTEST_LIFETIME) {
    examination.warn(
      'token.lifetime',
      `It lives for ${durationText(Math.max(lifetime, 0))}: Alertmanager asks for a new one before nearly every post`,
      mend,
    );
  } else if (lifetime > LONGEST_LIFETIME) {
    examination.warn(
      'token.lifetime',
      `It lives for ${durationText(lifetime)}: one that leaks opens the webhook for so long`,
      mend,
    );
  } else {
    examination.ok('token.lifetime', durationText(lifetime));
  }
}

/** What a JWT says of itself, unverified; undefined where it is none. */
function claimsOf(token: string): Record<string, unknown> | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  const claims = recordOf(parsedJson(Buffer.from(parts[1] ?? '', 'base64url').toString()));
  return Object.keys(claims).length > 0 ? claims : undefined;
}
