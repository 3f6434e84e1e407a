import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { AlertsService } from '../alerts/alerts.service.js';
import { WritesFullError } from '../alerts/shared-writes.js';
import { ALERTS_SETTINGS } from '../options/alerts-settings.js';
import type { AlertsSettings } from '../options/alerts-settings.js';
import { AccessService } from '../auth/access.service.js';
import { TokenFirstMiddleware } from '../auth/token-first.middleware.js';
import { TrustedClock } from '../clock/trusted-clock.js';
import { CountedBodies } from '../http/counted-bodies.js';
import { onceOver } from '../http/once-over.js';
import { checkHead } from '../http/request-head.js';
import { AlertsMetrics } from '../metrics/alerts-metrics.service.js';

/** How many bytes of bodies may be under way or in work at once; one of any size may be alone. */
const MOST_BYTES = 40 * 1024 * 1024;

/** How much of a body may have come before anybody looks (bytes): Node reads so much at a time. */
const READ_AHEAD = 64 * 1024;

/** The answers to bodies that cannot be read; 401 and 403 anybody can have. */
const OF_THE_BODY: ReadonlySet<number> = new Set([413, 415, 422]);

/** When requests arrived that nobody has taken in hand yet. */
const arrivals = new WeakMap<IncomingMessage, number>();

/**
 * Notes when a webhook arrived, before its token is looked at, and refuses who may not post any. What there is
 * no room for is refused as well, before its body costs anything.
 */
@Injectable()
export class WebhookArrivalMiddleware extends TokenFirstMiddleware {
  private bytesUnderWay = 0;

  constructor(
    @Inject(ALERTS_SETTINGS) settings: AlertsSettings,
    access: AccessService,
    bodies: CountedBodies,
    private readonly alerts: AlertsService,
    private readonly metrics: AlertsMetrics,
    clock: TrustedClock,
  ) {
    super(settings, access, bodies, clock);
  }

  override async use(request: IncomingMessage, response: ServerResponse, next: () => void): Promise<void> {
    arrivals.set(request, performance.now());
    const longestBody = await this.admitSender(request);
    const room = { bytes: 0 };
    onceOver(request, response, () => {
      this.bytesUnderWay -= room.bytes;
      room.bytes = 0;
      this.countUntaken(request, response);
    });
    checkHead(request, longestBody);
    this.bodies.limitBytes(request, longestBody);
    this.makeRoom(request, room);
    next();
  }

  /** @returns how many bytes its body may have, as far as that is not the host's to say */
  protected async admitSender(request: IncomingMessage): Promise<number> {
    await this.admit(request, 'alertmanager');
    return Infinity;
  }

  private makeRoom(request: IncomingMessage, room: { bytes: number }): void {
    const bytes = this.bodies.mostBytesOf(request);
    const isTooMuch = this.bytesUnderWay > 0 && this.bytesUnderWay + bytes > MOST_BYTES;
    if (this.alerts.isFull || isTooMuch) {
      this.metrics.webhookDuration.observe({ outcome: 'overloaded' }, 0);
      throw new WritesFullError();
    }
    room.bytes = bytes;
    this.bytesUnderWay += bytes;
    this.bodies.limitValues(request);
    const readBefore = request.socket.bytesRead;
    request.once('end', () => {
      // What did not say its length counted as much as it might have been.
      const weighed = Math.min(room.bytes, request.socket.bytesRead - readBefore + READ_AHEAD);
      this.bytesUnderWay -= room.bytes - weighed;
      room.bytes = weighed;
    });
  }

  /** What was refused before anybody took it, as its body is too large, no JSON or not said to be JSON. */
  private countUntaken(request: IncomingMessage, { statusCode, writableFinished }: ServerResponse): void {
    const arrivedAt = arrivals.get(request);
    if (arrivedAt === undefined || !writableFinished || !OF_THE_BODY.has(statusCode)) return;
    this.metrics.webhookDuration.observe({ outcome: 'refused' }, (performance.now() - arrivedAt) / 1000);
  }
}

/** Takes a request in hand: what becomes of it is for the caller to count. Returns when it arrived (`performance.now()`, ms). */
export function takeArrival(request: IncomingMessage): number {
  const arrivedAt = arrivals.get(request) ?? performance.now();
  arrivals.delete(request);
  return arrivedAt;
}
