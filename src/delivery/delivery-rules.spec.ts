import { backOff, decide, needlessness } from './delivery-rules.js';
import type { AlertNow, Decision, DueDelivery, TargetState } from './delivery-rules.js';

const MINUTE = 60_000;
const NOW = new Date('2026-01-16T12:00:00Z');
const OPEN: AlertNow = { isOpen: true, isSeen: false, mutedUntil: null, gravity: 2 };
const LIMITS = { gather: 5 * MINUTE, perHour: 3 };
/** It is noon in UTC. */
const QUIET = { from: 11 * 60, to: 13 * 60, timeZone: 'UTC', criticalPasses: true };

function minutes(count: number): Date {
  return new Date(NOW.getTime() + count * MINUTE);
}

function due(id: string, more: Partial<DueDelivery> = {}): DueDelivery {
  const target = { userId: 'jane', channel: 'email', target: '' };
  return { ...target, id, alertId: id, transition: 'opened', dueDate: NOW, alert: OPEN, ...more };
}

function decided(deliveries: DueDelivery[], state: Partial<TargetState> = {}, limits = LIMITS): Decision {
  return decide(
    NOW,
    deliveries,
    () => ({ lastMessage: null, quietHours: undefined, lately: [], ...state }),
    limits,
  );
}

/** What is decided, by the deliveries' ids. */
function summary({ needless, postponed, messages }: Decision) {
  return {
    needless: needless.map(({ delivery, reason }) => `${delivery.id} ${reason}`),
    postponed: postponed.map(
      ({ delivery, until }) => `${delivery.id} ${(until.getTime() - NOW.getTime()) / MINUTE}`,
    ),
    messages: messages.map(({ target, deliveries }) =>
      [target.channel, ...deliveries.map(({ id }) => id)].join(' '),
    ),
  };
}

const NOTHING = { needless: [], postponed: [], messages: [] };

describe('What is told need not be', () => {
  it.each<[string, Partial<DueDelivery>]>([
    ['unknown_alert', { alert: undefined }],
    ['unknown_alert', { alert: undefined, transition: 'over' }],
    ['ended', { alert: { ...OPEN, isOpen: false } }],
    ['seen', { alert: { ...OPEN, isSeen: true } }],
    ['seen', { alert: { ...OPEN, isSeen: true }, transition: 'escalated' }],
    ['muted', { alert: { ...OPEN, mutedUntil: minutes(1) } }],
  ])('as it is %s', (reason, more) => {
    expect(needlessness(due('a', more), NOW)).toBe(reason);
    expect(summary(decided([due('a', more)]))).toEqual({ ...NOTHING, needless: [`a ${reason}`] });
  });

  it.each<[string, Partial<DueDelivery>]>([
    ['was muted until now', { alert: { ...OPEN, mutedUntil: NOW } }],
    [
      'is over, to whom was told that it had begun',
      { alert: { ...OPEN, isOpen: false, isSeen: true }, transition: 'over' },
    ],
    ['is over and muted', { alert: { ...OPEN, isOpen: false, mutedUntil: minutes(1) }, transition: 'over' }],
  ])('but must where it %s', (_what, more) => {
    expect(summary(decided([due('a', more)]))).toEqual({ ...NOTHING, messages: ['email a'] });
  });
});

