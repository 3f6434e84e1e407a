import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AlertsApi } from '../support/alerts.js';
import type { ShownAlert, Summary } from '../support/alerts.js';
import { forgetAlerts } from '../support/database.js';
import { startTestServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';

const JANE = '0b5c6a1e-2f4d-4a6e-9a77-0d6f3d7f1a11';
const NOTHING = { stored: 0, resolved: 0, skipped: 0, reasons: {} };

describe("What a real Alertmanager's webhooks lead to", () => {
  let server: TestServer;
  let api: AlertsApi;

  beforeAll(async () => {
    server = await startTestServer();
    api = new AlertsApi(`${server.url}/api/data`, server.issuer);
  });
  beforeEach(() => forgetAlerts(server.databaseUrl));
  afterAll(() => server.close());

  /** Posts a body byte for byte as Alertmanager sent it, and expects it to be taken. */
  async function post(name: string): Promise<Summary> {
    const answer = await api.postWebhook(readFileSync(join(__dirname, '../payloads', `${name}.json`)));
    expect(answer.status).toBe(200);
    return answer.body;
  }

  const highMemory = {
    title: 'High memory usage',
    message: 'Memory usage over 90% of capacity',
    event_type: 'RenkuSessionHighMemory',
    severity: 'warning',
    kind: 'condition',
    runbook_url: null,
    resolved_date: null,
    resolved_reason: null,
  };
  const outOfMemory = {
    ...highMemory,
    title: 'Session restarted',
    message: 'This session ran out of memory and has been restarted',
    event_type: 'RenkuSessionOOMKilled',
  };

  function bySession(alerts: ShownAlert[]): ShownAlert[] {
    return alerts.toSorted((a, b) => (a.session_name ?? '').localeCompare(b.session_name ?? ''));
  }

  it('firing-single, then resolved-single: an alert comes and goes', async () => {
    expect(await post('firing-single')).toEqual({ ...NOTHING, stored: 1 });
    expect(await api.openAlerts(JANE)).toMatchObject([
      { ...highMemory, user_id: JANE, session_name: 'jane-doe-7f3a9c' },
    ]);
    expect(await api.openAlerts('another-user')).toEqual([]);

    expect(await post('resolved-single')).toEqual({ ...NOTHING, resolved: 1 });
    expect(await api.openAlerts(JANE)).toEqual([]);
  });

  it('resolved-single alone: nothing is known of it', async () => {
    expect(await post('resolved-single')).toEqual({ ...NOTHING, skipped: 1, reasons: { unknown_series: 1 } });
    expect(await api.openAlerts(JANE)).toEqual([]);
  });

  it('firing-multi, then mixed-firing-resolved, then both again: each alert follows its own status', async () => {
    expect(await post('firing-multi')).toEqual({ ...NOTHING, stored: 3 });
    const [memory, oom, ...more] = bySession(await api.openAlerts(JANE));
    expect(memory).toMatchObject({ ...highMemory, user_id: JANE, session_name: 's-1' });
    expect(oom).toMatchObject({ ...outOfMemory, user_id: JANE, session_name: 's-2' });
    expect(more).toEqual([]);
    const disk = await api.onlyAlert('another-user');
    expect(disk).toMatchObject({
      ...highMemory,
      event_type: 'RenkuSessionHighDiskUsage',
      user_id: 'another-user',
      session_name: 's-3',
    });

    expect(await post('mixed-firing-resolved')).toEqual({ ...NOTHING, stored: 2, resolved: 1 });
    expect(await api.openAlerts(JANE)).toEqual([memory]);
    expect(await api.openAlerts('another-user')).toEqual([disk]);

    expect(await post('mixed-firing-resolved')).toEqual({
      ...NOTHING,
      stored: 2,
      skipped: 1,
      reasons: { unknown_series: 1 },
    });
    expect(await api.openAlerts(JANE)).toEqual([memory]);

    // Firing again after a resolve is a new alert, with the same startsAt too.
    expect(await post('firing-multi')).toEqual({ ...NOTHING, stored: 3 });
    const [sameMemory, newOom] = bySession(await api.openAlerts(JANE));
    expect(sameMemory).toEqual(memory);
    expect(newOom).toMatchObject({ ...outOfMemory, session_name: 's-2' });
    expect(newOom?.id).not.toBe(oom?.id);
  });

  it('e2e-seed-good-first, then -resolved: the resolve of one user leaves the other alone', async () => {
    expect(await post('e2e-seed-good-first')).toEqual({ ...NOTHING, stored: 1 });
    const bobs = await api.onlyAlert('bob');
    expect(bobs).toMatchObject({ ...highMemory, user_id: 'bob', session_name: 'bob-1' });

    expect(await post('e2e-seed-good-resolved')).toEqual({
      ...NOTHING,
      skipped: 1,
      reasons: { unknown_series: 1 },
    });
    expect(await api.openAlerts('bob')).toEqual([bobs]);
    expect(await api.openAlerts('ann')).toEqual([]);
  });

  it('truncated-firing: what did come is shown', async () => {
    expect(await post('truncated-firing')).toEqual({ ...NOTHING, stored: 1 });
    expect(await api.openAlerts(JANE)).toMatchObject([{ ...highMemory, session_name: 's-1' }]);
  });

  it("synthetic-0.34-firing-single: a newer Alertmanager's fields do no harm", async () => {
    expect(await post('synthetic-0.34-firing-single')).toEqual({ ...NOTHING, stored: 1 });
    const shown = await api.onlyAlert(JANE);
    expect(shown).toMatchObject({ ...highMemory, session_name: 'jane-doe-7f3a9c' });

    // The same alert from an older Alertmanager is a repeat of it.
    expect(await post('firing-single')).toEqual({ ...NOTHING, stored: 1 });
    expect(await api.openAlerts(JANE)).toEqual([shown]);
  });

  it('text-unicode: the text is shown as it was sent, save NUL', async () => {
    expect(await post('text-unicode')).toEqual({ ...NOTHING, stored: 1 });
    expect(await api.openAlerts(JANE)).toMatchObject([
      {
        title: 'Mémoire élevée 🚨 高い',
        message:
          'Zeile 1\nZeile 2\r\n\tTab “quotes” \\ backslash \u2028 line-sep \uFFFD nul \u0007 bell 😀 ' +
          '<script>alert(1)</script> & <b>bold</b> [link](javascript:alert(1)) \u202Ertl',
        event_type: 'RenkuSessionHighMemory',
        session_name: 'text-unicode',
        severity: 'warning',
      },
    ]);
  });

  it.each([
    ['labels-empty-user', 'no_user', 'u'],
    ['labels-no-alertname', 'no_title', 'u'],
    ['time-nanos', 'no_title', 'u'],
    ['time-offset', 'no_title', 'u'],
  ])('%s: it cannot be shown, and the answer says %s', async (name, reason, user) => {
    expect(await post(name)).toEqual({ ...NOTHING, skipped: 1, reasons: { [reason]: 1 } });
    expect(await api.openAlerts(user)).toEqual([]);
  });
});
