import { Injectable } from '@nestjs/common';
import { AlertsDatabase } from '../database/alerts-database.js';

/** Reads and writes when the watchdog alert last came. */
@Injectable()
export class FeedRepository {
  constructor(private readonly database: AlertsDatabase) {}

  /** Notes that the watchdog alert came. */
  async record(): Promise<void> {
    await this.database.run((now) => ({
      text: `
        INSERT INTO session_alerts.feed AS feed (id, last_seen) VALUES (1, $1)
        ON CONFLICT (id) DO UPDATE SET last_seen = greatest(feed.last_seen, excluded.last_seen)`,
      values: [now],
    }));
  }

  /** When the watchdog alert last came, and the moment of asking. */
  async read(): Promise<{ lastSeen: Date | null; now: Date }> {
    const { now, rows } = await this.database.readAt([
      {
        text: `
          SELECT (extract(epoch FROM last_seen) * 1000)::bigint AS "lastSeen"
            FROM session_alerts.feed WHERE id = 1`,
      },
    ]);
    const [row] = rows[0] as { lastSeen: string }[];
    return { lastSeen: row ? new Date(Number(row.lastSeen)) : null, now };
  }
}
