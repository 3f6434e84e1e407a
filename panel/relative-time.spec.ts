import { clockTime, exactTime, timeAgo } from './relative-time.js';

const now = new Date(2026, 10, 22, 14, 5, 30).getTime();
const seconds = (count: number) => now - count * 1000;

describe('The time since', () => {
  it.each([
    [0, undefined],
    [59, undefined],
    [60, '1 min ago'],
    [5 * 60 + 59, '5 min ago'],
    [3599, '59 min ago'],
    [3600, '1 hr ago'],
    [24 * 3600 - 1, '23 hr ago'],
    [24 * 3600, '1 day ago'],
    [50 * 3600, '2 days ago'],
  ])('%d s ago is %p', (elapsed, text) => {
    expect(timeAgo(seconds(elapsed), now, 'en')).toBe(text);
  });

  it('of a clock that is ahead is none', () => {
    expect(timeAgo(seconds(-300), now, 'en')).toBeUndefined();
  });

  it('of what is no moment is none', () => {
    expect(timeAgo(NaN, now, 'en')).toBeUndefined();
  });

  it('speaks other languages', () => {
    expect(timeAgo(seconds(300), now, 'de')).toBe('vor 5 Min.');
    expect(timeAgo(seconds(300), now, 'fr-CH')).toMatch(/^il y a 5/);
  });

  it('puts up with languages that are none', () => {
    expect(timeAgo(seconds(300), now, 'en_US')).toMatch(/5/);
  });
});

describe('A moment', () => {
  it('is told by the clock today, and with its day before', () => {
    expect(clockTime(seconds(30), now, 'en-GB')).toBe('14:05');
    expect(clockTime(seconds(5 * 3600), now, 'en-GB')).toBe('09:05');
    expect(clockTime(seconds(5 * 3600), now, 'en-US')).toMatch(/^9:05\sAM$/);
    expect(clockTime(seconds(24 * 3600), now, 'en-GB')).toBe('21 Nov 2026, 14:05');
  });

  it('is told exactly', () => {
    expect(exactTime(now, 'en-GB')).toMatch(/^Sunday.* 22 November 2026.* 14:05:30$/);
  });
});
