import type { IncomingMessage } from 'node:http';
import { fieldsOfLine } from './log-fields.js';
import { OnceAMinute } from './once-a-minute.js';
import { inTraceOf } from './trace-context.js';

describe('Lines of which there is one a minute and reason', () => {
  let lines: OnceAMinute;
  let written: string[];

  beforeEach(() => {
    jest.useFakeTimers();
    written = [];
    lines = new OnceAMinute((line) => written.push(line));
  });
  afterEach(() => jest.useRealTimers());

  function say(reason: string, count?: number): void {
    lines.say(reason, (sum) => `${sum} ${reason}`, count);
  }

  it('are written at once where there was none for a minute', () => {
    say('no_user', 3);
    expect(written).toEqual(['3 no_user']);
  });

  it('stand for all of the minute before', () => {
    for (let time = 0; time < 1000; time++) say('no_user', 2);
    expect(written).toEqual(['2 no_user']);
    jest.advanceTimersByTime(60_000);
    expect(written).toEqual(['2 no_user', '1998 no_user']);
    say('no_user');
    jest.advanceTimersByTime(59_999);
    expect(written).toHaveLength(2);
    jest.advanceTimersByTime(1);
    expect(written).toEqual(['2 no_user', '1998 no_user', '1 no_user']);
  });

  it('do not wait for those of another reason', () => {
    say('no_user');
    say('no_session');
    expect(written).toEqual(['1 no_user', '1 no_session']);
  });

  it('are one of several reasons at once, save of those that were said', () => {
    say('no_user');
    lines.sayAll(
      [
        ['no_user', 2],
        ['no_session', 3],
        ['no_title', 4],
      ],
      (counts) => counts.map(([reason, count]) => `${count} ${reason}`).join(', '),
    );
    expect(written).toEqual(['1 no_user', '3 no_session, 4 no_title']);
    jest.advanceTimersByTime(60_000);
    expect(written.slice(2)).toEqual(['2 no_user']);
  });

  it('have as fields what they name, and the trace of the last of those for whom they stand', () => {
    const fields: unknown[] = [];
    lines = new OnceAMinute(() => fields.push(fieldsOfLine()));
    const sayIn = (traceId: string, receiver: string): void => {
      const traceparent = `00-${traceId}-${'1'.repeat(16)}-01`;
      inTraceOf({ headers: { traceparent } } as unknown as IncomingMessage, () => {
        lines.say('no_user', () => ({ message: receiver, fields: { receiver } }));
      });
    };
    const [first = '', second = '', last = ''] = ['a', 'b', 'c'].map((digit) => digit.repeat(32));
    sayIn(first, 'one');
    sayIn(second, 'two');
    sayIn(last, 'three');
    jest.advanceTimersByTime(60_000);
    expect(fields).toEqual([
      { trace_id: first, receiver: 'one' },
      { trace_id: last, receiver: 'three' },
    ]);
    expect(fieldsOfLine()).toEqual({ trace_id: undefined });
  });

  it('are forgotten when there is nothing to say', () => {
    say('no_user');
    jest.advanceTimersByTime(60_000);
    expect(jest.getTimerCount()).toBe(0);
    say('no_user');
    expect(written).toEqual(['1 no_user', '1 no_user']);
  });
});
