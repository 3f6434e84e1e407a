import { parse } from 'yaml';
import type { ReconcileSettings } from '../options/alerts-settings.js';
import type { FiringObservation } from '../alerts/observation.js';
import { isRecord, recordOf } from '../http/untyped.js';
import type { AlertMapper } from '../webhooks/alert-mapper.service.js';
import { ALERTMANAGER } from '../webhooks/senders.js';
import type { AlertmanagerClient, ListedAlert, ListedStatus } from './alertmanager-client.js';
import { expression, MatcherError, routesOf } from './alertmanager-routing.js';
import type { Labels } from './alertmanager-routing.js';

/** What the Alertmanagers that answered list, by the keys of series. */
export interface Listing {
  /** Every series that fires, also where it is withheld or goes elsewhere. */
  known: Set<number>;
  /** Of these what can be shown. */
  firing: Map<number, FiringObservation>;
  /** What one of them would send to our receiver now. */
  sent: Set<number>;
  /** What a silence holds back, in one of them at least. */
  silenced: Set<number>;
  /** Whether all of them answered and can be believed about what is not listed. */
  isComplete: boolean;
}

export function emptyListing(): Listing {
  return { known: new Set(), firing: new Map(), sent: new Set(), silenced: new Set(), isComplete: true };
}

/**
 * Adds what one Alertmanager lists.
 * @throws Error it cannot be asked, or cannot be believed about what is not listed
 */
export async function addListOf(
  client: AlertmanagerClient,
  mapper: AlertMapper,
  { filter, receiver, settleTime }: ReconcileSettings,
  listing: Listing,
  signal: AbortSignal,
): Promise<void> {
  // Before the lists and after them: a fresh one in its place cannot pass for a settled one.
  const { startedAt, runningFor, cluster, config } = await client.status(signal);
  const muting = new Muting(config, receiver);
  for (const alert of await client.groupedAlerts(filter, receiver, signal)) {
    if (alert.status?.state !== 'active' || muting.holdsBack(alert)) continue;
    const key = keyOf(alert, mapper);
    if (key !== undefined) listing.sent.add(key);
  }
  for (const alert of await client.alerts(filter, signal)) {
    const key = keyOf(alert, mapper);
    if (key === undefined) continue;
    listing.known.add(key);
    if (isSilenced(alert.status)) listing.silenced.add(key);
    const mapped = mapper.map({ ...alert, status: 'firing' }, ALERTMANAGER);
    if ('observation' in mapped && mapped.observation.status === 'firing') {
      listing.firing.set(key, mapped.observation);
    }
  }
  if (runningFor < settleTime) throw new Error('it has just started');
  if (cluster === 'settling') throw new Error('its cluster is settling');
  if ((await client.status(signal)).startedAt !== startedAt) {
    throw new Error('it has restarted meanwhile, or its address leads to several');
  }
}

function keyOf(alert: ListedAlert, mapper: AlertMapper): number | undefined {
  const ending = mapper.map({ ...alert, status: 'resolved' }, ALERTMANAGER);
  return 'observation' in ending ? ending.observation.seriesKey : undefined;
}

function isSilenced(status: ListedStatus | null | undefined): boolean {
  return Array.isArray(status?.silencedBy) && status.silencedBy.length > 0;
}

/**
 * What time intervals hold back. Alertmanager tells it from 0.28 on; of an older one all counts as held back whose
 * routes to our receiver have time intervals at all.
 */
class Muting {
  private root: unknown;

  constructor(
    private readonly config: string,
    private readonly receiver: string | undefined,
  ) {}

  holdsBack({ status, labels }: ListedAlert): boolean {
    if (Array.isArray(status?.mutedBy)) return status.mutedBy.length > 0;
    if (!/time_intervals\b/.test(this.config)) return false;
    try {
      this.root ??= recordOf(parse(this.config))['route'];
      const routes = routesOf(this.root, labelsIn(labels)).filter((route) => this.leadsToUs(route.receiver));
      return routes.every(({ mutedIn, activeIn }) => mutedIn.length + activeIn.length > 0);
    } catch (error) {
      // What cannot be read here may say so.
      if (error instanceof MatcherError) return true;
      throw error;
    }
  }

  private leadsToUs(receiver: string): boolean {
    return this.receiver === undefined || expression(this.receiver).test(receiver);
  }
}

function labelsIn(labels: unknown): Labels {
  const texts = Object.entries(isRecord(labels) ? labels : {}).filter(
    (label): label is [string, string] => typeof label[1] === 'string',
  );
  return Object.fromEntries(texts);
}
