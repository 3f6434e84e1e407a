import { Injectable } from '@nestjs/common';
import type { ReportedSeries } from '../../alerts/life.statements.js';
import { AlertsDatabase } from '../../database/alerts-database.js';

/** Which Alertmanagers are asked, and which post here; addresses without a slash at their end. */
export interface AlertmanagersNote {
  /** Those that are asked. What follows counts for these only. */
  addresses: string[];
  /** By what other external URLs they post here. */
  knownAs: string[];
  /** External URLs of those that post here and are not asked. */
  unasked: string[];
}

/** Reads and writes what replicas tell each other about Alertmanagers. */
@Injectable()
export class AskedAlertmanagersRepository {
  constructor(private readonly database: AlertsDatabase) {}

  /** Which series Alertmanagers have reported of late that reconciling may not ask. */
  async listReported(): Promise<Omit<ReportedSeries, 'arrival'>[]> {
    const rows = await this.database.run<{ seriesKey: string; alertmanager: string }>(
      {
        text: `
          SELECT DISTINCT seen.key AS "seriesKey", sightings.alertmanager
            FROM session_alerts.sightings CROSS JOIN unnest(sightings.series) AS seen (key)
           WHERE sightings.alertmanager IS NOT NULL`,
      },
      { joinsMany: true },
    );
    return rows.map(({ seriesKey, alertmanager }) => ({ seriesKey: Number(seriesKey), alertmanager }));
  }

  async read(): Promise<AlertmanagersNote> {
    const [row] = await this.database.query<AlertmanagersNote>({
      text: `
        SELECT to_json(addresses) AS addresses, to_json(known_as) AS "knownAs", to_json(unasked) AS unasked
          FROM session_alerts.reconciling WHERE id = 1`,
    });
    return row ?? { addresses: [], knownAs: [], unasked: [] };
  }

  async note(replica: string, { addresses, knownAs, unasked }: AlertmanagersNote): Promise<void> {
    await this.database.run({
      text: `
        INSERT INTO session_alerts.reconciling (id, replica, last_run, addresses, known_as, unasked)
        VALUES (1, $1::uuid, '-infinity', $2::text[], $3::text[], $4::text[])
        ON CONFLICT (id) DO UPDATE SET addresses = excluded.addresses, known_as = excluded.known_as,
                                       unasked = excluded.unasked`,
      values: [replica, addresses, knownAs, unasked],
    });
  }
}
