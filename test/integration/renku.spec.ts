import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ADMIN, ALERTMANAGER, AlertsApi, expectError, firing, resolved, webhook } from '../support/alerts.js';
import type { Answer, Person, ShownAlert, Summary } from '../support/alerts.js';
import { execute, forgetAlerts } from '../support/database.js';
import { OpenPage } from '../support/event-stream.js';
import { RENKUS_ALERTS } from '../support/renku.js';
import { startTestServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';

const JANE: Person = { sub: 'jane' };
const UNKNOWN = '01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R';
const NOTICE = { title: 'Notice', message: 'Hello', event_type: 'notice', user_id: 'jane' };

const project = join(__dirname, '..', '..');

/** What docs/renku.md says of Renku's own API. */
interface Contract {
  calls: Record<string, Record<string, string>>;
  takes: Record<string, Record<string, string>>;
  answers: Record<string, Record<string, string>>;
  kinds: Record<string, string>;
}

const contract = parse(
  /```yaml\n([^]*?)```/.exec(readFileSync(join(project, 'docs/renku.md'), 'utf8'))?.[1] ?? '',
) as Contract;

let server: TestServer;
let api: AlertsApi;

beforeAll(async () => {
  server = await startTestServer();
  api = new AlertsApi(`${server.url}/api/data`, server.issuer);
});
beforeEach(() => forgetAlerts(server.databaseUrl));
afterAll(() => server.close());

function fits(value: unknown, kind: string): boolean {
  if (kind === 'positive integer') return Number.isInteger(value) && (value as number) > 0;
  const [name = '', orNull] = kind.split(' or ');
  const pattern = contract.kinds[name];
  if (pattern === undefined) throw new Error(`docs/renku.md does not say what ${name} is`);
  if (value === null) return orNull === 'null';
  return typeof value === 'string' && new RegExp(`^(?:${pattern})$`).test(value);
}

/** What of a value is not as Renku's clients know it. */
function misfits(value: unknown, name: string): string[] {
  const given = value as Record<string, unknown>;
  return Object.entries(contract.answers[name] ?? { nothing: 'text' }).flatMap(([field, kind]) => {
    const key = field.replace('?', '');
    const isFit = key in given ? fits(given[key], kind) : field.endsWith('?');
    return isFit ? [] : [`${key}: ${JSON.stringify(given[key])}`];
  });
}

describe("Renku's clients can read", () => {
  it('whatever shows an alert', async () => {
    await api.deliver(firing(), firing({ labels: { pod: 'two' } }));
    const page = await OpenPage.open(api.url, await server.issuer.userToken(JANE));
    await page.untilShown(['High memory usage']);
    page.leave();
    const { body: ofSession } = await api.create({ ...NOTICE, session_name: 'jane-1' });
    const { body: ofNone } = await api.create({ ...NOTICE, session_name: null });
    expect(ofNone).not.toHaveProperty('session_name');
    const alerts = await api.openAlerts();
    const answers = [
      await api.update(ofSession.id, {}, JANE),
      await api.update(ofSession.id, { dismissed: true }, JANE),
      await api.update(ofNone.id),
    ].map(({ status, body }) => {
      expect(status).toBe(200);
      return body;
    });
    await api.deliver(resolved(firing()), resolved(firing({ labels: { pod: 'two' } })));
    const { body: history } = await api.call<unknown[]>('GET', '/alerts?status=resolved', { as: JANE });
    expect([alerts.length, history.length]).toEqual([3, 3]);
    const shown = [...(page.shown.at(-1) ?? []), ofSession, ofNone, ...alerts, ...answers, ...history];
    for (const alert of shown) expect(misfits(alert, 'Alert')).toEqual([]);
  });

  it.each<[number, () => Promise<Answer>]>([
    [401, () => api.call('GET', '/alerts')],
    [401, () => api.call('POST', '/webhooks/alertmanager', { body: webhook([]) })],
    [403, () => api.call('POST', '/alerts', { as: JANE, body: NOTICE })],
    [403, () => api.call('POST', '/webhooks/alertmanager', { as: JANE, body: webhook([]) })],
    [404, () => api.update(UNKNOWN, {})],
    [404, () => api.call('GET', '/nothing')],
    [409, async () => ((await api.create(NOTICE)).status === 201 ? api.create(NOTICE) : api.create({}))],
    [413, () => api.update(UNKNOWN, `"${'x'.repeat(5_000)}"`, JANE)],
    [415, () => api.call('POST', '/alerts', { as: ADMIN, body: 'a=b', type: 'text/plain' })],
    [422, () => api.create({})],
    [422, () => api.create('{')],
    [422, () => api.call('GET', '/alerts?sesion_name=a', { as: JANE })],
    [422, () => api.postWebhook({ version: '4' })],
  ])('an error: %p', async (status, call) => {
    const answer = await call();
    expectError(answer, status);
    expect(misfits((answer.body as { error: unknown }).error, 'Error')).toEqual([]);
  });

  it('what our description promises: all that they need is always there', async () => {
    const { body } = await api.call<{
      components: { schemas: Record<string, { required?: string[] }> };
      paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
    }>('GET', '/openapi.json');
    for (const [ours, theirs] of [
      ['AlertResponse', 'Alert'],
      ['ErrorDetails', 'Error'],
    ] as const) {
      const needed = Object.keys(contract.answers[theirs] ?? {}).filter((field) => !field.endsWith('?'));
      expect(needed.length).toBeGreaterThan(1);
      expect(body.components.schemas[ours]?.required).toEqual(expect.arrayContaining(needed));
    }
    for (const [call, facts] of Object.entries(contract.calls)) {
      const [method = '', path = ''] = call.split(' ');
      const answers = Object.keys(facts).filter((fact) => /^\d+$/.test(fact));
      expect(answers.length).toBeGreaterThan(0);
      const responses = Object.keys(body.paths[path]?.[method.toLowerCase()]?.responses ?? {});
      expect(responses).toEqual(expect.arrayContaining(answers));
    }
  });
});

describe('What Renku takes is taken here', () => {
  /** A value of each kind that is as long as it may be. */
  const LONGEST: Record<string, unknown> = {
    text: 'a text',
    name: 's'.repeat(99),
    user: 'jane',
    boolean: true,
  };
  const bodyOf = (name: string): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(contract.takes[name] ?? {}).map(([field, kind]) => [
        field.replace('?', ''),
        LONGEST[kind],
      ]),
    );

  it('with all that it names, with what it needs, and with nothing that it does not', async () => {
    const all = bodyOf('AlertPost');
    expect(Object.keys(all)).toHaveLength(5);
    expect((await api.create(all)).status).toBe(201);
    for (const [field, kind] of Object.entries(contract.takes['AlertPost'] ?? {})) {
      const name = field.replace('?', '');
      const named: Record<string, unknown> = { ...all, event_type: `without ${name}` };
      const rest = Object.fromEntries(Object.entries(named).filter(([key]) => key !== name));
      const isNeeded = !field.endsWith('?');
      expect([name, (await api.create(rest)).status]).toEqual([name, isNeeded ? 422 : 201]);
      if (kind === 'name') expect((await api.create({ ...rest, [name]: 's'.repeat(100) })).status).toBe(422);
    }
    expectError(await api.create({ ...all, event_type: 'more', more: 1 }), 422);
  });

  it('by an administrator who resolves, or says nothing', async () => {
    const { body } = await api.create(NOTICE);
    expect(await api.update(body.id, {})).toMatchObject({ status: 200, body: { resolved_date: null } });
    expectError(await api.update(body.id, { ...bodyOf('AlertPatch'), more: 1 }), 422);
    const answer = await api.update(body.id.toLowerCase(), bodyOf('AlertPatch'));
    expect(answer.status).toBe(200);
    expect(fits(answer.body.resolved_date, 'moment')).toBe(true);
  });

  it('of a session, and of no other', async () => {
    const [field = ''] = Object.keys(contract.takes['AlertsGetQuery'] ?? {});
    const name = field.replace('?', '');
    await api.create({ ...NOTICE, session_name: 'jane-1' });
    await api.create({ ...NOTICE, session_name: 'jane-2' });
    const { body } = await api.call<ShownAlert[]>('GET', `/alerts?${name}=jane-1`, { as: JANE });
    expect(body.map(({ session_name }) => session_name)).toEqual(['jane-1']);
  });

  it('by Alertmanager, with an object', async () => {
    const answer = await api.postWebhook(webhook([firing()]));
    expect(answer).toMatchObject({ status: 200, body: expect.any(Object) as unknown });
  });
});

