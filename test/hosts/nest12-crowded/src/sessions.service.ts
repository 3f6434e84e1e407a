import { Injectable } from '@nestjs/common';
import { AlertsService, FeedHealth } from 'nestjs-session-alerts';
import type { AlertsCaller, Observation } from 'nestjs-session-alerts';

/** Returns what ours return, without naming it: with `declaration`, as Nest's starter has it, all of it needs a name. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly alerts: AlertsService,
    private readonly feed: FeedHealth,
  ) {}

  stop(name: string, userId: string) {
    return this.alerts.resolveForSession(name, userId);
  }

  shown(userId: string) {
    return this.alerts.listOpen(userId);
  }

  counted(userId: string) {
    return this.alerts.readOpen(userId);
  }

  one(id: string, caller: AlertsCaller) {
    return this.alerts.find(id, caller);
  }

  report(observations: Observation[]) {
    return this.alerts.apply(observations);
  }

  async reasons(observations: Observation[]) {
    const outcomes = await this.alerts.preview(observations);
    return outcomes.flatMap((outcome) => (outcome.result === 'ignored' ? [outcome.reason] : []));
  }

  changes() {
    return this.alerts.changes;
  }

  isFed() {
    return this.feed.check();
  }
}
