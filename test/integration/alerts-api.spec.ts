import { ADMIN, ALERTMANAGER, AlertsApi, expectError, firing, minute, webhook } from '../support/alerts.js';
import type { ShownAlert } from '../support/alerts.js';
import { forgetAlerts } from '../support/database.js';
import { startTestServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';

const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const JANE = { sub: 'jane' };

describe('The alerts API', () => {
  let server: TestServer;
  let api: AlertsApi;

  beforeAll(async () => {
    server = await startTestServer({ BODY_LIMIT_MB: '1' });
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  beforeEach(() => forgetAlerts(server.databaseUrl));
  afterAll(() => server.close());

  const maintenance = {
    title: 'Maintenance tonight',
    message: 'Sessions will be restarted at 22:00 UTC.',
    event_type: 'maintenance',
    user_id: 'jane',
    session_name: 'jane-1',
    severity: 'info',
  };

  async function created(changes: Record<string, unknown> = {}): Promise<ShownAlert> {
    const answer = await api.create({ ...maintenance, ...changes });
    expect(answer.status).toBe(201);
    return answer.body;
  }

  describe('GET /alerts', () => {
    it("shows a user's own alerts only", async () => {
      await api.deliver(firing(), firing({ user: 'ann', session: 'ann-1' }));
      expect(await api.openAlerts('jane')).toMatchObject([{ user_id: 'jane', session_name: 'jane-1' }]);
      expect(await api.openAlerts('ann')).toMatchObject([{ user_id: 'ann', session_name: 'ann-1' }]);
      expect(await api.openAlerts('nobody')).toEqual([]);
    });

    it('shows the gravest first, then the newest', async () => {
      await api.deliver(firing({ session: 'first' }));
      await api.deliver(firing({ session: 'second' }));
      await created({ session_name: 'third' });
      await api.deliver(firing({ session: 'fourth', startsAt: minute(-60) }));
      // A repeat makes an alert no newer.
      await api.deliver(firing({ session: 'first' }));
      expect((await api.openAlerts()).map((alert) => alert.session_name)).toEqual([
        'fourth',
        'second',
        'first',
        'third',
      ]);
    });

    it('shows all that the API promises of an alert', async () => {
      const links = {
        runbook_url: 'https://docs.example/memory',
        action_label: 'Get more memory',
        action_url: 'https://sessions.example/memory',
      };
      await api.deliver(firing({ annotations: links }));
      const before = Date.now() - 60_000;
      const alert = await api.onlyAlert();
      expect(alert).toEqual({
        id: expect.stringMatching(ULID) as unknown,
        title: 'High memory usage',
        message: 'Memory usage over 90% of capacity',
        event_type: 'RenkuSessionHighMemory',
        user_id: 'jane',
        session_name: 'jane-1',
        creation_date: new Date(alert.creation_date).toISOString(),
        resolved_date: null,
        severity: 'warning',
        kind: 'condition',
        updated_date: alert.creation_date,
        ...links,
        resolved_reason: null,
      });
      expect(Date.parse(alert.creation_date)).toBeGreaterThan(before);
    });

    it('can be asked for one session', async () => {
      await api.deliver(firing(), firing({ session: 'jane-2' }), firing({ user: 'ann', session: 'jane-1' }));
      await created({ session_name: null });
      expect(await api.openAlerts('jane', 'jane-2')).toMatchObject([{ session_name: 'jane-2' }]);
      // A session without a name is no session, and none of its answers is one for all sessions.
      for (let time = 0; time < 2; time++) {
        expect(await api.openAlerts('jane', '')).toEqual([]);
        expect(await api.openAlerts('jane')).toHaveLength(3);
      }
      expect(await api.openAlerts('jane', 'jane-1')).toMatchObject([{ user_id: 'jane' }]);
      expect(await api.openAlerts('jane', 'jane')).toEqual([]);
      expect(await api.openAlerts('jane', 'JANE-1')).toEqual([]);
      expect(await api.openAlerts('jane', '%')).toEqual([]);
      expect(await api.openAlerts('jane')).toHaveLength(3);
    });

    it.each([
      ['a name with NUL', 'a\0b'],
      ['a quote', "' OR ''='"],
      ['an emoji', '🚨'],
      ['255 characters', 's'.repeat(255)],
    ])('finds nothing, and does no harm, for %s', async (_what, session) => {
      await api.deliver(firing());
      expect(await api.openAlerts('jane', session)).toEqual([]);
    });

    it.each([
      ['a repeated session_name', 'session_name=a&session_name=b'],
      ['a session_name of 256 characters', `session_name=${'s'.repeat(256)}`],
    ])('refuses %s', async (_what, query) => {
      expectError(await api.call('GET', `/alerts?${query}`, { as: JANE }), 422);
    });

    it('does not tell anybody without a token', async () => {
      const answer = await api.call('GET', '/alerts');
      expectError(answer, 401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    });
  });

  describe('POST /alerts', () => {
    it('opens an alert for a user', async () => {
      const alert = await created();
      expect(alert).toEqual({
        ...maintenance,
        id: expect.stringMatching(ULID) as unknown,
        kind: 'condition',
        creation_date: new Date(alert.creation_date).toISOString(),
        updated_date: alert.creation_date,
        resolved_date: null,
        resolved_reason: null,
        runbook_url: null,
      });
      expect(await api.openAlerts('jane')).toEqual([alert]);
      expect(await api.openAlerts('jane', 'jane-1')).toEqual([alert]);
    });

    it.each([
      ['left out', { session_name: undefined, severity: undefined }],
      ['null', { session_name: null, severity: null }],
    ])('needs neither session nor severity: %s', async (_how, changes) => {
      const alert = await created(changes);
      expect(alert).toMatchObject({ severity: null });
      expect(alert).not.toHaveProperty('session_name');
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it('refuses the same open alert, and takes it again once that is resolved', async () => {
      const first = await created();
      expectError(await api.create({ ...maintenance, title: 'Another title', severity: 'critical' }), 409);
      expect(await api.openAlerts()).toEqual([first]);
      await created({ session_name: 'jane-2' });
      await created({ session_name: null });
      await created({ event_type: 'notice' });
      await created({ user_id: 'ann' });

      expect((await api.update(first.id)).status).toBe(200);
      expect((await created()).id).not.toBe(first.id);
    });

    it('opens one alert, however many ask at once', async () => {
      const answers = await Promise.all(Array.from({ length: 10 }, () => api.create(maintenance)));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(9).fill(409)]);
      expect(await api.openAlerts()).toHaveLength(1);
    });

    const long = 'x'.repeat(256);
    it.each<[string, Record<string, unknown>]>([
      ['no title', { title: undefined }],
      ['a null title', { title: null }],
      ['a title that is a number', { title: 7 }],
      ['an empty title', { title: '' }],
      ['a blank title', { title: ' \t\n' }],
      ['no message', { message: undefined }],
      ['a message that is a list', { message: ['text'] }],
      ['a blank message', { message: ' ' }],
      ['no event_type', { event_type: undefined }],
      ['an event_type that is an object', { event_type: {} }],
      ['a blank event_type', { event_type: ' ' }],
      ['an event_type of 256 characters', { event_type: long }],
      ['no user_id', { user_id: undefined }],
      ['a null user_id', { user_id: null }],
      ['a user_id that is a number', { user_id: 42 }],
      ['an empty user_id', { user_id: '' }],
      ['a user_id with a space', { user_id: 'jane doe' }],
      ['a user_id with NUL', { user_id: 'jane\0' }],
      ['a user_id that a template left behind', { user_id: '<nil>' }],
      ['a user_id of 256 characters', { user_id: long }],
      ['a user_id of one character', { user_id: 'j' }],
      ['a user_id that begins with a hyphen', { user_id: '-jane' }],
      ['a user_id with a line end', { user_id: 'jane\n' }],
      ['a user_id with an underscore', { user_id: 'jane_doe' }],
      ['a user_id with an umlaut', { user_id: 'jäne' }],
      ['an empty session_name', { session_name: '' }],
      ['a session_name that is a number', { session_name: 1 }],
      ['a session_name of 100 characters', { session_name: 's'.repeat(100) }],
      ['an empty severity', { severity: '' }],
      ['a severity that is a boolean', { severity: true }],
      ['a severity of 256 characters', { severity: long }],
    ])('refuses %s, and says which field', async (_what, changes) => {
      const error = expectError(await api.create({ ...maintenance, ...changes }), 422);
      expect(error.detail).toContain(Object.keys(changes)[0]);
      expect(await api.openAlerts()).toEqual([]);
    });

    it.each<[string, Record<string, unknown>]>([
      ['a user_id of 255 characters', { user_id: 'j'.repeat(255) }],
      ["one of Keycloak's", { user_id: '0b5c6a1e-2f4d-4a6e-9a77-0d6f3d7f1a11' }],
      ['two characters', { user_id: 'J-' }],
      ['a session_name of 99 characters', { session_name: 's'.repeat(99) }],
      ['one of 99 emoji', { session_name: '🚨'.repeat(99) }],
      ['one of one character', { session_name: ')' }],
    ])('takes %s', async (_what, changes) => {
      expect(await created(changes)).toMatchObject(changes);
    });

    it('says all that is wrong at once', async () => {
      const { detail } = expectError(await api.create({}), 422);
      for (const field of ['title', 'message', 'event_type', 'user_id']) expect(detail).toContain(field);
    });

    it.each([
      ['a list', []],
      ['a list of alerts', [maintenance]],
      ['a text', '"text"'],
      ['a number', '7'],
      ['null', 'null'],
      ['nothing', ''],
      ['no JSON', '{"title": "Maintenance'],
      ['a deep nest', `{"title": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
    ])('refuses %s for a body', async (_what, body) => {
      expectError(await api.create(body), 422);
    });

    it.each(['__proto__', 'constructor'])('keeps %s in the body from doing anything', async (name) => {
      const body = JSON.stringify(maintenance).replace(
        '{',
        `{"${name}":{"severity":"critical","isAdmin":true},`,
      );
      expect(expectError(await api.create(body), 422).detail).toContain(name);
      expect(({} as { isAdmin?: unknown }).isAdmin).toBeUndefined();
      expect(await api.openAlerts()).toEqual([]);
    });

    it.each<[string, unknown]>([
      ['id', 'mine'],
      ['kind', 'event'],
      ['creation_date', '2000-01-01T00:00:00Z'],
      ['resolved_date', '2000-01-01T00:00:00Z'],
      ['runbook_url', 'javascript:alert(1)'],
      ['action_url', 'https://sessions.example'],
      ['fingerprint', '00000000-0000-0000-0000-000000000000'],
    ])('sets nothing but what may be set: %s', async (field, value) => {
      expect(expectError(await api.create({ ...maintenance, [field]: value }), 422).detail).toContain(field);
      expect(await api.openAlerts()).toEqual([]);
    });

    it('keeps text as sent, save what PostgreSQL cannot hold', async () => {
      const alert = await created({
        title: '<b>Wartung\0</b> 🚨',
        message: 'half \uD83D pair',
        event_type: 'a\0',
      });
      expect(alert).toMatchObject({
        title: '<b>Wartung\uFFFD</b> 🚨',
        message: 'half \uFFFD pair',
        event_type: 'a\uFFFD',
      });
      expect(await api.openAlerts()).toEqual([alert]);
    });

    it('cuts a long title and message with a mark', async () => {
      const { title, message } = await created({ title: 't'.repeat(5_000), message: 'm'.repeat(50_000) });
      expect(title).toMatch(/^t+… \[cut\]$/);
      expect(message).toMatch(/^m+… \[cut\]$/);
    });

    it.each([
      ['a user', JANE],
      ['Alertmanager', ALERTMANAGER],
    ])('is not for %s', async (_who, as) => {
      expectError(await api.call('POST', '/alerts', { as, body: maintenance }), 403);
      expect(await api.openAlerts()).toEqual([]);
    });
  });

  describe('PATCH /alerts/{id}', () => {
    it('lets an administrator resolve an alert', async () => {
      const { id, ...alert } = await created();
      const answer = await api.update(id);
      expect(answer.status).toBe(200);
      const { resolved_date, updated_date } = answer.body;
      expect(answer.body).toEqual({ ...alert, id, resolved_date, updated_date, resolved_reason: 'manual' });
      expect(Date.parse(resolved_date ?? '')).toBeGreaterThanOrEqual(Date.parse(alert.creation_date));
      expect(await api.openAlerts()).toEqual([]);
    });

    it('leaves other alerts open', async () => {
      await api.deliver(firing(), firing({ session: 'jane-2' }));
      const [newest, other] = await api.openAlerts();
      await api.update(newest?.id ?? '');
      expect(await api.openAlerts()).toEqual([other]);
    });

    it('leaves a resolved alert as it is', async () => {
      const { id } = await created();
      const first = await api.update(id);
      const second = await api.update(id);
      expect(second.status).toBe(200);
      expect(second.body).toEqual(first.body);
    });

    it('leaves one that Alertmanager resolved as it is', async () => {
      await api.deliver(firing());
      const { id } = await api.onlyAlert();
      await api.deliver({ ...firing(), status: 'resolved', endsAt: minute(5) });
      expect(await api.update(id)).toMatchObject({ status: 200, body: { id, resolved_reason: 'resolved' } });
    });

    it("tells a user nothing of somebody else's alert", async () => {
      const { id } = await created();
      const unknown = expectError(
        await api.update('01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R', undefined, { sub: 'ann' }),
        404,
      );
      expect(expectError(await api.update(id, undefined, { sub: 'ann' }), 404)).toEqual(unknown);
      expect(expectError(await api.update(id, undefined, ALERTMANAGER), 404)).toEqual(unknown);
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it('does not let users resolve their own', async () => {
      const { id } = await created();
      expectError(await api.update(id, undefined, JANE), 403);
      expect(await api.openAlerts()).toHaveLength(1);
    });

    it('finds an alert by its id in lower case', async () => {
      const { id } = await created();
      expect(await api.update(id.toLowerCase(), { dismissed: true }, JANE)).toMatchObject({
        status: 200,
        body: { id, resolved_reason: 'dismissed' },
      });
      expect(await api.update(id.toLowerCase())).toMatchObject({ status: 200, body: { id } });
    });

    it.each([
      ['nothing', {}],
      ['resolved: false', { resolved: false }],
      ['dismissed: false', { dismissed: false }],
      ['both false', { resolved: false, dismissed: false }],
    ])('answers an alert as it is, and changes nothing, for %s', async (_what, body) => {
      const alert = await created();
      for (const as of [ADMIN, JANE]) {
        expect(await api.update(alert.id, body, as)).toMatchObject({ status: 200, body: alert });
      }
      expect(await api.openAlerts()).toEqual([alert]);
      const { body: closed } = await api.update(alert.id);
      expect(await api.update(alert.id, body)).toMatchObject({ status: 200, body: closed });

      const unknown = expectError(await api.update('01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R', body), 404);
      for (const as of [{ sub: 'ann' }, ALERTMANAGER]) {
        expect(expectError(await api.update(alert.id, body, as), 404)).toEqual(unknown);
      }
    });

    it('heeds the one of both that is true', async () => {
      const first = await created();
      expect(await api.update(first.id, { resolved: true, dismissed: false })).toMatchObject({
        body: { resolved_reason: 'manual' },
      });
      const second = await created();
      expect(await api.update(second.id, { resolved: false, dismissed: true }, JANE)).toMatchObject({
        body: { resolved_reason: 'dismissed' },
      });
    });

    it.each([
      ['an unknown ULID', '01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R'],
      ['a name that is no ULID', 'mine'],
      ['a NUL', '%00'],
      ['a NUL inside', '01KAMJ2Q2Y%00W2V2Q8Z2J3D5X7R'],
      ['a quote', "'%20OR%20''%3D'"],
      ['a slash', 'a%2Fb'],
      ['an emoji', encodeURIComponent('🚨')],
      ['5,000 characters', 'x'.repeat(5_000)],
    ])('knows no alert by %s', async (_what, id) => {
      expectError(await api.update(id), 404);
    });

    it.each(['%', '%zz', '%ff', '%C3%28'])('refuses the malformed address %s', async (id) => {
      const { status, body } = await api.update(id);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
      expect(body).toMatchObject({ error: { code: status } });
      expect(JSON.stringify(body)).not.toContain('JSON');
    });

    it.each([
      ['both true', { resolved: true, dismissed: true }],
      ['resolved: null', { resolved: null }],
      ['dismissed: null', { dismissed: null }],
      ['dismissed: "false"', { dismissed: 'false' }],
      ['resolved: "true"', { resolved: 'true' }],
      ['resolved: 1', { resolved: 1 }],
      ['a list', []],
      ['a text', '"resolved"'],
      ['null', 'null'],
      ['nothing', ''],
      ['no JSON', '{resolved: true}'],
      ['a deep nest', `{"resolved": ${'['.repeat(2_000)}${']'.repeat(2_000)}}`],
      ['another field only', { title: 'Another title' }],
      ['__proto__ only', '{"__proto__": {"resolved": true}}'],
    ])('refuses %s', async (_what, body) => {
      const { id } = await created();
      // It says what would be taken, or what is wrong with what was sent.
      expect(expectError(await api.update(id, body), 422).detail).toMatch(/resolved|dismissed|body|fields?/);
      expect(await api.openAlerts()).toHaveLength(1);
    });
  });

  describe('every call', () => {
    const calls = [
      ['POST', '/alerts'],
      ['PATCH', '/alerts/01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R'],
      ['POST', '/webhooks/alertmanager'],
    ] as const;
    const types = [
      'text/plain',
      'text/html',
      'application/xml',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/octet-stream',
      'nonsense',
    ];

    describe.each(calls)('%s %s', (method, path) => {
      it.each(types)('refuses a body of the type %s', async (type) => {
        const body = JSON.stringify(webhook([firing()]));
        expectError(await api.call(method, path, { as: ADMIN, body, type }), 415);
      });

      it.each(['application/json; charset=utf-8', 'Application/JSON'])('takes the type %s', async (type) => {
        const { status } = await api.call(method, path, { as: ADMIN, body: { alerts: 1 }, type });
        expect(status).toBe(422);
      });

      it.each(['{', '{"title": }', 'nonsense', '{"a": 1}}', '\ufeff', ''])(
        'refuses the malformed JSON %j',
        async (body) => {
          expectError(await api.call(method, path, { as: ADMIN, body }), 422);
        },
      );

      it('refuses a body over the limit', async () => {
        const body = { title: 'x'.repeat(1024 * 1024) };
        expectError(await api.call(method, path, { as: ADMIN, body }), 413);
      });

      it('refuses those without a token', async () => {
        const answer = await api.call(method, path, { body: {} });
        expectError(answer, 401);
        expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
      });
    });

    it.each([
      ['GET', '/'],
      ['GET', '/nothing'],
      ['GET', '/alerts/01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R'],
      ['DELETE', '/alerts/01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R'],
      ['PUT', '/alerts'],
      ['GET', '/webhooks/alertmanager'],
      ['POST', '/webhooks/nobody'],
      ['GET', '/../../etc/passwd'],
    ])('knows no %s %s', async (method, path) => {
      expectError(await api.call(method, path, { as: ADMIN }), 404);
    });

    it('knows nothing outside its prefix', async () => {
      expectError(await new AlertsApi(server.url, server.issuer).call('GET', '/alerts', { as: JANE }), 404);
    });
  });

  describe('its description', () => {
    interface OpenApi {
      servers: { url: string }[];
      paths: Record<string, Record<string, { responses: Record<string, unknown>; security?: unknown[] }>>;
      components: { schemas: Record<string, { properties: Record<string, unknown> }> };
    }
    async function description(): Promise<OpenApi> {
      const answer = await api.call<OpenApi>('GET', '/openapi.json');
      expect(answer.status).toBe(200);
      return answer.body;
    }

    it.each([
      ['get', '/alerts', ['200', '401', '422', '503']],
      ['post', '/alerts', ['201', '401', '403', '409', '422', '503']],
      ['patch', '/alerts/{id}', ['200', '401', '404', '422', '503']],
      ['post', '/webhooks/alertmanager', ['200', '401', '403', '422', '503']],
    ])('tells of %s %s, who may call it and what it answers', async (method, path, statuses) => {
      const { servers, paths } = await description();
      expect(servers).toEqual([{ url: '/api/data' }]);
      const call = paths[path]?.[method];
      expect(call?.security).toHaveLength(1);
      expect(Object.keys(call?.responses ?? {})).toEqual(expect.arrayContaining(statuses));
    });

    it('tells of every field of an alert', async () => {
      const { components } = await description();
      const fields = Object.keys(components.schemas['AlertResponse']?.properties ?? {});
      await api.deliver(firing(), firing({ severity: 'info' }));
      const annotations = { action_label: 'Resize', action_url: 'https://sessions.example/resize' };
      await api.deliver(firing({ severity: 'critical', annotations }));
      const { id, event_type } = await api.onlyAlert();
      await api.call('POST', '/alerts/seen', { as: { sub: 'jane' }, body: { ids: [id] } });
      await api.call('PUT', '/alerts/preferences', {
        as: { sub: 'jane' },
        body: { mutes: [{ event_type }] },
      });
      expect(fields.sort()).toEqual(Object.keys(await api.onlyAlert()).sort());
    });

    it('is a page for people too', async () => {
      const page = await api.call<string>('GET', '/docs');
      expect(page.status).toBe(200);
      expect(page.headers.get('content-type')).toMatch(/^text\/html/);
      expect(page.body).toMatch(/<html/i);
      const scripts = [...page.body.matchAll(/<script src="([^"]+\.js)"/g)].map(([, source]) => source ?? '');
      expect(scripts.length).toBeGreaterThan(0);
      for (const source of scripts) {
        const { status } = await fetch(new URL(source, `${api.url}/docs`));
        expect(status).toBe(200);
      }
    });
  });

  describe('the probes', () => {
    it('/healthz says that the process lives', async () => {
      const response = await fetch(`${server.url}/healthz`);
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({ status: 'ok' });
    });

    it('/readyz says that database and issuer are there', async () => {
      const response = await fetch(`${server.url}/readyz`);
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({
        status: 'ok',
        checks: { database: 'ok', issuer: 'ok' },
      });
    });
  });
});
