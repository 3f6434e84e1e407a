import type { INestApplicationContext } from '@nestjs/common';
import { AlertsClock } from '../../src/clock/alerts-clock.js';
import { ReconcileService } from '../../src/upkeep/reconcile.service.js';
import { UpkeepService } from '../../src/upkeep/upkeep.service.js';
import { AlertsApi, firing, minute, resolved, webhook } from './alerts.js';
import type { ShownAlert } from './alerts.js';
import { OpenPage } from './event-stream.js';
import type { ListingAlertmanager } from './listing-alertmanager.js';
import type { EmbeddedIssuer } from '../../server/demo/embedded-issuer.js';

/** What our module runs in, and who is asked about what is there. */
export interface Setting {
  app: INestApplicationContext;
  /** Of the API, with its prefix. */
  url: string;
  issuer: EmbeddedIssuer;
  /** The one that is reconciled with. */
  alertmanager: ListingAlertmanager;
}

const HOUR = 3_600_000;
const JANE = { sub: 'jane' };
/** Of a title, of which PostgreSQL cannot hold the NUL. */
const TEXT = `Grüße 🎉 \\n "quoted" 'quoted' {NULL,"x"} \u2028 NULL`;

/**
 * All that matters, once: what webhooks bring is stored and shown with its words and dates, pages hear of it, and it
 * ends in each way there is. Nothing else has been reported before.
 */
