import { readAlerts, readFeed } from './alert.js';

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
  runbook_url: null,
  resolved_reason: null,
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
        kind: 'condition',
        updated_date: creation_date,
      },
    ]);
  });

  it('are only those that say who they are', () => {
    expect(
      readAlerts([null, 'alert', { title: 'no id' }, { ...alert, id: 7 }, { ...alert, title: '' }]),
    ).toEqual([]);
  });

  it.each([[{ error: {} }], [null], ['[]'], [undefined]])('are no list in %p', (body) => {
    expect(() => readAlerts(body)).toThrow(TypeError);
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
