import { PayloadTooLargeException, UnprocessableEntityException } from '@nestjs/common';
import { ALERTMANAGER, GRAFANA } from './senders.js';
import { parseWebhookBody } from './webhook-body.js';

describe('The body of a webhook', () => {
  function refusalOf(body: unknown, sender = ALERTMANAGER): unknown {
    try {
      parseWebhookBody(body, sender);
      return undefined;
    } catch (error) {
      expect(error).toBeInstanceOf(UnprocessableEntityException);
      return (error as UnprocessableEntityException).getResponse();
    }
  }

  it('is taken with who posts it, and what was left out', () => {
    const alerts = [1, 2];
    const body = { version: '4', alerts, truncatedAlerts: 3, receiver: 'R', externalURL: 'U' };
    const payload = parseWebhookBody(body, ALERTMANAGER);
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
      const { truncatedAlerts, receiver, externalUrl } = parseWebhookBody(
        { version, alerts: [], ...more },
        ALERTMANAGER,
      );
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

  it.each([
    ["Grafana's", ALERTMANAGER, '1', '/webhooks/grafana'],
    ["Alertmanager's", GRAFANA, '4', '/webhooks/alertmanager'],
  ])('is told the right address where it is %s at that of the other', (whose, sender, version, address) => {
    expect(refusalOf({ version, alerts: [] }, sender)).toEqual({
      message: 'The request does not fit',
      detail: `version is "${version}", as in ${whose} webhook: post that to ${address}`,
    });
  });

  it('is of the version of its sender, or of none that it tells', () => {
    for (const version of ['1', undefined]) {
      expect(parseWebhookBody({ version, alerts: [] }, GRAFANA).alerts).toEqual([]);
    }
    expect(refusalOf({ version: '2', alerts: [] }, GRAFANA)).toMatchObject({
      detail: 'version must be "1": other versions of Grafana\'s webhook are not known',
    });
    expect(JSON.stringify(refusalOf([], GRAFANA))).toContain("the JSON object of Grafana's webhook");
  });

  it('may hold half a million alerts', () => {
    const alerts = Array.from({ length: 500_000 }, () => 0);
    expect(parseWebhookBody({ version: '4', alerts }, ALERTMANAGER).alerts).toHaveLength(500_000);
    alerts.push(0);
    expect(() => parseWebhookBody({ version: '4', alerts }, ALERTMANAGER)).toThrow(PayloadTooLargeException);
  });
});
