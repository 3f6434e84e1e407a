import { AlertsApi } from '../support/alerts.js';
import { forgetAlerts } from '../support/database.js';
import { startTestServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';

const JANE = { sub: 'jane' };
const NOTICE = { title: 'Notice', message: 'Hello', event_type: 'notice', user_id: 'jane' };

let server: TestServer;
let api: AlertsApi;

beforeAll(async () => {
  server = await startTestServer();
  api = new AlertsApi(`${server.url}/api/data`, server.issuer);
});
beforeEach(() => forgetAlerts(server.databaseUrl));
afterAll(() => server.close());

/** As much of OpenAPI 3.0 as is looked at. */
interface Schema {
  type?: string;
  $ref?: string;
  nullable?: boolean;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  default?: unknown;
  enum?: unknown[];
  required?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
}
interface Operation {
  parameters?: { name: string; in: string; required?: boolean; schema: Schema }[];
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}
interface OpenApi {
  servers: { url: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

async function description(of: AlertsApi = api): Promise<OpenApi> {
  return (await of.call<OpenApi>('GET', '/openapi.json')).body;
}

describe('The description', () => {
  it('has the prefix in its servers, and addresses without it', async () => {
    const { servers, paths } = await description();
    expect(servers).toEqual([{ url: '/api/data' }]);
    expect(Object.keys(paths).sort()).toEqual([
      '/alerts',
      '/alerts/feed',
      '/alerts/preferences',
      '/alerts/seen',
      '/alerts/stream',
      '/alerts/unsubscribe',
      '/alerts/{id}',
      '/webhooks/alertmanager',
      '/webhooks/grafana',
    ]);
    for (const [path, operations] of Object.entries(paths)) {
      const { status } = await api.call(Object.keys(operations)[0]?.toUpperCase() ?? '', path);
      expect([path, status]).toEqual([path, path === '/alerts/unsubscribe' ? 404 : 401]);
    }
  });

  it('names nothing that it does not describe', async () => {
    const described = await description();
    const named = JSON.stringify(described).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g);
    const schemas = Object.keys(described.components.schemas);
    expect(Array.from(named, ([, name]) => name).filter((name) => !schemas.includes(name ?? ''))).toEqual([]);
  });

  it.each([
    ['', '/'],
    ['/a/b', '/a/b'],
  ])('has the prefix %p as the server %p', async (prefix, address) => {
    const other = await startTestServer({ GLOBAL_PREFIX: prefix }, { untilReady: false });
    try {
      const { servers, paths } = await description(new AlertsApi(other.url + prefix, other.issuer));
      expect(servers).toEqual([{ url: address }]);
      expect(paths).toHaveProperty(['/alerts']);
    } finally {
      await other.close();
    }
  });

  it('tells of every call how its errors look', async () => {
    const { paths } = await description();
    const operations = Object.entries(paths).flatMap(([path, ofPath]) =>
      Object.values(ofPath).map((operation) => ({ path, operation })),
    );
    for (const { path, operation } of operations) {
      const errors = Object.entries(operation.responses).filter(([status]) => !/^[23]/.test(status));
      expect(errors.map(([status]) => status)).toEqual(
        // Who has got a mail need not sign in to turn it off.
        expect.arrayContaining([path === '/alerts/unsubscribe' ? '404' : '401', '422', 'default']),
      );
      for (const [, { content }] of errors) {
        expect(content).toEqual({
          'application/json': { schema: { $ref: '#/components/schemas/ErrorResponse' } },
        });
      }
    }
  });

  it('has no whole number that may be a fraction', async () => {
    const { components } = await description();
    const numbers = Object.entries(components.schemas).flatMap(([name, { properties = {} }]) =>
      Object.entries(properties)
        .filter(([, { type }]) => type === 'number')
        .map(([field]) => `${name}.${field}`),
    );
    expect(numbers).toEqual([]);
  });

  it('has the bounds of parameters that are kept', async () => {
    const { paths } = await description();
    const list = paths['/alerts']?.['get']?.parameters ?? [];
    const named = (name: string): Schema | undefined =>
      list.find((parameter) => parameter.name === name)?.schema;
    expect(list.filter(({ in: where }) => where === 'query').map(({ required }) => required)).toEqual(
      Array(5).fill(false),
    );
    const status = async (query: string): Promise<number> =>
      (await api.call('GET', `/alerts?${query}`, { as: JANE })).status;
    const limit = named('limit');
    expect(limit).toMatchObject({ type: 'integer', minimum: 1, default: 50 });
    const most = limit?.maximum ?? 0;
    expect(await status(`status=resolved&limit=${most}`)).toBe(200);
    expect(await status(`status=resolved&limit=${most + 1}`)).toBe(422);
    const longest = named('session_name')?.maxLength ?? 0;
    expect(await status(`session_name=${'s'.repeat(longest)}`)).toBe(200);
    expect(await status(`session_name=${'s'.repeat(longest + 1)}`)).toBe(422);
    expect(named('status')).toMatchObject({ enum: ['open', 'resolved'], default: 'open' });
    const { body } = await api.create(NOTICE);
    await api.update(body.id);
    const cursor = new RegExp(named('cursor')?.pattern ?? '$^');
    for (const id of [body.id, body.id.toLowerCase()]) {
      expect(id).toMatch(cursor);
      expect(await status(`status=resolved&cursor=${id}`)).toBe(200);
    }
  });

  it('has the bounds of what is posted that are kept', async () => {
    const { components } = await description();
    const {
      properties = {},
      required,
      additionalProperties,
    } = components.schemas['CreateAlertRequest'] ?? {};
    expect(required?.sort()).toEqual(['event_type', 'message', 'title', 'user_id']);
    expect(additionalProperties).toBe(false);
    const status = async (field: string, value: unknown): Promise<number> =>
      (await api.create({ ...NOTICE, event_type: `of ${field}`, [field]: value })).status;
    for (const field of ['event_type', 'session_name', 'severity']) {
      const { maxLength = 0 } = properties[field] ?? {};
      expect([field, await status(field, 'x'.repeat(maxLength))]).toEqual([field, 201]);
      expect([field, await status(field, 'x'.repeat(maxLength + 1))]).toEqual([field, 422]);
    }
    for (const [field, { minLength, pattern }] of Object.entries(properties)) {
      expect([field, await status(field, '')]).toEqual([field, 422]);
      expect([field, minLength === 1 || !new RegExp(pattern ?? '').test('')]).toEqual([field, true]);
    }
    for (const id of ['jane', '0b5c6a1e-2f4d-4a6e-9a77-0d6f3d7f1a11', 'j', '-j', 'j_1', 'x'.repeat(256)]) {
      const fits = new RegExp(properties['user_id']?.pattern ?? '').test(id);
      expect([id, await status('user_id', id)]).toEqual([id, fits ? 201 : 422]);
    }
  });
});
