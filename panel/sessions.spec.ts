import { readAlerts } from './alert.js';
import { bySession, sessionAddress } from './sessions.js';

describe('Alerts of several sessions', () => {
  it('are grouped, the session with the gravest first', () => {
    const alerts = readAlerts(
      [
        ['a', 's-2'],
        ['b', 's-1'],
        ['c', undefined],
        ['d', 's-2'],
        ['e', 's-1'],
      ].map(([id, session]) => ({ id, title: 'x', session_name: session })),
    );
    expect(
      bySession(alerts).map(({ session, alerts: of }) => [session, of.map(({ id }) => id).join('')]),
    ).toEqual([
      ['s-2', 'ad'],
      ['s-1', 'be'],
      [undefined, 'c'],
    ]);
    expect(bySession([])).toEqual([]);
  });

  describe('have pages', () => {
    beforeAll(() => {
      Object.assign(globalThis, { document: { baseURI: 'https://a.example/x/' } });
    });

    it.each([
      ['/sessions/{session}', 's-1', '/sessions/s-1'],
      ['https://b.example/?s={session}#{session}', 'a b/c', 'https://b.example/?s=a%20b%2Fc#a%20b%2Fc'],
      ['', 's-1', undefined],
      ['javascript:go("{session}")', 's-1', undefined],
      ['{session}', 'javascript:alert(1)', 'javascript%3Aalert(1)'],
      ['http://[', 's-1', undefined],
    ])('by the template %j', (template, session, expected) => {
      expect(sessionAddress(template, session)).toBe(expected);
    });
  });
});
