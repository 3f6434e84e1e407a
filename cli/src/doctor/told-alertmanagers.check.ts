import { setTimeout as pause } from 'node:timers/promises';
import { AlertmanagerClient, recordOf, textOf } from 'nestjs-session-alerts/operations';
import type { Examination } from './check.js';
import { reasonOf, shown } from './neighbours.js';

/** How often, and with what in between (ms), a thing must be missing before it is: it may be on its way. */
const LOOKS = 3;
const PAUSE = 2_000;
/** How long (ms) one that Prometheus names may take to say who it is. */
const LONGEST_WAIT = 5_000;

/** The labels of an alert, as its sender has it. */
type FiredLabels = Record<string, unknown>;

/** One that Prometheus tells, beside those that doctor asks. */
interface Told {
  url: string;
  /** Undefined where it cannot be asked from here. */
  isOurs: boolean | undefined;
}

/**
 * What Prometheus fires is in each of the Alertmanagers that the server asks.
 * @param urls of all that it sends to
 * @param fired what it fires now
 */
export async function checkArrival(
  examination: Examination,
  urls: string[],
  fired: () => Promise<FiredLabels[]>,
): Promise<void> {
  const check = 'prometheus.delivery';
  const { alertmanagers } = examination.settings;
  if (alertmanagers.length === 0) return;
  const firing = await fired();
  if (firing.length === 0) {
    examination.skip(check, 'because Prometheus fires nothing for us now');
    return;
  }
  const lacking: { url: string; missing: number }[] = [];
  try {
    for (const options of alertmanagers) {
      const missing = await missingIn(examination, new AlertmanagerClient(options), firing, fired);
      if (missing > 0) lacking.push({ url: options.url, missing });
    }
  } catch (error) {
    examination.skip(check, `because Alertmanager does not say what it holds: ${reasonOf(error)}`);
    return;
  }
  if (lacking.length === 0) {
    examination.ok(check, `What Prometheus fires for us is in Alertmanager: ${firing.length}`);
    return;
  }
  const isNowhere =
    lacking.length === alertmanagers.length && lacking.every(({ missing }) => missing === firing.length);
  const lacks = lacking.map(({ url, missing }) => `${shown(url)} lacks ${missing}`).join(', ');
  const message = `Of the alerts that Prometheus fires for us (${firing.length}), ${lacks}; it sends to ${urls.map(shown).join(', ')}`;
  const mend =
    'Name this Alertmanager in alerting.alertmanagers of prometheus.yml (with the operator: spec.alerting), or give doctor and ALERTMANAGER_URLS the one that is named there; where it has just started, run doctor again in two minutes';
  if (isNowhere) examination.wrong(check, message, mend);
  else examination.warn(check, message, mend);
}

/**
 * Those that Prometheus sends to are those that the server asks. Addresses may differ where the Alertmanager is the
 * same; what it says of its own start does not.
 * @param urls of all that Prometheus sends to
 */
export async function checkAddressees(examination: Examination, urls: string[]): Promise<void> {
  const check = 'prometheus.alertmanagers';
  const { alertmanagers } = examination.settings;
  const fault = examination.faultIn('prometheus.delivery');
  if (fault) {
    examination.skip(check, `because of what is wrong with ${fault.check}`);
    return;
  }
  const ours = alertmanagers.map(({ url }) => shown(url)).join(', ');
  const told = alertmanagers.length === 0 ? [] : await compared(examination, urls);
  const strangers = told.filter(({ isOurs }) => isOurs === false);
  const unknown = told.filter(({ isOurs }) => isOurs === undefined);
  if (strangers.length > 0) {
    examination.warn(
      check,
      `Prometheus sends alerts to ${shownAll(strangers)}, as far as can be seen none of those that doctor knows (${ours}): what is posted here from there is not reconciled, and faults there are not seen here`,
      'Add its address to ALERTMANAGER_URLS (and here to --alertmanager-url), or take it out of alerting.alertmanagers of prometheus.yml',
    );
  } else if (unknown.length > 0 && urls.length > alertmanagers.length) {
    examination.warn(
      check,
      `Prometheus sends alerts to ${urls.length} Alertmanagers (${urls.map(shown).join(', ')}), and doctor knows ${alertmanagers.length} (${ours}): one that is not known may post here too, and is not reconciled with`,
      'Name each of them in ALERTMANAGER_URLS (and here in --alertmanager-url), by an address of its own',
    );
  } else {
    const maybe =
      unknown.length > 0 ? `; from here ${shownAll(unknown)} cannot be compared with ${ours}` : '';
    examination.ok(check, `Alerts go to ${urls.map(shown).join(', ')}${maybe}`);
  }
}

