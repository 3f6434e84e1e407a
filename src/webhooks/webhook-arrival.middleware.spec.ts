import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AlertsService } from '../alerts/alerts.service.js';
import { WritesFullError } from '../alerts/shared-writes.js';
import { DatabaseClock } from '../clock/database-clock.js';
import { TrustedClock } from '../clock/trusted-clock.js';
import type { AccessService } from '../auth/access.service.js';
import type { CountedBodies } from '../http/counted-bodies.js';
import type { AlertsMetrics } from '../metrics/alerts-metrics.service.js';
import type { AlertsSettings } from '../options/alerts-settings.js';
import { takeArrival, WebhookArrivalMiddleware } from './webhook-arrival.middleware.js';

const MEGABYTE = 1024 * 1024;

/** A request whose body has so many bytes, as far as the middleware looks at it. */
class Posted extends EventEmitter {
  readonly method = 'POST';
  readonly url = '/webhooks/alertmanager';
  readonly headers = { 'content-type': 'application/json', 'content-length': '2' };
  readonly socket = Object.assign(new EventEmitter(), { bytesRead: 1_000, destroyed: false });
  readonly response = Object.assign(new EventEmitter(), {
    destroyed: false,
    statusCode: 200,
    writableFinished: true,
  });

  constructor(readonly bytes: number) {
    super();
  }

  get asRequest(): IncomingMessage {
    return this as unknown as IncomingMessage;
  }

  /** All of it has come: so many bytes. */
  end(bytes: number): void {
    this.socket.bytesRead += bytes;
    this.emit('end');
  }

  answered(statusCode = 200, writableFinished = true): void {
    Object.assign(this.response, { statusCode, writableFinished });
    this.response.emit('close');
  }
}

describe('A webhook that arrives', () => {
  const observed: [labels: object, seconds: number][] = [];
  const admit = jest.fn<Promise<void>, [unknown, string]>();
  let alerts: { isFull: boolean };
  let middleware: WebhookArrivalMiddleware;

  beforeEach(() => {
    observed.length = 0;
    admit.mockReset().mockResolvedValue(undefined);
    alerts = { isFull: false };
    middleware = new WebhookArrivalMiddleware(
      { auth: { issuer: 'https://issuer.example' } } as unknown as AlertsSettings,
      { admit } as unknown as AccessService,
      {
        mostBytesOf: (request: unknown) => (request as Posted).bytes,
        limitBytes: () => undefined,
        limitValues: () => undefined,
      } as unknown as CountedBodies,
      alerts as unknown as AlertsService,
      {
        webhookDuration: { observe: (labels: object, seconds: number) => observed.push([labels, seconds]) },
      } as unknown as AlertsMetrics,
      new TrustedClock(new DatabaseClock()),
    );
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** Whether it was let through. */
  async function pass(posted: Posted): Promise<boolean> {
    const next = jest.fn();
    const response = posted.response as unknown as ServerResponse;
    try {
      await middleware.use(posted.asRequest, response, next);
    } catch (error) {
      expect(error).toBeInstanceOf(WritesFullError);
      posted.answered(503);
    }
    return next.mock.calls.length === 1;
  }

  it('is let through by those who may post', async () => {
    expect(await pass(new Posted(10))).toBe(true);
    expect(admit.mock.calls).toEqual([[expect.any(Posted), 'alertmanager']]);
  });

  it('is refused where so much waits to be stored already, which is counted', async () => {
    alerts.isFull = true;
    expect(await pass(new Posted(10))).toBe(false);
    expect(observed).toEqual([[{ outcome: 'overloaded' }, 0]]);
    alerts.isFull = false;
    expect(await pass(new Posted(10))).toBe(true);
  });

  it('of any size may be under way alone, and beside others up to 40 MB in all', async () => {
    const large = new Posted(100 * MEGABYTE);
    expect(await pass(large)).toBe(true);
    expect(await pass(new Posted(1))).toBe(false);
    large.answered();
    const most = new Posted(39 * MEGABYTE);
    expect(await pass(most)).toBe(true);
    expect(await pass(new Posted(MEGABYTE + 1))).toBe(false);
    const last = new Posted(MEGABYTE);
    expect(await pass(last)).toBe(true);
    expect(await pass(new Posted(1))).toBe(false);
    most.answered();
    last.answered();
    // What was refused, or answered twice, leaves nothing behind and takes nothing away.
    last.answered();
    expect(await pass(new Posted(40 * MEGABYTE))).toBe(true);
    expect(await pass(new Posted(1))).toBe(false);
  });

  it('weighs what it might when it did not say, and what it does once it has come', async () => {
    const unannounced = new Posted(32 * MEGABYTE);
    expect(await pass(unannounced)).toBe(true);
    expect(await pass(new Posted(9 * MEGABYTE))).toBe(false);
    unannounced.end(MEGABYTE);
    const room = 39 * MEGABYTE - 64 * 1024;
    expect(await pass(new Posted(room + 1))).toBe(false);
    const other = new Posted(room);
    expect(await pass(other)).toBe(true);
    other.answered();
    unannounced.answered();
    const whole = new Posted(40 * MEGABYTE);
    expect(await pass(whole)).toBe(true);
    // Of what came with others on its connection no more counts than it said.
    whole.end(80 * MEGABYTE);
    whole.answered();
    expect(await pass(new Posted(40 * MEGABYTE))).toBe(true);
    expect(await pass(new Posted(1))).toBe(false);
  });

  it('arrived when it came, and now where nobody noted it', async () => {
    const now = jest.spyOn(performance, 'now').mockReturnValue(5_000);
    const posted = new Posted(10);
    await pass(posted);
    now.mockReturnValue(9_000);
    expect(takeArrival(posted.asRequest)).toBe(5_000);
    expect(takeArrival(posted.asRequest)).toBe(9_000);
  });

  it.each<[status: number, finished: boolean, taken: boolean, counted: boolean]>([
    [413, true, false, true],
    [415, true, false, true],
    [422, true, false, true],
    [401, true, false, false],
    [403, true, false, false],
    [200, true, false, false],
    [422, false, false, false],
    [422, true, true, false],
  ])(
    'and is answered %d (sent: %s, taken: %s) counts as refused: %s',
    async (status, finished, taken, counted) => {
      const now = jest.spyOn(performance, 'now').mockReturnValue(5_000);
      const posted = new Posted(10);
      await pass(posted);
      if (taken) takeArrival(posted.asRequest);
      now.mockReturnValue(7_000);
      posted.answered(status, finished);
      expect(observed).toEqual(counted ? [[{ outcome: 'refused' }, 2]] : []);
    },
  );
});
