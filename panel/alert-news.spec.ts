import { readAlerts } from './alert.js';
import type { Alert } from './alert.js';
import { AlertNews } from './alert-news.js';

/** An alert that opened in that minute, and became graver in another. */
function alert(id: string, opened: number, graver?: number): Alert {
  const minute = (count: number): string => `2026-11-22T05:0${count}:00.000Z`;
  return readAlerts([
    { id, title: 'x', creation_date: minute(opened), ...(graver && { escalated_date: minute(graver) }) },
  ])[0]!;
}

/** The ids of what is news: opened `+`, graver `!`, ended `-`. */
function take(news: AlertNews, alerts: Alert[], total = alerts.length): string[] {
  const { opened, graver, ended } = news.take(alerts, total);
  return [
    ...opened.map(({ id }) => `+${id}`),
    ...graver.map(({ id }) => `!${id}`),
    ...ended.map(({ id }) => `-${id}`),
  ];
}

describe('News', () => {
  it('is what opens, becomes graver and ends', () => {
    const news = new AlertNews();
    expect(take(news, [alert('a', 1)])).toEqual(['+a']);
    expect(take(news, [alert('b', 2), alert('a', 1)])).toEqual(['+b']);
    expect(take(news, [alert('a', 1, 3), alert('b', 2)])).toEqual(['!a']);
    expect(take(news, [alert('a', 1, 3), alert('b', 2)])).toEqual([]);
    expect(take(news, [alert('b', 2)])).toEqual(['-a']);
  });

  it('is nothing that only leaves the first of very many, or comes among them', () => {
    const news = new AlertNews();
    expect(take(news, [alert('b', 2), alert('a', 1)], 3)).toEqual(['+b', '+a']);
    expect(take(news, [alert('grave', 4), alert('b', 2)], 4)).toEqual(['+grave']);
    expect(take(news, [alert('b', 2), alert('a', 1)], 3)).toEqual([]);
    // Now all are listed, and what is missing has ended.
    expect(take(news, [alert('a', 1), alert('older', 0)], 2)).toEqual(['-b']);
    expect(take(news, [alert('older', 0)])).toEqual(['-a']);
  });

  it('is what became graver or opened since, wherever it was before', () => {
    const news = new AlertNews();
    take(news, [alert('b', 2), alert('a', 1)], 3);
    expect(take(news, [alert('unlisted', 0, 3), alert('b', 2)], 3)).toEqual(['+unlisted']);
    expect(take(news, [alert('unlisted', 0, 3), alert('b', 2, 4)], 3)).toEqual(['!b']);
  });

  it("is not that another person's alerts have gone", () => {
    const news = new AlertNews();
    take(news, [alert('b', 2)], 2);
    news.reset();
    expect(take(news, [alert('a', 1)])).toEqual(['+a']);
  });
});
