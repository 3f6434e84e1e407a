import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from './bench.js';
import { HttpConnection, jsonAs } from './http-connection.js';
import {
  emptyListingFigures,
  listingUsers,
  measureListingRound,
  NOTICE_TIME,
  OPEN_ALERTS,
} from './listing.js';
import type { ListingFigure } from './listing.js';
import { WEBHOOKS } from './load-jobs.js';
import type { User } from './load-jobs.js';
import { rotated, roundsOf } from './rounds.js';
import { comparedServers } from './target-process.js';
import { webhookAbout } from './webhook-bodies.js';
import type { WebhookAlert } from './webhook-bodies.js';

/** So many closed alerts lie behind the open ones of each user. */
const CLOSED_ALERTS = 2;

/** Alerts a webhook. */
const CHUNK = 1_000;

/**
 * Listing beside another revision. Its tables are not known, so that everything comes by webhooks: what is listed, what
 * lies behind it, and what changes it.
 */
export async function measureListingAgainst(bench: Bench): Promise<ListingFigure[]> {
  const { rounds } = bench.options;
  const users = await listingUsers(bench);
  const names = comparedServers(bench.options);
  const databases = await bench.createDatabases('listing', names);
  const figures: ListingFigure[] = [];
  await bench.withServers(
    names,
    (name) => databases.get(name) ?? '',
    async (servers) => {
      const listed = servers.map((server) => {
        const figures = emptyListingFigures(server.name, users.length * CLOSED_ALERTS);
        return { server, figures, alerts: new ListedAlerts(server.url, bench.tokens.webhookToken, users) };
      });
      figures.push(...listed.flatMap((one) => one.figures));
      for (const { server, alerts } of listed) {
        bench.progress.step(`alerts are sent to ${server.name}`);
        await alerts.fill();
      }
      for (const round of roundsOf(rounds)) {
        for (const { server, figures, alerts } of rotated(listed, round)) {
          bench.progress.step(`${round.text}, ${server.name}`, round.number / (rounds + 1));
          const counted = round.isCounted ? figures : emptyListingFigures(server.name, 0);
          await measureListingRound(bench, server, users, () => alerts.change(), counted);
        }
      }
    },
  );
  for (const url of databases.values()) await bench.cluster.dropDatabase(url);
  return figures;
}

/** The alerts of those who list, kept by webhooks. */
class ListedAlerts {
  private changes = 0;

  constructor(
    private readonly url: string,
    private readonly webhookToken: string,
    private readonly users: User[],
  ) {}

  /** Open ones of three sessions each, and closed ones of others. */
  async fill(): Promise<void> {
    for (let session = 0; session < OPEN_ALERTS + CLOSED_ALERTS; session++) {
      await this.post(session, 'firing');
      if (session >= OPEN_ALERTS) await this.post(session, 'resolved');
    }
  }

  /** Each user's first alert says something else, of which the server takes notice. */
  async change(): Promise<void> {
    this.changes += 1;
    await this.post(0, 'firing');
    await sleep(NOTICE_TIME);
  }

  private async post(session: number, status: 'firing' | 'resolved'): Promise<void> {
    const connection = new HttpConnection(this.url);
    for (let first = 0; first < this.users.length; first += CHUNK) {
      const alerts = this.users.slice(first, first + CHUNK).map((user) => this.alertOf(user, session));
      const body = Buffer.from(JSON.stringify(webhookAbout(alerts, status)));
      const answer = await connection.exchange('POST', WEBHOOKS, jsonAs(this.webhookToken), body);
      if (answer.status !== 200) {
        throw new Error(`A webhook was answered ${answer.status} ${answer.text.slice(0, 500)}`);
      }
    }
    await connection.close();
  }

  private alertOf({ id }: User, number: number): WebhookAlert {
    const session = `jane-doe-${id.slice(0, 8)}-${number}`;
    const description =
      `Session ${session} uses ${90 + (this.changes % 10)} % of its memory. At 100 % it is ended and what is not ` +
      'saved is lost: close notebooks and programs that you do not need, or start it again with more.';
    return { user: id, session, description, fingerprint: `${id.slice(0, 8)}0000000${number}` };
  }
}
