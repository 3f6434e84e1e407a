import { readAlerts } from './alert.js';
import type { Alert } from './alert.js';
import { Announcer } from './announcer.js';
import type { Said } from './announcer.js';
import { ENGLISH } from './texts.js';

function alert(id: string, title: string, severity: string): Alert {
  return readAlerts([{ id, title, severity }])[0]!;
}

const memory = alert('m', 'High memory usage', 'warning');
const disk = alert('d', 'Low disk space', 'info');
const killed = alert('k', 'Session restarted', 'critical');
const none = { opened: [], graver: [], ended: [] };

describe('The announcer', () => {
  let said: Said[];
  let announcer: Announcer;

  beforeEach(() => {
    jest.useFakeTimers();
    said = [];
    announcer = new Announcer(
      () => ({ texts: ENGLISH, language: 'en', now: 0 }),
      (one) => said.push(one),
    );
  });
  afterEach(() => {
    announcer.stop();
    jest.useRealTimers();
  });

  const texts = () => said.map(({ text }) => text);

  it('says news at once, and what is critical so that it interrupts', () => {
    announcer.news({ ...none, opened: [memory] });
    jest.advanceTimersByTime(0);
    expect(said).toEqual([{ text: 'New alert: Warning: High memory usage', urgent: false, news: ['m'] }]);
    jest.advanceTimersByTime(1000);
    announcer.news({ ...none, graver: [killed] });
    jest.advanceTimersByTime(0);
    expect(said[1]).toEqual({ text: 'Now critical: Session restarted', urgent: true, news: ['k'] });
  });

  it('gathers what comes within a second, and says it once', () => {
    announcer.news({ ...none, opened: [memory] });
    jest.advanceTimersByTime(0);
    announcer.news({ ...none, opened: [disk] });
    jest.advanceTimersByTime(300);
    announcer.news({ ...none, opened: [killed], ended: [memory] });
    announcer.say('Something else');
    announcer.say('Something else');
    jest.advanceTimersByTime(699);
    expect(said).toHaveLength(1);
    jest.advanceTimersByTime(1);
    expect(texts()[1]).toBe(
      '2 new alerts: Info: Low disk space; Critical: Session restarted. ' +
        'Alert ended: Warning: High memory usage. Something else',
    );
    expect(said[1]?.urgent).toBe(true);
  });

  it('says nothing of what has come and gone meanwhile', () => {
    announcer.say('First');
    jest.advanceTimersByTime(0);
    announcer.news({ ...none, opened: [memory] });
    announcer.news({ ...none, ended: [memory] });
    jest.advanceTimersByTime(1000);
    expect(texts()).toEqual(['First']);
  });

  it('says the same a second time in other characters, which are not heard', () => {
    for (let time = 0; time < 3; time += 1) {
      announcer.news({ ...none, opened: [memory] });
      jest.advanceTimersByTime(1000);
    }
    const [first, second, third] = texts() as [string, string, string];
    expect(second).not.toBe(first);
    expect(third).not.toBe(second);
    expect([second.trim(), third.trim()]).toEqual([first, first]);
  });

  it('names three of many', () => {
    const many = [1, 2, 3, 4, 5].map((n) => alert(`${n}`, `Job ${n}`, 'info'));
    announcer.news({ ...none, opened: many });
    jest.advanceTimersByTime(0);
    expect(texts()).toEqual(['5 new alerts: Info: Job 1; Info: Job 2; Info: Job 3']);
  });

  it('takes back what it said after a while', () => {
    announcer.say('Here');
    jest.advanceTimersByTime(10_000);
    expect(texts()).toEqual(['Here', '']);
  });
});
