import { Controller, Get, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { AlertsHealth, FeedHealth } from 'nestjs-session-alerts';
import type { AlertsHealthReport } from 'nestjs-session-alerts';
import { paced } from 'nestjs-session-alerts/operations';
import { DatabaseService } from './database.service.js';

/** For probes: `/healthz` says that the process lives, `/readyz` that it can serve. */
@Controller()
@ApiExcludeController()
export class HealthController {
  private readonly check: () => Promise<AlertsHealthReport>;

  constructor(
    private readonly alerts: AlertsHealth,
    private readonly database: DatabaseService,
    private readonly feed: FeedHealth,
  ) {
    // Anybody may ask, as often as they like.
    this.check = paced(() => this.alerts.check(), 0);
  }

  @Get('healthz')
  live() {
    return { status: 'ok' };
  }

  @Get('readyz')
  async ready(@Res({ passthrough: true }) reply: FastifyReply) {
    const { isReady: isMigrated, problems: atStart } = this.database;
    const report = isMigrated ? await this.check() : this.alerts.reportOf(atStart);
    const { problems, hearing, reads, ...checks } = report;
    // They are shown, but no reason to take the server out: it can still serve what it has.
    const feed = await this.feed.check().catch(() => ({ status: 'unknown', last_seen: null }));
    const isReady = Object.values(checks).every((check) => check === 'ok');
    reply.status(isReady ? 200 : 503);
    return { status: isReady ? 'ok' : 'unavailable', checks, problems, hearing, reads, feed };
  }
}
