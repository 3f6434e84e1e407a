import { isMuted, readAlerts, readFeed, readTotal } from './alert.js';

const alert = {
  id: '01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R',
  title: 'High memory usage',
  message: 'Memory usage over 90% of capacity',
  event_type: 'RenkuSessionHighMemory',
  user_id: 'ann',
  session_name: 's-1',
  creation_date: '2026-11-22T05:11:20.465Z',
  resolved_date: null,
  severity: 'warning',
  kind: 'event',
  updated_date: '2026-11-22T05:12:20.465Z',
  escalated_date: '2026-11-22T05:12:20.465Z',
  runbook_url: null,
  action_label: 'Make room',
  action_url: 'https://a.example/volumes',
  resolved_reason: null,
  seen_date: '2026-11-22T05:13:00.000Z',
  muted_until: '2026-11-22T06:00:00.000Z',
  series: [
    {
      title: 'High memory usage',
      message: 'Memory usage over 90% of capacity',
      severity: 'warning',
      starts_at: '2026-11-22T05:11:00.000Z',
      runbook_url: null,
      action_label: 'Make room',
      action_url: 'https://a.example/volumes',
    },
    {
      title: 'Memory usage rises',
      message: '',
      severity: null,
      starts_at: '2026-11-22T05:10:00.000Z',
      runbook_url: 'https://runbooks.example/memory',
      action_label: null,
      action_url: null,
    },
  ],
  series_count: 2,
};

describe('The alerts of an answer', () => {
  it('are what the API sent', () => {
    expect(readAlerts([alert])).toEqual([alert]);
  });

  it('know no fields that the panel does not', () => {
    expect(readAlerts([{ ...alert, more: 1 }])).toEqual([alert]);
  });

  it('do without what an older API does not send', () => {
    const { id, title, creation_date } = alert;
    expect(readAlerts([{ id, title, creation_date }])).toEqual([
      {
        ...alert,
        message: '',
        event_type: '',
        user_id: '',
        session_name: null,
        severity: null,
        action_label: null,
        action_url: null,
        kind: 'condition',
        updated_date: creation_date,
        escalated_date: null,
        seen_date: null,
        muted_until: null,
        series: [],
        series_count: 0,
      },
    ]);
  });

  it('are muted until then', () => {
    const [read] = readAlerts([alert]);
    expect(isMuted(read!, Date.parse('2026-11-22T05:59:59Z'))).toBe(true);
    expect(isMuted(read!, Date.parse('2026-11-22T06:00:00Z'))).toBe(false);
    expect(isMuted({ ...read!, muted_until: null }, 0)).toBe(false);
    expect(isMuted({ ...read!, muted_until: 'for ever' }, 0)).toBe(false);
  });

  it('are only those that say who they are', () => {
    expect(
      readAlerts([null, 'alert', { title: 'no id' }, { ...alert, id: 7 }, { ...alert, title: '' }]),
    ).toEqual([]);
  });

  it('have no more series and no longer texts than the API sends', () => {
    const { series, ...rest } = alert;
    const long = { title: 'x'.repeat(600), message: 'x'.repeat(30_000), severity: 'x'.repeat(300) };
    const [read] = readAlerts([
      {
        ...rest,
        ...long,
        series: Array.from({ length: 50 }, () => ({ ...series[0], ...long })),
        series_count: 70,
      },
    ]);
    expect(read?.series).toHaveLength(20);
    expect(read?.series_count).toBe(70);
    for (const { title, message, severity } of [read!, ...read!.series]) {
      expect([title.length, message.length, severity?.length]).toEqual([500, 20_000, 255]);
    }
  });

  it.each([
    ['no list', 'x', 7, { series: [], series_count: 0 }],
    ['one alone', [alert.series[0]], 1, { series: [], series_count: 0 }],
    ['none that can be read', [null, 'x', { title: 7 }], 3, { series: [], series_count: 0 }],
    ['fewer than are listed', alert.series, 1, { series_count: 2 }],
    ['no number', alert.series, '9', { series_count: 2 }],
    ['no whole number', alert.series, 2.5, { series_count: 2 }],
  ])('have several series only where they are there: not with %s', (_, series, count, expected) => {
    expect(readAlerts([{ ...alert, series, series_count: count }])).toMatchObject([expected]);
  });

  it.each([[{ error: {} }], [null], ['[]'], [undefined]])('are no list in %p', (body) => {
    expect(() => readAlerts(body)).toThrow(TypeError);
  });
});

describe('How many there are', () => {
  it('is what the API says', () => {
    expect(['0', '50000'].map(readTotal)).toEqual([0, 50_000]);
  });

  it.each([null, '', '-1', '1e3', '5, 5', 'many', '9'.repeat(16)])('is not known of %p', (written) => {
    expect(readTotal(written)).toBeUndefined();
  });
});

describe('The feed', () => {
  it('is what the API says', () => {
    const feed = { status: 'stale', last_seen: '2026-11-22T05:11:20.465Z' };
    expect(readFeed(feed)).toEqual(feed);
  });

  it.each([[{}], [{ status: 'broken' }], [null], [{ error: { code: 404 } }]])('is unknown in %p', (body) => {
    expect(readFeed(body)).toEqual({ status: 'unknown', last_seen: null });
  });
});