describe('What is due', () => {
  it('is one message a target', () => {
    const deliveries = [
      due('a'),
      due('b', { channel: 'web_push', target: 'x' }),
      due('c', { transition: 'over' }),
    ];
    const others = [due('d', { channel: 'web_push', target: 'y' }), due('e', { userId: 'joe' })];
    expect(summary(decided([...deliveries, ...others])).messages).toEqual([
      ...['email a c', 'web_push b', 'web_push d', 'email e'],
    ]);
  });

  it('brings along what will be soon', () => {
    expect(summary(decided([due('a'), due('soon', { dueDate: minutes(4) })]))).toEqual({
      ...NOTHING,
      messages: ['email a soon'],
    });
  });

  it('is not told before its time where what would have brought it along need not be told', () => {
    const seen = due('a', { alert: { ...OPEN, isSeen: true } });
    expect(summary(decided([seen, due('soon', { dueDate: minutes(2) })]))).toEqual({
      ...NOTHING,
      needless: ['a seen'],
    });
    const critical = due('soon', { alert: { ...OPEN, gravity: 4 }, dueDate: minutes(2) });
    expect(summary(decided([due('a'), critical], { quietHours: QUIET }))).toEqual({
      ...NOTHING,
      postponed: ['a 60'],
    });
  });

  it('waits after a message at the same target, and not for less long than it had to', () => {
    const state = { lastMessage: minutes(-4) };
    expect(summary(decided([due('a'), due('soon', { dueDate: minutes(2) })], state))).toEqual({
      ...NOTHING,
      postponed: ['a 1'],
    });
    expect(summary(decided([due('a')], { lastMessage: minutes(-5) })).messages).toEqual(['email a']);
  });

  it('waits where the user has had enough messages in the last hour, until one of them is older', () => {
    const lately = [minutes(-61), minutes(-50), minutes(-40), minutes(-30)];
    expect(summary(decided([due('a')], { lately }))).toEqual({ ...NOTHING, postponed: ['a 10'] });
    expect(summary(decided([due('a')], { lately }, { ...LIMITS, perHour: 2 }))).toEqual({
      ...NOTHING,
      postponed: ['a 20'],
    });
    expect(summary(decided([due('a')], { lately: lately.slice(0, 3) })).messages).toEqual(['email a']);
  });

  it('counts what is told at several targets of a user at once', () => {
    const deliveries = ['w', 'x', 'y', 'z'].map((target) => due(target, { channel: 'web_push', target }));
    expect(summary(decided([...deliveries, due('joe', { userId: 'joe' })]))).toEqual({
      ...NOTHING,
      messages: ['web_push w', 'web_push x', 'web_push y', 'email joe'],
      postponed: ['z 60'],
    });
  });

  it('waits for the end of quiet hours, unless it is critical and may pass them', () => {
    const critical = due('critical', { alert: { ...OPEN, gravity: 4 } });
    const over = due('over', { transition: 'over', alert: { ...OPEN, isOpen: false, gravity: 4 } });
    expect(summary(decided([due('a'), critical, over], { quietHours: QUIET }))).toEqual({
      ...NOTHING,
      postponed: ['a 60', 'over 60'],
      messages: ['email critical'],
    });
    expect(summary(decided([critical], { quietHours: { ...QUIET, criticalPasses: false } }))).toEqual({
      ...NOTHING,
      postponed: ['critical 60'],
    });
    expect(summary(decided([due('a')], { quietHours: { ...QUIET, to: 12 * 60 } })).messages).toEqual([
      'email a',
    ]);
  });

  it('waits for the latest of what it has to wait for', () => {
    const critical = due('critical', { alert: { ...OPEN, gravity: 4 } });
    const state = { quietHours: QUIET, lastMessage: minutes(-1) };
    expect(summary(decided([due('a'), critical], state)).postponed).toEqual(['a 60', 'critical 4']);
    const lately = [minutes(-3), minutes(-2), minutes(-1)];
    const nearlyOver = { ...QUIET, to: 12 * 60 + 10 };
    expect(summary(decided([due('a')], { ...state, lately, quietHours: nearlyOver })).postponed).toEqual([
      'a 57',
    ]);
  });
});

describe('After a failure', () => {
  it('each wait is twice the one before, up to a quarter of an hour, and between half and all of it', () => {
    expect([1, 2, 3, 8, 9, 1000].map((attempts) => backOff(attempts, 1) / 1000)).toEqual([
      5, 10, 20, 640, 900, 900,
    ]);
    expect(backOff(1, 0)).toBe(2_500);
  });
});
