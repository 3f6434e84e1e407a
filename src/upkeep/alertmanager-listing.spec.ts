import { firing } from '../../test/support/alerts.js';
import { alertsSettings } from '../options/alerts-settings.js';
import type { ReconcileSettings } from '../options/alerts-settings.js';
import { AlertMapper } from '../webhooks/alert-mapper.service.js';
import type { AlertmanagerClient, ListedAlert } from './alertmanager-client.js';
import { addListOf, emptyListing } from './alertmanager-listing.js';
import type { Listing } from './alertmanager-listing.js';

const mapper = new AlertMapper(alertsSettings({ auth: { issuer: 'https://issuer.example' } }));
const STATUS = { startedAt: 1, runningFor: 300_000, cluster: 'ready', config: '' };
/** A configuration in which one route of an alert has a time interval, and another has none. */
const NIGHTS = `
  route:
    receiver: default
    routes:
      - { receiver: pager, matchers: ['severity="warning"'], continue: true }
      - { receiver: ours, mute_time_intervals: [nights] }`;

describe('What an Alertmanager lists', () => {
  function listed(session: string, status: object): ListedAlert {
    return { ...firing({ session }), status } as unknown as ListedAlert;
  }

  async function list(
    alerts: ListedAlert[],
    {
      config = '',
      receiver,
      statuses = [],
    }: { config?: string; receiver?: string; statuses?: object[] } = {},
  ): Promise<Listing> {
    const listing = emptyListing();
    const client = {
      status: () => Promise.resolve({ ...STATUS, config, ...statuses.shift() }),
      alerts: () => Promise.resolve(alerts),
      groupedAlerts: () => Promise.resolve(alerts),
    } as unknown as AlertmanagerClient;
    const settings = { filter: [], settleTime: 300_000, ...(receiver && { receiver }) };
    const { signal } = new AbortController();
    await addListOf(client, mapper, settings as unknown as ReconcileSettings, listing, signal);
    return listing;
  }

  async function isSent(status: object, options?: { config?: string; receiver?: string }): Promise<boolean> {
    return (await list([listed('a', status)], options)).sent.size > 0;
  }

  it('is known, and fires; what it is not of, or cannot be shown, is neither', async () => {
    const nobodys = { ...firing({ user: '' }), status: { state: 'active' } } as unknown as ListedAlert;
    const listing = await list([nobodys, listed('a', { state: 'active', silencedBy: [] })]);
    expect([listing.known.size, listing.firing.size, listing.sent.size, listing.silenced.size]).toEqual([
      1, 1, 1, 0,
    ]);
    expect([...listing.firing.values()]).toMatchObject([{ status: 'firing', sessionName: 'a' }]);
    const wordless = { ...firing({ title: '', name: '' }), status: null } as unknown as ListedAlert;
    expect((await list([wordless])).firing.size).toBe(0);
  });

  it.each<[object, boolean]>([
    [{ state: 'suppressed' }, false],
    [{ state: 'unprocessed' }, false],
    [{ state: 'active', mutedBy: ['nights'] }, false],
    [{ state: 'active', mutedBy: [] }, true],
  ])('is sent or withheld: %j', async (status, sent) => {
    expect(await isSent(status, { config: NIGHTS })).toBe(sent);
  });

  it('is silenced where a silence says so', async () => {
    for (const [silencedBy, count] of [
      [['a silence'], 1],
      [[], 0],
      ['text', 0],
    ] as const) {
      expect((await list([listed('a', { state: 'suppressed', silencedBy })])).silenced.size).toBe(count);
    }
  });

  it('is withheld, of an older one, where all its routes to our receiver have time intervals', async () => {
    const status = { state: 'active' };
    expect(await isSent(status, { config: NIGHTS })).toBe(true);
    expect(await isSent(status, { config: NIGHTS, receiver: 'ours' })).toBe(false);
    const days = NIGHTS.replace('mute_time_intervals', 'active_time_intervals');
    expect(await isSent(status, { config: days, receiver: 'ours' })).toBe(false);
    expect(await isSent(status, { config: NIGHTS, receiver: 'pager' })).toBe(true);
    expect(await isSent(status, { config: 'route: {', receiver: 'ours' })).toBe(true);
    const odd = NIGHTS.replace('severity="warning"', 'severity=~"("');
    expect(await isSent(status, { config: odd, receiver: 'pager' })).toBe(false);
    await expect(isSent(status, { config: `{ time_intervals: ` })).rejects.toThrow();
  });

  it.each<[object[], string]>([
    [[{ runningFor: 299_999 }], 'it has just started'],
    [[{ cluster: 'settling' }], 'its cluster is settling'],
    [[{}, { startedAt: 2 }], 'it has restarted meanwhile, or its address leads to several'],
  ])('is not believed: %j', async (statuses, why) => {
    await expect(list([], { statuses })).rejects.toThrow(new Error(why));
  });
});
