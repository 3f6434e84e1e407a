import { Examination } from './check.js';
import type { ClockReading, Finding } from './check.js';
import { checkClocks } from './clocks.check.js';
import type { DoctorSettings } from './doctor-settings.js';

const MINUTE = 60_000;

function findingOf(...clocks: ClockReading[]): Finding | undefined {
  const examination = new Examination({} as DoctorSettings);
  examination.clocks.push(...clocks);
  checkClocks(examination);
  return examination.findings[0];
}

function clocks(issuer: number, server: number, database: number): ClockReading[] {
  return [
    { whose: 'the issuer', ahead: issuer },
    { whose: 'the server', ahead: server },
    { whose: 'the database', ahead: database },
  ];
}

it('Clocks that agree are ok', () => {
  expect(findingOf(...clocks(700, -900, 20))).toEqual({
    check: 'clocks',
    status: 'ok',
    message: 'This machine, the issuer, the server and the database agree within 5s',
  });
});

it('Nothing is said where nobody has told the time', () => {
  expect(findingOf()?.status).toBe('not_checked');
});

it.each([
  [
    'issuer',
    clocks(-2 * MINUTE, 0, 0),
    'The clock of the issuer is 2m behind this machine, the server and the database',
  ],
  [
    'server',
    clocks(0, 90_000, 0),
    'The clock of the server is 1m30s ahead of this machine, the issuer and the database',
  ],
  [
    'database',
    clocks(0, 0, MINUTE),
    'The clock of the database is 1m ahead of this machine, the issuer and the server',
  ],
  // All others are ahead of it by as much.
  [
    'this machine',
    clocks(MINUTE, MINUTE, MINUTE),
    'The clock of this machine is 1m behind the issuer, the server and the database',
  ],
])('The clock that is off is that of %s', (whose, readings, message) => {
  const finding = findingOf(...readings);

  expect(finding?.status).toBe('wrong');
  expect(finding?.message).toContain(message);
  expect(finding?.mend).toContain(`Set the clock of ${whose === 'this machine' ? whose : `the ${whose}`}:`);
});

it.each([
  ['two', [{ whose: 'the issuer', ahead: -2 * MINUTE }], 'The issuer is 2m behind this machine'],
  [
    'two pairs',
    clocks(0, 2 * MINUTE, 2 * MINUTE),
    'the server is 2m ahead of this machine; the database is 2m ahead of this machine',
  ],
])('Of %s that disagree none is accused', (_, readings, message) => {
  const finding = findingOf(...readings);

  expect(finding?.status).toBe('wrong');
  expect(finding?.message).toContain(message);
  expect(finding?.message).toContain('cannot be told');
  expect(finding?.mend).toContain('Compare each with a time server');
});

it('What the server tolerates is a warning', () => {
  expect(findingOf(...clocks(-20_000, 0, 0))?.status).toBe('warning');
});
