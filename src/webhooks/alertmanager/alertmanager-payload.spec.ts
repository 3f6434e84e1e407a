import { PayloadTooLargeException, UnprocessableEntityException } from '@nestjs/common';
import { parsePayload } from './alertmanager-payload.js';

describe("The body of Alertmanager's webhook", () => {
  function refusalOf(body: unknown): unknown {
    try {
      parsePayload(body);
      return undefined;
    } catch (error) {
      expect(error).toBeInstanceOf(UnprocessableEntityException);
      return (error as UnprocessableEntityException).getResponse();
    }
  }

  it('is taken with who posts it, and what was left out', () => {
    const alerts = [1, 2];
    const body = { version: '4', alerts, truncatedAlerts: 3, receiver: 'R', externalURL: 'U' };
    const payload = parsePayload(body);
    expect(payload).toEqual({
      alerts: [1, 2],
      truncatedAlerts: 3,
      receiver: 'R',
      externalUrl: 'U',
    });
    expect(payload.alerts).toBe(alerts);
  });

  it.each([
    ['nothing', {}],
    ['nonsense', { truncatedAlerts: '3', receiver: 7, externalURL: null }],
    ['a count below none', { truncatedAlerts: -1 }],
    ['a part of one', { truncatedAlerts: 1.5 }],
    ['a count that no number can tell', { truncatedAlerts: 2 ** 53 }],
  ])('is taken with %s', (_what, more) => {
    for (const version of ['4', undefined]) {
      const { truncatedAlerts, receiver, externalUrl } = parsePayload({ version, alerts: [], ...more });
      expect([truncatedAlerts, receiver, externalUrl]).toEqual([0, '', '']);
    }
  });

  it.each([
    ['null', null],
    ['a list', []],
    ['a text', 'alerts'],
    ['nothing', undefined],
  ])('is no webhook where it is %s', (_what, body) => {
    expect(JSON.stringify(refusalOf(body))).toContain(
      "the body must be the JSON object of Alertmanager's webhook",
    );
  });

  it.each<[what: string, body: object, why: RegExp]>([
    ['another version', { version: '5', alerts: [] }, /^[^;]*version must be \\"4\\": other versions [^;]*$/],
    ['a version that is a number', { version: 4, alerts: [] }, /version must be/],
    ['no alerts', { version: '4' }, /alerts must be an array/],
    ['alerts that are no list', { version: '4', alerts: { length: 0 } }, /alerts must be an array/],
    ['no alerts and no version', {}, /alerts must be an array/],
  ])('is refused with %s', (_what, body, why) => {
    expect(JSON.stringify(refusalOf(body))).toMatch(why);
  });

  it('may hold half a million alerts', () => {
    const alerts = Array.from({ length: 500_000 }, () => 0);
    expect(parsePayload({ version: '4', alerts }).alerts).toHaveLength(500_000);
    alerts.push(0);
    expect(() => parsePayload({ version: '4', alerts })).toThrow(PayloadTooLargeException);
  });
});
