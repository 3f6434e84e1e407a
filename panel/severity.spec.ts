import { gravest, knownSeverity, severityOf } from './severity.js';

describe('A severity', () => {
  it.each([
    ['critical', 'critical'],
    ['page', 'error'],
    ['error', 'error'],
    ['major', 'error'],
    ['high', 'error'],
    ['warning', 'warning'],
    ['minor', 'minor'],
    ['info', 'info'],
    ['none', 'other'],
    [' Critical ', 'critical'],
    ['disaster', 'other'],
    ['constructor', 'other'],
    ['', 'other'],
    [null, 'other'],
  ])('%j is told as %j', (text, expected) => {
    expect(severityOf(text)).toBe(expected);
  });

  it('is known by its word, whatever its case', () => {
    expect(['MAJOR', 'none', 'toString', null].map(knownSeverity)).toEqual([
      'major',
      'none',
      undefined,
      undefined,
    ]);
  });

  it('is the gravest of some', () => {
    expect(gravest(['info', 'other', 'minor', 'warning'])).toBe('warning');
    expect(gravest(['warning', 'error'])).toBe('error');
    expect(gravest(['info', 'other'])).toBe('other');
    expect(gravest([])).toBe('other');
  });
});
