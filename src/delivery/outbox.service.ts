import { Inject, Injectable } from '@nestjs/common';
import { Departures } from '../alerts/departures.js';
import type { AlertNews, AlertsNews } from '../alerts/departures.js';
import type { Statement } from '../database/statement.js';
import { ALERTS_SETTINGS } from '../options/alerts-settings.js';
import type { AlertsSettings } from '../options/alerts-settings.js';
import { AlertChannels } from './alert-channels.service.js';
import * as statements from './delivery.statements.js';
import type { WantedNews } from './delivery.statements.js';
import { Interest } from './interest.service.js';
import { PagePresence } from './page-presence.service.js';

/** What is to be told leaves with the transaction that it is about: nothing is told that is not kept, and nothing lost. */
@Injectable()
export class Outbox extends Departures {
  constructor(
    @Inject(ALERTS_SETTINGS) private readonly settings: AlertsSettings,
    private readonly channels: AlertChannels,
    private readonly interest: Interest,
    private readonly presence: PagePresence,
  ) {
    super();
  }

  with({ now, news, ended, endedUsers }: AlertsNews): Statement[] {
    const everybody = this.channels.everybodys;
    const muted = news.filter(
      ({ transition, userId }) => transition === 'opened' && this.interest.hasMutes(userId),
    );
    const mutes = muted.length > 0 ? [statements.muteOpened(muted, now)] : [];
    if (!this.channels.areThere) return mutes;
    const isOverWanted =
      everybody !== undefined || endedUsers.some((userId) => this.interest.hasTargets(userId));
    return [
      ...mutes,
      ...this.insertsOf(news, now),
      ...(ended.length > 0 && isOverWanted ? [statements.insertOver(ended, endedUsers, now)] : []),
    ];
  }

  ofErased(userId: string): Statement[] {
    return statements.eraseUser(userId);
  }

  private insertsOf(news: AlertNews[], now: Date): Statement[] {
    const { everybodys } = this.channels;
    const wanted: WantedNews[] = [];
    const unknown: AlertNews[] = [];
    for (const one of news) {
      const targets = this.interest.targetsOf(one.userId);
      if (!targets) unknown.push(one);
      for (const place of everybodys ? [...(targets ?? []), everybodys] : (targets ?? [])) {
        if (place.gravity <= one.gravity) wanted.push({ news: one, ...place });
      }
    }
    const { grace, gather } = this.settings.delivery;
    const soon = new Date(now.getTime() + gather).toISOString();
    const later = new Date(now.getTime() + grace).toISOString();
    const dueDateOf = (userId: string): string => (this.presence.isOpen(userId) ? later : soon);
    return [
      ...(wanted.length > 0 ? [statements.insertWanted(wanted, dueDateOf)] : []),
      ...(unknown.length > 0 ? [statements.insertForTargets(unknown, dueDateOf)] : []),
    ];
  }
}