export async function expectEssentials({ app, url, issuer, alertmanager }: Setting): Promise<void> {
  const api = new AlertsApi(url, issuer);
  const clock = app.get(AlertsClock, { strict: false });
  const upkeep = app.get(UpkeepService, { strict: false });
  const page = await OpenPage.open(url, await issuer.userToken(JANE));
  const history = async (query = ''): Promise<ShownAlert[]> =>
    (await api.call<ShownAlert[]>('GET', `/alerts?status=resolved${query}`, { as: JANE })).body;
  const startedAt = Date.now() - 60_000;
  const expectNow = (date: string | null | undefined): void => {
    expect(date).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(Date.parse(date!)).toBeGreaterThan(startedAt);
    expect(Date.parse(date!)).toBeLessThan(Date.now() + 60_000);
  };

  try {
    // Stored, with what is missing missing; listed, and streamed.
    const problem = firing({ severity: '', title: `\0${TEXT}`, message: `${TEXT}\0` });
    expect(await api.deliver(problem)).toMatchObject({ stored: 1 });
    const alert = await api.onlyAlert();
    expect(alert).toMatchObject({
      title: `\uFFFD${TEXT}`,
      message: `${TEXT}\uFFFD`,
      severity: null,
      runbook_url: null,
      resolved_date: null,
      resolved_reason: null,
    });
    expectNow(alert.creation_date);
    expectNow(alert.updated_date);
    await page.untilShown([alert.title]);
    expect(page.shown.at(-1)).toEqual([alert]);

    // A repeat changes nothing; several series behind one alert, of which one ends.
    await api.deliver(problem);
    await api.deliver(
      firing({
        severity: 'critical',
        labels: { pod: 'two' },
        annotations: {
          runbook_url: 'https://runbook.example/',
          action_label: TEXT,
          action_url: 'https://action.example/',
        },
      }),
    );
    const graver = await api.onlyAlert();
    expect(graver).toMatchObject({
      id: alert.id,
      severity: 'critical',
      runbook_url: 'https://runbook.example/',
      action_label: TEXT,
      action_url: 'https://action.example/',
      series: [
        { severity: 'critical', action_label: TEXT, starts_at: minute(0) },
        {
          severity: null,
          title: alert.title,
          message: alert.message,
          starts_at: minute(0),
        },
      ],
      series_count: 2,
    });
    expectNow(graver.escalated_date);
    await api.deliver(resolved(firing({ severity: 'critical', labels: { pod: 'two' } })));
    const less = await api.onlyAlert();
    expect(less).toMatchObject({
      ...{ id: alert.id, severity: null, title: alert.title, message: alert.message },
    });
    expect(less).not.toHaveProperty('series');
    expect(less).not.toHaveProperty('action_label');

    // Ended, and looked up: all, since then, page by page. A late copy of the end changes nothing.
    const before = new Date(Date.now() - HOUR).toISOString();
    await api.deliver(resolved(problem), firing({ session: 'jane-2' }));
    await api.deliver(resolved(firing({ session: 'jane-2' })));
    expect(await api.deliver(resolved(problem))).toMatchObject({ skipped: 1 });
    const ended = await history();
    expect(ended.map(({ session_name }) => session_name)).toEqual(['jane-2', 'jane-1']);
    for (const { resolved_date } of ended) expectNow(resolved_date);
    expect(await history(`&since=${before}`)).toEqual(ended);
    expect(await history(`&since=${new Date(Date.now() + HOUR).toISOString()}`)).toEqual([]);
    expect(await history('&limit=1')).toEqual(ended.slice(0, 1));
    expect(await history(`&limit=1&cursor=${ended[0]!.id}`)).toEqual(ended.slice(1));
    await page.untilShown([]);

    // By hand: opened twice, closed, dismissed, and silent then.
    const notice = { title: TEXT, message: TEXT, event_type: 'notice', user_id: 'jane' };
    const created = await api.create(notice);
    expect(created).toMatchObject({ status: 201, body: { title: TEXT } });
    expect(created.body).not.toHaveProperty('session_name');
    expectNow(created.body.creation_date);
    expect((await api.create(notice)).status).toBe(409);
    const closed = await api.update(created.body.id);
    expect(closed).toMatchObject({ status: 200, body: { resolved_reason: 'manual' } });
    expectNow(closed.body.resolved_date);
    await api.deliver(firing({ startsAt: minute(90) }));
    expect((await api.update((await api.onlyAlert()).id, { dismissed: true }, JANE)).status).toBe(200);
    expect(await api.deliver(firing({ startsAt: minute(90) }))).toMatchObject({
      reasons: { closed_by_hand: 1 },
    });

    // The feed, and a dry run.
    await api.deliver(firing({ name: 'Watchdog', user: '', session: '', title: '', message: '' }));
    const feed = await api.call<{ last_seen: string }>('GET', '/alerts/feed', { as: JANE });
    expect(feed.body).toMatchObject({ status: 'ok' });
    expectNow(feed.body.last_seen);
    const dryRun = await api.postWebhook(webhook([firing({ session: 'dry' })]), '?dry_run=true');
    expect(dryRun.body).toMatchObject({ stored: 1, dry_run: true });

    // Reconciling opens, leaves alone what a person has closed, and closes.
    const reconciling = app.get(ReconcileService, { strict: false });
    alertmanager.lists(firing({ session: 'missed' }), firing({ startsAt: minute(90) }));
    await reconciling.run();
    await reconciling.run();
    expect(await api.onlyAlert()).toMatchObject({ session_name: 'missed' });
    alertmanager.lists();
    await reconciling.run();
    expect((await history())[0]).toMatchObject({ session_name: 'missed', resolved_reason: 'reconciled' });

    // Expiry, not of what is repeated; and retention.
    await api.deliver(firing({ session: 'lost' }), firing({ session: 'repeated' }));
    clock.ahead = 2 * HOUR;
    await api.deliver(firing({ session: 'repeated' }));
    clock.ahead = 3 * HOUR;
    await upkeep.run();
    expect(await api.onlyAlert()).toMatchObject({ session_name: 'repeated' });
    expect((await history())[0]).toMatchObject({ session_name: 'lost', resolved_reason: 'expired' });
    clock.ahead = 100 * 24 * HOUR;
    await upkeep.run();
    expect((await history()).map(({ session_name }) => session_name)).toEqual(['repeated']);
  } finally {
    page.leave();
    clock.ahead = 0;
    alertmanager.lists();
  }
}
