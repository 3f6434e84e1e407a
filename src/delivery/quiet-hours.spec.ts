import { endOfQuiet, isTimeZone, quietHoursIn } from './quiet-hours.js';

/** The end of quiet hours that a moment lies in, both as ISO 8601. */
function end(hours: string, moment: string, timeZone = 'Europe/Zurich'): string | undefined {
  const [from = 0, to = 0] = hours.split('-').map((time) => {
    const [hour = 0, minute = 0] = time.split(':').map(Number);
    return hour * 60 + minute;
  });
  const quietHours = { from, to, timeZone, criticalPasses: false };
  return endOfQuiet(quietHours, new Date(moment))
    ?.toISOString()
    .replace(/:00\.000Z$/, 'Z');
}

describe('Quiet hours', () => {
  it.each([
    ['22:00-07:00', '2026-01-15T20:59:59Z', undefined],
    ['22:00-07:00', '2026-01-15T21:00:00Z', '2026-01-16T06:00Z'],
    ['22:00-07:00', '2026-01-15T23:30:12Z', '2026-01-16T06:00Z'],
    ['22:00-07:00', '2026-01-16T05:59:59.999Z', '2026-01-16T06:00Z'],
    ['22:00-07:00', '2026-01-16T06:00:00Z', undefined],
    ['12:30-13:15', '2026-01-16T11:45:00Z', '2026-01-16T12:15Z'],
    ['12:30-13:15', '2026-01-16T12:15:00Z', undefined],
    ['00:00-06:00', '2026-01-15T23:00:00Z', '2026-01-16T05:00Z'],
    ['18:00-00:00', '2026-01-15T22:59:00Z', '2026-01-15T23:00Z'],
  ])('of %s at %s end at %s, by the clocks of where the user is', (hours, moment, expected) => {
    expect(end(hours, moment)).toBe(expected);
  });

  it('are none where they end when they begin', () => {
    expect(end('07:00-07:00', '2026-01-16T06:00:00Z')).toBeUndefined();
    expect(end('07:00-07:00', '2026-01-16T18:00:00Z')).toBeUndefined();
  });

  it.each([
    ['an hour sooner', '22:00-07:00', '2026-03-28T22:00:00Z', '2026-03-29T05:00Z'],
    ['an hour sooner just before', '22:00-07:00', '2026-03-29T00:59:59Z', '2026-03-29T05:00Z'],
    ['as ever just after', '22:00-07:00', '2026-03-29T01:00:00Z', '2026-03-29T05:00Z'],
    ['with the hour that there is not', '22:00-02:30', '2026-03-28T22:00:00Z', '2026-03-29T01:00Z'],
    [
      'with the hour that there is not, at its start',
      '22:00-02:00',
      '2026-03-28T22:00:00Z',
      '2026-03-29T01:00Z',
    ],
    ['as ever before it', '22:00-01:45', '2026-03-28T22:00:00Z', '2026-03-29T00:45Z'],
    ['as ever where they would begin in it', '02:30-07:00', '2026-03-29T01:00:00Z', '2026-03-29T05:00Z'],
  ])('end %s when clocks are put forward', (_when, hours, moment, expected) => {
    expect(end(hours, moment)).toBe(expected);
  });

  it.each([
    ['an hour later', '22:00-07:00', '2026-10-24T21:00:00Z', '2026-10-25T06:00Z'],
    ['an hour later just before', '22:00-07:00', '2026-10-25T00:59:59Z', '2026-10-25T06:00Z'],
    ['as ever just after', '22:00-07:00', '2026-10-25T01:00:00Z', '2026-10-25T06:00Z'],
    ['when that time comes first', '22:00-02:30', '2026-10-24T21:00:00Z', '2026-10-25T00:30Z'],
    ['again when it comes twice', '22:00-02:30', '2026-10-25T01:10:00Z', '2026-10-25T01:30Z'],
  ])('end %s when clocks are put back', (_when, hours, moment, expected) => {
    expect(end(hours, moment)).toBe(expected);
  });

  it.each([
    ['Australia/Lord_Howe', '22:00-07:00', '2026-10-03T13:00:00Z', '2026-10-03T20:00Z'],
    ['Asia/Kathmandu', '22:00-07:00', '2026-01-15T17:00:00Z', '2026-01-16T01:15Z'],
    ['America/St_Johns', '22:00-07:00', '2026-03-08T03:00:00Z', '2026-03-08T09:30Z'],
    ['UTC', '22:00-07:00', '2026-03-28T23:00:00Z', '2026-03-29T07:00Z'],
  ])('are those of %s', (timeZone, hours, moment, expected) => {
    expect(end(hours, moment, timeZone)).toBe(expected);
  });

  it('are kept whole or not at all', () => {
    const columns = { quietFrom: 0, quietTo: 420, timeZone: 'UTC', criticalPasses: null };
    expect(quietHoursIn(columns)).toEqual({ from: 0, to: 420, timeZone: 'UTC', criticalPasses: false });
    expect(quietHoursIn({ ...columns, timeZone: null })).toBeUndefined();
    expect(quietHoursIn(undefined)).toBeUndefined();
  });

  it('know time zones by their names', () => {
    expect(['Europe/Zurich', 'UTC', 'Europe/Zurick', '', '+01:00 '].map(isTimeZone)).toEqual([
      ...[true, true],
      ...[false, false, false],
    ]);
  });
});
