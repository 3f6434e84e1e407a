import { Logger } from '@nestjs/common';
import type { AlertRow } from '../alerts/alerts.dto.js';
import type { AlertsMetrics } from '../metrics/alerts-metrics.service.js';
import { alertsSettings } from '../options/alerts-settings.js';
import { RetryLaterError } from './alert-channel.js';
import type { AlertChannel } from './alert-channel.js';
import type { AlertChannels } from './alert-channels.service.js';
import type { ClaimedMessage, DeliveryRepository, MessageContents } from './delivery.repository.js';
import { DeliveryService } from './delivery.service.js';
import type { Ending } from './delivery.statements.js';

const T0 = Date.parse('2026-11-27T12:00:00Z');
const SECOND = 1_000;

function alertOf(id: string, more: Partial<AlertRow> = {}): MessageContents['alerts'][number] {
  const alert = { id, creation_date: new Date(T0), resolved_date: null, ...more } as AlertRow;
  return { transition: 'opened', alert, gravity: 2 };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('What tells people outside of the page', () => {
  let now: number;
  let waiting: Map<string, string[]>;
  let alerts: MessageContents['alerts'];
  const endings: { id: string; ending: Ending }[] = [];
  let service: DeliveryService | undefined;

  const repository = {
    now: () => Promise.resolve(new Date(now)),
    isAnythingDue: () => Promise.resolve(false),
    claim: (_now: Date, { channel }: { channel: string }): Promise<ClaimedMessage[]> => {
      const ids = waiting.get(channel) ?? [];
      waiting.delete(channel);
      const of = { userId: 'jane', channel, target: '', attempts: 1, createdDate: new Date(T0) };
      return Promise.resolve(ids.map((id) => ({ id, ...of })));
    },
    listContents: (messages: ClaimedMessage[]) =>
      Promise.resolve(
        new Map(
          messages.map(({ id }): [string, MessageContents] => [
            id,
            { alerts, details: {}, locale: undefined, beganWith: undefined },
          ]),
        ),
      ),
    end: ({ id }: ClaimedMessage, ending: Ending) => {
      endings.push({ id, ending });
      return Promise.resolve();
    },
  };

  beforeEach(() => {
    jest.useFakeTimers({ now: T0 });
    jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    now = T0;
    alerts = [alertOf('a')];
    waiting = new Map();
    endings.length = 0;
  });
  afterEach(async () => {
    const ended = service?.beforeApplicationShutdown();
    await jest.advanceTimersByTimeAsync(60 * SECOND);
    await ended;
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  function start(...channels: AlertChannel[]): void {
    service = new DeliveryService(
      alertsSettings({ auth: { issuer: 'https://issuer.example' } }),
      repository as unknown as DeliveryRepository,
      { all: channels, areThere: true } as unknown as AlertChannels,
      { counter: () => ({ inc: () => undefined }), addGauge: () => undefined } as unknown as AlertsMetrics,
    );
    service.onApplicationBootstrap();
  }

  it('keeps no channel waiting for another that hangs', async () => {
    // What waits between two looks is none of Jest's timers.
    jest.useRealTimers();
    let release: (() => void) | undefined;
    waiting.set('slow', ['one']).set('quick', ['two']);
    start(
      {
        name: 'slow',
        send: () =>
          new Promise((resolve) => {
            release = resolve;
          }),
      },
      { name: 'quick', send: () => Promise.resolve() },
    );
    const told = (): string[] => endings.map(({ id }) => id);
    await until(() => told().includes('two'));
    waiting.set('quick', ['three']);
    await until(() => told().includes('three'));
    expect(told()).toEqual(['two', 'three']);
    release?.();
    await until(() => told().includes('one'));
    jest.useFakeTimers();
  });

  it('ends in time what hangs', async () => {
    waiting.set('slow', ['one']);
    start({ name: 'slow', send: () => new Promise(() => undefined) });
    await jest.advanceTimersByTimeAsync(31 * SECOND);
    expect(endings).toMatchObject([{ ending: { state: 'waiting', reason: 'it has taken more than 30 s' } }]);
  });

  it('waits from when an attempt has failed', async () => {
    waiting.set('late', ['one']);
    start({
      name: 'late',
      send: () => {
        now += 25 * SECOND;
        return Promise.reject(new RetryLaterError('not now', 10));
      },
    });
    await jest.advanceTimersByTimeAsync(SECOND);
    const [{ ending }] = endings as [(typeof endings)[number]];
    expect(ending).toMatchObject({ state: 'waiting', reason: 'not now' });
    expect('nextTry' in ending && ending.nextTry.getTime()).toBeGreaterThanOrEqual(T0 + 35 * SECOND);
  });

  it('tells what is still of use, and notes nothing else as told', async () => {
    alerts = [
      alertOf('open'),
      alertOf('seen', { seen_date: new Date(T0) }),
      alertOf('ended', { resolved_date: new Date(T0) }),
      alertOf('muted', { muted_until: new Date(T0 + SECOND * 3600) }),
    ];
    waiting.set('one', ['message']);
    const sent: string[][] = [];
    start({
      name: 'one',
      send: (message) => {
        sent.push(message.alerts.map(({ alert }) => alert.id));
        return Promise.resolve();
      },
    });
    await jest.advanceTimersByTimeAsync(SECOND);
    expect(sent).toEqual([['open']]);
    expect(endings).toEqual([{ id: 'message', ending: { state: 'sent', alertIds: ['open'] } }]);
  });

  it.each([
    [
      'throws at once',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])('goes on where a channel %s', async (_how, send) => {
    waiting.set('one', ['message']);
    start({ name: 'one', send: send });
    await jest.advanceTimersByTimeAsync(SECOND);
    expect(endings).toMatchObject([{ ending: { state: 'waiting', reason: 'broken' } }]);
  });
});
