import type { AlertRow } from '../alerts/alerts.dto.js';
import type { ToldAlert } from './alert-channel.js';
import { pushPayload, topicOf } from './push-payload.js';
import type { PushPayload } from './push-payload.js';

function told(spec: Partial<AlertRow> = {}, transition: ToldAlert['transition'] = 'opened'): ToldAlert {
  const alert = { id: 'A', title: 'Disk nearly full', message: 'At 97 %', session_name: 's-1', ...spec };
  return { transition, alert: { severity: 'warning', ...alert } as AlertRow, link: 'https://host/s-1' };
}

function read(alerts: ToldAlert[], locale?: string, longest?: number): PushPayload {
  const text = pushPayload({ id: 'message', alerts, locale }, longest);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(longest ?? 3_000);
  return JSON.parse(text) as PushPayload;
}

describe('What a browser is told', () => {
  const three = ['A', 'B', 'C'].map((id) => told({ id }));

  it.each([
    ['en', '3 alerts', '3 alerts are over', 'Over: '],
    ['de-CH', '3 Meldungen', '3 Meldungen sind vorbei', 'Vorbei: '],
    ['fr_CH', '3 alertes', '3 alertes terminées', 'Terminée : '],
    ['IT', '3 avvisi', '3 avvisi terminati', 'Terminato: '],
    [undefined, '3 alerts', '3 alerts are over', 'Over: '],
    ['constructor', '3 alerts', '3 alerts are over', 'Over: '],
  ])('is in the language of its user: %s', (locale, many, allOver, over) => {
    const ended = three.map(({ alert }) => told(alert, 'over'));
    expect(read(three, locale).title).toBe(many);
    expect(read(ended, locale).title).toBe(allOver);
    expect(read(ended.slice(1, 2), locale).title).toBe(`${over}\u2068Disk nearly full\u2069`);
  });

  it.each([
    [1, 'en', 'and 1 more'],
    [2, 'en', 'and 2 more'],
    [1, 'de', 'und 1 weitere'],
    [1, 'fr', 'et une autre'],
    [2, 'fr', 'et 2 autres'],
    [1, 'it', 'e un altro'],
    [2, 'it', 'e altri 2'],
  ])('names five, and counts the others: %i in %s', (more, locale, line) => {
    const alerts = Array.from({ length: 5 + more }, (_, index) => told({ id: String(index) }));
    const lines = read(alerts, locale).body.split('\n');
    expect(lines).toEqual([...Array.from({ length: 5 }, () => 'Disk nearly full · s-1'), line]);
  });

  it('tells what has begun before what is over', () => {
    const { title, body, transition } = read([told(), told({ id: 'B', title: 'Memory' }, 'over')]);
    expect([title, body, transition]).toEqual([
      'Disk nearly full',
      's-1 · At 97 %\nOver: \u2068Memory\u2069',
      'opened',
    ]);
  });

  it('is one line without marks of Markdown', () => {
    const message = '**Volume** `data_a_b`\n\nis full: [what to do](https://host/x)\u0000';
    expect(read([told({ message })]).body).toBe('s-1 · Volume data_a_b is full: what to do');
  });

  it('is cut where a character ends, with a mark', () => {
    const family = '\u{1F468}\u200D\u{1F469}\u200D\u{1F467}';
    const { title } = read([told({ title: family.repeat(40) })]);
    expect(title).toMatch(/…$/);
    expect(title.slice(0, -1).replaceAll(family, '')).toBe('');
  });

  it.each([3_000, 1_000])('has at most %i bytes, whatever the alerts say', (longest) => {
    for (const text of ['"', '\\', '\u0001', '\u2028', 'ب', '😀', '\uD800', 'x', ' ']) {
      const long = text.repeat(20_000);
      const alert = told({ title: long, message: long, session_name: long.slice(0, 255), severity: long });
      const link = `https://host/${'%D8'.repeat(400)}`;
      const { url } = read(
        [
          { ...alert, link },
          { ...alert, transition: 'over' },
        ],
        'fr',
        longest,
      );
      expect(url).toBe(longest === 3_000 ? link : undefined);
      read(
        Array.from({ length: 200 }, () => ({ ...alert, link })),
        'it',
        longest,
      );
    }
  });

  it('replaces what tells of the same alerts, in whatever order, and nothing else', () => {
    const [a, b] = three as [ToldAlert, ToldAlert];
    const over = told({ id: 'B' }, 'over');
    expect(topicOf({ alerts: [a, b] })).toBe(topicOf({ alerts: [over, a] }));
    expect(topicOf({ alerts: [a] })).not.toBe(topicOf({ alerts: [a, b] }));
    expect(topicOf({ alerts: [a] })).toMatch(/^[\w-]{32}$/);
  });
});