describe("Renku's quota alerts", () => {
  const statement = readFileSync(join(project, 'deploy/renku/quota-alerts.sql'), 'utf8');

  beforeAll(() => execute(server.databaseUrl, RENKUS_ALERTS));
  beforeEach(() => execute(server.databaseUrl, 'TRUNCATE notifications.alerts'));

  /** What a check does: the open row gets its words, or there is a new one. */
  async function check(
    type: string,
    message: string,
    { session = 'jane-1', minutesAgo = 0 } = {},
  ): Promise<void> {
    const where = `event_type = 'session_quota_${type}' AND session_name = '${session}' AND resolved_date IS NULL`;
    await execute(
      server.databaseUrl,
      `UPDATE notifications.alerts SET message = '${message}' WHERE ${where};
       INSERT INTO notifications.alerts (title, message, event_type, user_id, session_name, creation_date)
       SELECT 'Quota', '${message}', 'session_quota_${type}', 'jane', '${session}',
              now() - interval '${minutesAgo} minutes'
        WHERE NOT EXISTS (SELECT FROM notifications.alerts WHERE ${where})`,
    );
  }

  const later = (minutes: number): Promise<unknown> =>
    execute(
      server.databaseUrl,
      `UPDATE notifications.alerts SET creation_date = creation_date - interval '${minutes} minutes',
                                       resolved_date = resolved_date - interval '${minutes} minutes'`,
    );

  async function bridge(): Promise<Summary> {
    const [row] = await execute<{ json_build_object: unknown }>(server.databaseUrl, statement);
    const answer = await api.call<Summary>('POST', '/webhooks/grafana', {
      as: ALERTMANAGER,
      body: row?.json_build_object,
    });
    expect(answer.status).toBe(200);
    return answer.body;
  }

  it('fire while checks write them, with their last words, and end when none does', async () => {
    expect(await bridge()).toMatchObject({ stored: 0, resolved: 0, skipped: 0 });
    await check('low', '80 %', { minutesAgo: 5 });
    expect(await bridge()).toMatchObject({ stored: 1 });
    expect(await api.onlyAlert()).toMatchObject({
      title: 'Quota',
      message: '80 %',
      event_type: 'session_quota_low',
      session_name: 'jane-1',
      severity: 'warning',
      kind: 'condition',
    });
    const { id } = await api.onlyAlert();
    await check('low', '82 %');
    // Two runs between two checks, and a check between two runs, are as good as one.
    expect(await bridge()).toMatchObject({ stored: 1 });
    expect(await bridge()).toMatchObject({ stored: 1 });
    expect(await api.onlyAlert()).toMatchObject({ id, message: '82 %' });
    await later(16);
    expect(await bridge()).toMatchObject({ stored: 0, resolved: 1 });
    expect(await api.openAlerts()).toEqual([]);
    await later(90);
    expect(await bridge()).toEqual({ stored: 0, resolved: 0, skipped: 0, reasons: {} });
  });

  it('are not told where they were left behind long ago', async () => {
    await check('low', '80 %');
    await later(600);
    expect(await bridge()).toMatchObject({ stored: 0, skipped: 0 });
    await check('low', '90 %');
    expect(await bridge()).toMatchObject({ stored: 1 });
  });

  it('stay dismissed while it goes on, and are news when it comes again', async () => {
    await check('low', '80 %', { minutesAgo: 14 });
    await bridge();
    const { id } = await api.onlyAlert();
    await api.update(id, { dismissed: true }, JANE);
    for (const minutesAgo of [10, 5, 0]) {
      await check('low', `${90 - minutesAgo} %`, { minutesAgo });
      expect(await bridge()).toMatchObject({ stored: 0, reasons: { closed_by_hand: 1 } });
    }
    await later(30);
    await bridge();
    await check('low', '80 %');
    expect(await bridge()).toMatchObject({ stored: 1 });
  });

  it('of low and critically low tell the graver', async () => {
    await check('low', '80 %', { minutesAgo: 5 });
    await bridge();
    await check('low', '97 %');
    await check('critically_low', 'ten minutes');
    await check('low', '70 %', { session: 'jane-2' });
    await bridge();
    const shown = (await api.openAlerts()).map(({ event_type, session_name, severity }) => [
      event_type,
      session_name,
      severity,
    ]);
    expect(shown).toEqual([
      ['session_quota_critically_low', 'jane-1', 'critical'],
      ['session_quota_low', 'jane-2', 'warning'],
    ]);
    await later(16);
    await check('low', '85 %');
    await bridge();
    expect((await api.onlyAlert()).event_type).toBe('session_quota_low');
  });

  it('tell what the last check has found, and no longer what came before', async () => {
    await check('critically_low', 'two minutes', { minutesAgo: 10 });
    await bridge();
    await check('exhausted', 'Paused', { minutesAgo: 5 });
    expect(await bridge()).toMatchObject({ stored: 1, resolved: 1 });
    expect((await api.onlyAlert()).event_type).toBe('session_quota_exhausted');
    await check('critically_low', 'nine minutes', { minutesAgo: 1 });
    await bridge();
    await check('low', '81 %');
    await bridge();
    const shown = (await api.openAlerts()).map(({ event_type }) => event_type);
    expect(shown).toEqual(['session_quota_exhausted', 'session_quota_low']);
  });

  it('that a session is paused has happened: it stays until its user has read it', async () => {
    await check('exhausted', 'Paused');
    await bridge();
    await later(60);
    await bridge();
    expect(await api.onlyAlert()).toMatchObject({ kind: 'event', message: 'Paused', severity: 'critical' });
  });

  it('leave all else in the table alone', async () => {
    await execute(
      server.databaseUrl,
      `INSERT INTO notifications.alerts (title, message, event_type, user_id, session_name)
       VALUES ('Other', 'Other', 'other', 'jane', 'jane-1'), ('Quota', 'Of no session', 'session_quota_low', 'jane', NULL)`,
    );
    expect(await bridge()).toMatchObject({ stored: 0, skipped: 0 });
    const open = await execute(
      server.databaseUrl,
      "SELECT title FROM notifications.alerts WHERE resolved_date IS NULL AND event_type = 'other'",
    );
    expect(open).toEqual([{ title: 'Other' }]);
  });
});
