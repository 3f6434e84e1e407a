import type { OpenedAlert, SeriesState } from './alert-life.js';
import { toAlertRow, toOpenedRow } from './alerts.dto.js';
import type { StoredAlert } from './alerts.dto.js';

const MINUTE = 60_000;
const T0 = Date.UTC(2026, 0, 15, 8);
const at = (minute: number): Date => new Date(T0 + minute * MINUTE);

const STORED: StoredAlert = {
  id: '01KAMJ2Q2Y9W2V2Q8Z2J3D5X7R',
  title: 'Disk nearly full',
  message: 'Volume a',
  event_type: 'RenkuSessionHighDiskUsage',
  user_id: 'jane',
  session_name: 'jane-1',
  severity: 'warning',
  kind: 'condition',
  runbook_url: null,
  action_label: null,
  action_url: null,
  resolved_reason: null,
  creation_date: String(T0),
  resolved_date: null,
  updated_date: String(T0 + MINUTE),
  escalated_date: null,
  seen_date: null,
  muted_until: null,
  starts_at: String(T0),
  ends_at: null,
  other_series: null,
};

function series(message: string, more: Partial<SeriesState> = {}): SeriesState {
  return {
    ...{ fingerprint: '00112233445566ff', title: 'Disk nearly full', message, severity: 'warning' },
    ...{ runbookUrl: null, startsAt: T0 - MINUTE, endsAt: null, arrival: 1 },
    ...more,
  };
}

const messagesOf = (row: { series?: { message: string }[] }): string[] | undefined =>
  row.series?.map(({ message }) => message);

describe('What is shown of an alert that is stored', () => {
  it('is what is there, and nothing in the place of what is not', () => {
    expect(toAlertRow(STORED)).toEqual({
      id: STORED.id,
      title: 'Disk nearly full',
      message: 'Volume a',
      event_type: 'RenkuSessionHighDiskUsage',
      user_id: 'jane',
      session_name: 'jane-1',
      creation_date: at(0),
      resolved_date: null,
      severity: 'warning',
      kind: 'condition',
      updated_date: at(1),
      runbook_url: null,
      resolved_reason: null,
    });
    const without = toAlertRow({ ...STORED, session_name: null });
    expect({ ...without, session_name: 'jane-1' }).toEqual(toAlertRow(STORED));
    expect(without).not.toHaveProperty('session_name');
    expect(without).not.toHaveProperty('escalated_date');
    const escalated_date = String(T0 + 2 * MINUTE);
    expect(toAlertRow({ ...STORED, escalated_date })).toEqual({
      ...toAlertRow(STORED),
      escalated_date: at(2),
    });
  });

  it('is each series where several fire: of equals the one first whose words it has', () => {
    const row = toAlertRow({
      ...STORED,
      runbook_url: 'https://docs.example/disk',
      action_label: 'Get a larger volume',
      action_url: 'https://sessions.example/volumes',
      other_series: [
        series('Volume b', {
          startsAt: T0,
          action: { label: 'Clean up', url: 'https://sessions.example/b' },
        }),
        series('Volume c', { severity: 'critical' }),
        series('Volume d', { endsAt: T0 }),
      ],
    });
    expect(messagesOf(row)).toEqual(['Volume c', 'Volume a', 'Volume b']);
    expect(row.series_count).toBe(3);
    expect(row.series?.[1]).toEqual({
      title: 'Disk nearly full',
      message: 'Volume a',
      severity: 'warning',
      starts_at: at(0),
      runbook_url: 'https://docs.example/disk',
      action_label: 'Get a larger volume',
      action_url: 'https://sessions.example/volumes',
    });
    expect(row.series?.[0]).not.toHaveProperty('action_label');
    expect(row.series?.[0]).not.toHaveProperty('action_url');
    expect(row.series?.[2]).toMatchObject({
      action_label: 'Clean up',
      action_url: 'https://sessions.example/b',
    });
  });

  it('is the alert alone where one fires, though others have', () => {
    const ended = series('Volume b', { endsAt: T0 });
    expect(toAlertRow({ ...STORED, other_series: [ended] })).toEqual(toAlertRow(STORED));
    const own = { ends_at: String(T0) };
    expect(toAlertRow({ ...STORED, ...own, other_series: [series('Volume b')] })).toEqual(toAlertRow(STORED));
    const none = { starts_at: null };
    expect(toAlertRow({ ...STORED, ...none, other_series: [series('Volume b')] })).toEqual(
      toAlertRow(STORED),
    );
  });

  it('is no series of an alert that is closed', () => {
    const row = toAlertRow({
      ...STORED,
      resolved_date: String(T0 + 3 * MINUTE),
      resolved_reason: 'dismissed',
      other_series: [series('Volume b')],
    });
    expect(row).toEqual({
      ...toAlertRow(STORED),
      resolved_date: at(3),
      resolved_reason: 'dismissed',
    });
  });

  it('is at most twenty series, and how many there are', () => {
    const others = Array.from({ length: 24 }, (_, index) => series(`Volume ${index}`));
    const row = toAlertRow({ ...STORED, other_series: others });
    expect(row.series).toHaveLength(20);
    expect(row.series_count).toBe(25);
  });
});

describe('What is shown of an alert that was opened just now', () => {
  const OPENED: OpenedAlert = {
    id: STORED.id,
    fingerprint: 1,
    userId: 'jane',
    sessionName: 'jane-1',
    eventType: 'RenkuSessionHighDiskUsage',
    title: 'Disk nearly full',
    message: 'Volume a',
    severity: 'warning',
    runbookUrl: null,
    kind: 'condition',
    source: 'alertmanager',
    series: [series('Volume a'), series('Volume b')],
    resolvedReason: null,
  };

  it('is what will be shown when it is read', () => {
    const row = toOpenedRow(OPENED, at(0));
    expect(row).toEqual({
      ...toAlertRow({ ...STORED, updated_date: STORED.creation_date }),
      series: row.series,
      series_count: 2,
    });
    expect(messagesOf(row)).toEqual(['Volume a', 'Volume b']);
    const one = toOpenedRow({ ...OPENED, series: [series('Volume a')] }, at(0));
    expect(one).not.toHaveProperty('series');
    expect(one).not.toHaveProperty('series_count');
  });

  it('has the action that it has when it is read', () => {
    const action = { label: 'Clean up', url: 'https://sessions.example/a' };
    expect(toOpenedRow({ ...OPENED, action, series: [] }, at(0))).toEqual(
      toAlertRow({
        ...STORED,
        updated_date: STORED.creation_date,
        action_label: action.label,
        action_url: action.url,
      }),
    );
  });

  it('has no session where it is of none', () => {
    expect(toOpenedRow({ ...OPENED, sessionName: null }, at(0))).not.toHaveProperty('session_name');
  });

  it('has ended where what opened it has ended it as well, and shows no series then', () => {
    const row = toOpenedRow({ ...OPENED, resolvedReason: 'resolved' }, at(0));
    expect(row).toMatchObject({ resolved_date: at(0), resolved_reason: 'resolved' });
    expect(row).not.toHaveProperty('series');
  });
});