/** How many that fire it lacks, however often one looks; what has ended meanwhile it may lack. */
async function missingIn(
  examination: Examination,
  client: AlertmanagerClient,
  firing: FiredLabels[],
  fired: () => Promise<FiredLabels[]>,
): Promise<number> {
  let missing = firing;
  for (let look = 1; ; look += 1) {
    const held = await heldBy(examination, client);
    missing = missing.filter((labels) => !held.has(identityOf(labels)));
    if (missing.length === 0 || look === LOOKS) return missing.length;
    await pause(PAUSE, undefined, { signal: examination.signal });
    const still = new Set((await fired()).map(identityOf));
    missing = missing.filter((labels) => still.has(identityOf(labels)));
  }
}

/** Whether each of them is one of ours, as far as they say. */
async function compared(examination: Examination, urls: string[]): Promise<Told[]> {
  const { alertmanagers } = examination.settings;
  const known = new Set(alertmanagers.map(({ url }) => plain(url)));
  const starts = await Promise.all(
    alertmanagers.map((options) => startOf(examination, new AlertmanagerClient(options))),
  );
  return Promise.all(
    urls.map(async (url) => {
      if (known.has(plain(url))) return { url, isOurs: true };
      const start = await startOf(examination, new AlertmanagerClient({ url }));
      if (start === undefined) return { url, isOurs: undefined };
      if (starts.includes(start)) return { url, isOurs: true };
      return { url, isOurs: starts.includes(undefined) ? undefined : false };
    }),
  );
}

/** No two have started within the same millisecond; undefined where it cannot be asked. */
async function startOf({ signal }: Examination, client: AlertmanagerClient): Promise<number | undefined> {
  const aborter = new AbortController();
  const abort = (): void => {
    aborter.abort();
  };
  // Prometheus names those beside it by addresses of the cluster, which lead nowhere from outside.
  const timer = setTimeout(abort, LONGEST_WAIT);
  signal.addEventListener('abort', abort);
  try {
    return (await client.status(aborter.signal)).startedAt;
  } catch {
    // It may be out of reach from here, or ask for a login that doctor has not got.
    return undefined;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

/** The alerts for us in one Alertmanager, withheld or not. */
async function heldBy(examination: Examination, client: AlertmanagerClient): Promise<Set<string>> {
  const { watchdog } = examination.settings;
  const filters = ['purpose="renku-session"', `alertname=${JSON.stringify(watchdog.alertname)}`];
  const lists = await Promise.all(filters.map((filter) => client.alerts([filter], examination.signal)));
  return new Set(lists.flat().map(({ labels }) => identityOf(recordOf(labels))));
}

/** Others of its labels may be changed on the way (`external_labels`, `alert_relabel_configs`). */
function identityOf({ alertname, safe_username: user, statefulset: session }: FiredLabels): string {
  return JSON.stringify([alertname, user, session].map(textOf));
}

function plain(url: string): string {
  return new URL(url).href.replace(/\/+$/, '');
}

function shownAll(told: Told[]): string {
  return told.map(({ url }) => shown(url)).join(', ');
}
