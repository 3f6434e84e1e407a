import type ClientRepresentation from '@keycloak/keycloak-admin-client/lib/defs/clientRepresentation.js';
import type ProtocolMapperRepresentation from '@keycloak/keycloak-admin-client/lib/defs/protocolMapperRepresentation.js';

/**
 * What Alertmanager's client is: it has a secret, and asks for tokens of its own; it logs nobody in, and its
 * tokens carry no role that it was not given for this.
 */
const CLIENT_SETTINGS = {
  enabled: true,
  protocol: 'openid-connect',
  publicClient: false,
  bearerOnly: false,
  clientAuthenticatorType: 'client-secret',
  serviceAccountsEnabled: true,
  standardFlowEnabled: false,
  implicitFlowEnabled: false,
  directAccessGrantsEnabled: false,
  authorizationServicesEnabled: false,
  fullScopeAllowed: false,
  redirectUris: [] as string[],
  webOrigins: [] as string[],
} satisfies ClientRepresentation;

/** What is off, unless an attribute says `true`. A lightweight token has neither audience nor roles. */
const ATTRIBUTES_OFF = [
  'client.use.lightweight.access.token.enabled',
  'oauth2.device.authorization.grant.enabled',
  'oidc.ciba.grant.enabled',
  'oauth2.jwt.authorization.grant.enabled',
  'standard.token.exchange.enabled',
];

/** The realm's own scopes that put the subject and the roles into a token. */
export const TOKEN_SCOPES = ['basic', 'roles'];

/**
 * A client as it should be, but for its audience and roles.
 * @param secret what it shall be; undefined lets Keycloak make one
 */
export function newClient(
  clientId: string,
  defaultClientScopes: string[],
  secret: string | undefined,
): ClientRepresentation {
  return {
    ...CLIENT_SETTINGS,
    clientId,
    name: 'Alertmanager',
    description: "Posts session alerts to Renku's webhook",
    attributes: Object.fromEntries(ATTRIBUTES_OFF.map((name) => [name, 'false'])),
    defaultClientScopes,
    optionalClientScopes: [],
    ...(secret !== undefined && { secret }),
  };
}

/** What has to change of a client that is there, said for people; empty where nothing has. */
export function clientChanges(client: ClientRepresentation): {
  changes: string[];
  changed: ClientRepresentation;
} {
  const settings = Object.entries(CLIENT_SETTINGS).filter(
    ([name, value]) => !isSame(client[name as keyof ClientRepresentation], value),
  );
  const attributes = ATTRIBUTES_OFF.filter((name) => String(client.attributes?.[name]) === 'true');
  return {
    changes: [
      ...settings.map(
        ([name, value]) => `${name}: ${shown(client[name as keyof ClientRepresentation])} → ${shown(value)}`,
      ),
      ...attributes.map((name) => `${name}: true → false`),
    ],
    changed: {
      ...client,
      ...Object.fromEntries(settings),
      attributes: { ...client.attributes, ...Object.fromEntries(attributes.map((name) => [name, 'false'])) },
    },
  };
}

/** Puts an audience into the client's access tokens, and nowhere else. */
export function audienceMapper(audience: string): ProtocolMapperRepresentation {
  return {
    name: `audience ${audience}`,
    protocol: 'openid-connect',
    protocolMapper: 'oidc-audience-mapper',
    config: {
      'included.custom.audience': audience,
      'access.token.claim': 'true',
      'introspection.token.claim': 'true',
      'id.token.claim': 'false',
      'lightweight.claim': 'false',
    },
  };
}

/** The mapper for that audience among a client's, whoever made it and whatever it is called. */
export function findAudienceMapper(
  mappers: ProtocolMapperRepresentation[],
  audience: string,
): ProtocolMapperRepresentation | undefined {
  return mappers.find(
    ({ protocolMapper, config = {} }) =>
      protocolMapper === 'oidc-audience-mapper' &&
      // Keycloak looks at the first, and at the second only where that is empty.
      (config['included.client.audience'] || config['included.custom.audience']) === audience,
  );
}

/** What has to change of such a mapper; empty where nothing has. */
export function audienceMapperChanges({ config = {} }: ProtocolMapperRepresentation): {
  changes: string[];
  config: Record<string, unknown>;
} {
  const changes: [string, string, string][] = [];
  if (config['access.token.claim'] !== 'true') changes.push(['access.token.claim', 'off', 'true']);
  if (config['id.token.claim'] === 'true') changes.push(['id.token.claim', 'true', 'false']);
  return {
    changes: changes.map(([name, from, to]) => `${name}: ${from} → ${to}`),
    config: { ...config, ...Object.fromEntries(changes.map(([name, , to]) => [name, to])) },
  };
}

/** What keeps a token from opening the webhook, said for people; empty where nothing does. */
export function tokenProblems(
  claims: Record<string, unknown>,
  { role, audience }: { role: string; audience: string },
): string[] {
  const { aud, sub, typ, realm_access: access } = claims;
  const roles = (access as { roles?: unknown } | undefined)?.roles;
  const problems: string[] = [];
  if (!(Array.isArray(aud) ? aud : [aud]).includes(audience))
    problems.push(`its audience is not ${audience}`);
  if (!Array.isArray(roles) || !roles.includes(role)) {
    problems.push(`it does not carry the role ${role}: is the client scope "roles" as Keycloak made it?`);
  }
  if (typeof sub !== 'string')
    problems.push('it has no subject: is the client scope "basic" as Keycloak made it?');
  if (typ !== 'Bearer') problems.push('its type is not Bearer');
  return problems;
}

function isSame(one: unknown, other: unknown): boolean {
  if (Array.isArray(other)) return Array.isArray(one) ? one.length === other.length : other.length === 0;
  // What Keycloak leaves out is off.
  return other === false ? one !== true : one === other;
}

function shown(value: unknown): string {
  return Array.isArray(value) ? value.join(' ') || 'none' : String(value);
}
