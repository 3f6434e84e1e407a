import type { AlertsState } from './alerts-client.js';
import type { ShownState } from './panel.types.js';

/** How far what is known of the alerts can be relied on. */
export interface Freshness {
  state: ShownState;
  /** Whether things may have happened that are not shown. */
  outOfDate: boolean;
  /** Where it is out of date: moment (ms) up to which all is shown, if that is known. */
  since: number | undefined;
}

/**
 * A list is out of date where neither stream nor polling reach the API, and where Prometheus's alerts do not reach the
 * API. A feed that nobody has set up says nothing.
 */
export function freshnessOf({ alerts, connection, trueUntil, feed }: AlertsState): Freshness {
  const isDown = connection === 'down';
  const isStale = feed.status === 'stale';
  if (!isDown && !isStale) return { state: connection, outOfDate: false, since: undefined };
  const moments = [
    isDown ? trueUntil : undefined,
    isStale && feed.last_seen !== null ? Date.parse(feed.last_seen) : undefined,
  ].filter((moment) => moment !== undefined && !Number.isNaN(moment));
  return {
    state: isDown ? 'down' : 'stale',
    // Of what was never known nothing can be out of date.
    outOfDate: alerts !== undefined,
    since: moments.length > 0 ? Math.min(...(moments as number[])) : undefined,
  };
}
