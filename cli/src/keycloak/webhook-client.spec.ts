import {
  audienceMapper,
  audienceMapperChanges,
  clientChanges,
  findAudienceMapper,
  newClient,
  tokenProblems,
} from './webhook-client.js';

describe("Alertmanager's client", () => {
  const client = { id: '1', ...newClient('alertmanager', ['basic', 'roles'], undefined) };

  it('needs no change when it is new', () => {
    expect(clientChanges(client).changes).toEqual([]);
  });

  it('leaves its secret to Keycloak, unless one is given', () => {
    expect(client).not.toHaveProperty('secret');
    expect(newClient('alertmanager', [], 'given')).toMatchObject({ secret: 'given' });
  });

  it('counts what Keycloak leaves out as off', () => {
    const leftOut = ['implicitFlowEnabled', 'redirectUris', 'attributes'];
    const sparse = Object.fromEntries(Object.entries(client).filter(([name]) => !leftOut.includes(name)));
    expect(clientChanges(sparse).changes).toEqual([]);
  });

  it('is changed where it opens more than it should, and nowhere else', () => {
    const loose = {
      ...client,
      directAccessGrantsEnabled: true,
      redirectUris: ['https://one.example/*', 'https://two.example/*'],
      consentRequired: true,
      attributes: { 'oauth2.device.authorization.grant.enabled': 'true', login_theme: 'ours' },
    };
    const { changes, changed } = clientChanges(loose);
    expect(changes).toEqual([
      'directAccessGrantsEnabled: true → false',
      'redirectUris: https://one.example/* https://two.example/* → none',
      'oauth2.device.authorization.grant.enabled: true → false',
    ]);
    expect(changed).toEqual({
      ...loose,
      directAccessGrantsEnabled: false,
      redirectUris: [],
      attributes: { 'oauth2.device.authorization.grant.enabled': 'false', login_theme: 'ours' },
    });
  });
});

describe('The audience mapper', () => {
  const ours = { id: 'a', ...audienceMapper('renku') };

  it('is found by what it does, not by its name', () => {
    const byName = { ...ours, config: { 'included.custom.audience': 'another' } };
    const byClient = { ...ours, name: 'x', config: { 'included.client.audience': 'renku' } };
    expect(findAudienceMapper([byName, byClient], 'renku')).toBe(byClient);
    expect(
      findAudienceMapper([byName, { ...ours, protocolMapper: 'oidc-usermodel-attribute-mapper' }], 'renku'),
    ).toBe(undefined);
    // Keycloak prefers the client where both are set.
    const both = { ...ours, config: { ...ours.config, 'included.client.audience': 'another' } };
    expect(findAudienceMapper([both], 'renku')).toBe(undefined);
  });

  it('needs no change when it is new', () => {
    expect(audienceMapperChanges(ours).changes).toEqual([]);
  });

  it('writes into access tokens, and into no others', () => {
    const config = { 'included.custom.audience': 'renku', 'id.token.claim': 'true' };
    expect(audienceMapperChanges({ ...ours, config })).toEqual({
      changes: ['access.token.claim: off → true', 'id.token.claim: true → false'],
      config: {
        'included.custom.audience': 'renku',
        'access.token.claim': 'true',
        'id.token.claim': 'false',
      },
    });
  });
});

describe('A token', () => {
  const wanted = { role: 'alertmanager-webhook', audience: 'renku' };
  const good = { aud: 'renku', sub: '1', typ: 'Bearer', realm_access: { roles: ['alertmanager-webhook'] } };

  it('opens the webhook with audience, role, subject and type', () => {
    expect(tokenProblems(good, wanted)).toEqual([]);
    expect(tokenProblems({ ...good, aud: ['account', 'renku'] }, wanted)).toEqual([]);
  });

  it.each([
    ['audience', { aud: 'account' }],
    ['audience', { aud: undefined }],
    ['role', { realm_access: { roles: ['renku-admin'] } }],
    ['role', { realm_access: undefined }],
    ['subject', { sub: undefined }],
    ['type', { typ: 'ID' }],
  ])('lacks the right %s: %j', (what, claims) => {
    expect(tokenProblems({ ...good, ...claims }, wanted)).toEqual([expect.stringContaining(what)]);
  });
});
