import { Inject, Injectable, Logger } from '@nestjs/common';
import { ALERTS_SETTINGS } from '../../options/alerts-settings.js';
import type { AlertsSettings } from '../../options/alerts-settings.js';
import { storable } from '../../alerts/text.js';
import { withFields } from '../../http/log-fields.js';
import { AlertsMetrics } from '../../metrics/alerts-metrics.service.js';
import { ALERTMANAGER, SENDERS } from '../senders.js';
import type { Sender } from '../senders.js';
import { AskedAlertmanagersRepository } from './asked-alertmanagers.repository.js';
import type { AlertmanagersNote } from './asked-alertmanagers.repository.js';

const LONGEST_URL = 200;
/** How many that are not asked are told by name. */
const MOST_UNASKED = 20;
/** Of so many series that it reported those that are asked must list all but one. */
const SHARE_KNOWN = 10;

/** Of what one Alertmanager reported and still fires here: how much those that are asked list, and how much not. */
interface Evidence {
  listed: number;
  missing: number;
}

/**
 * Which of the Alertmanagers that post here reconciling asks. Alertmanager tells its external URL with what it posts
 * and nowhere else; it may differ from the address at which it is asked. So that also counts as asked of which those
 * that are asked list what it has reported.
 */
@Injectable()
export class AskedAlertmanagers {
  private readonly logger = new Logger(AskedAlertmanagers.name);
  /** Empty where nothing is reconciled. */
  private readonly addresses: string[];
  private knownAs: ReadonlySet<string> = new Set();
  private unasked: string[] = [];
  /** Those that were in doubt when the lists were last compared. */
  private doubtful: ReadonlySet<string> = new Set();

  constructor(
    @Inject(ALERTS_SETTINGS) settings: AlertsSettings,
    private readonly repository: AskedAlertmanagersRepository,
    metrics: AlertsMetrics,
  ) {
    this.addresses = (settings.reconcile?.alertmanagers ?? []).map(({ url }) => nameOf(url)).sort();
    if (this.addresses.length === 0) return;
    metrics.addGauge(
      'session_alerts_unasked_alertmanagers',
      'Alertmanagers that post here and that reconciling does not ask: nothing that they report is closed as gone',
      async () => this.ofNow(await repository.read()).unasked.length,
    );
  }

  /**
   * How who posts is called, where it may not be one of those that are asked; undefined for the others.
   * @param externalUrl as the webhook has it
   */
  unaskedNameOf(externalUrl: string, sender: Sender): string | undefined {
    // It has no list to be asked for, whoever is.
    if (sender !== ALERTMANAGER) return nameOf(`${prefixOf(sender)}${externalUrl}`);
    if (this.addresses.length === 0 || externalUrl === '') return undefined;
    const name = nameOf(externalUrl);
    return this.isAsked(name) ? undefined : name;
  }

  /** Takes over what the replica has found out that reconciles. */
  async refresh(): Promise<void> {
    const { knownAs, unasked } = this.ofNow(await this.repository.read());
    this.knownAs = new Set(knownAs);
    this.unasked = unasked;
  }

  /**
   * Learns from what those that are asked list which of the others are the same, and notes it for all replicas.
   * @param ours the series that fire here
   * @param known those that are listed
   * @returns of ours those that nobody has reported who is not asked
   */
  async learn<Series extends { seriesKey: number }>(
    replica: string,
    ours: Series[],
    known: ReadonlySet<number>,
  ): Promise<Series[]> {
    const reported = await this.repository.listReported();
    const firing = new Set(ours.map(({ seriesKey }) => seriesKey));
    const evidence = new Map<string, Evidence>();
    for (const { alertmanager, seriesKey } of reported) {
      if (this.isAsked(alertmanager) || isNoAlertmanager(alertmanager)) continue;
      if (!firing.has(seriesKey)) continue;
      const found = evidence.get(alertmanager) ?? { listed: 0, missing: 0 };
      if (known.has(seriesKey)) found.listed += 1;
      else found.missing += 1;
      evidence.set(alertmanager, found);
    }
    // What was learned in this very moment counts from the next time on.
    const ofOthers = reported.filter(({ alertmanager }) => !this.isAsked(alertmanager));
    const isOfUnasked = new Set(ofOthers.map(({ seriesKey }) => seriesKey));
    const others = ofOthers.map(({ alertmanager }) => alertmanager);
    await this.note(replica, evidence, new Set(others.filter((name) => !isNoAlertmanager(name))));
    return ours.filter(({ seriesKey }) => !isOfUnasked.has(seriesKey));
  }

  /** @param others those that have reported of late and are not asked, as was known before */
  private async note(
    replica: string,
    evidence: ReadonlyMap<string, Evidence>,
    others: ReadonlySet<string>,
  ): Promise<void> {
    const names = [...evidence];
    const learned = names.filter(([, found]) => isTheSame(found)).map(([name]) => name);
    const doubtful = new Set(
      names.filter(([, found]) => found.missing > 0 && !isTheSame(found)).map(([name]) => name),
    );
    // A resolve that is on its way makes nobody suspect.
    const unasked = [...others]
      .filter((name) => !learned.includes(name))
      .filter((name) => this.unasked.includes(name) || (doubtful.has(name) && this.doubtful.has(name)))
      .sort()
      .slice(0, MOST_UNASKED);
    this.doubtful = doubtful;
    for (const name of learned) {
      withFields({ alertmanager: name }, () => {
        this.logger.log(
          `Those that are asked list what Alertmanager ${JSON.stringify(name)} reports: it is one of them`,
        );
      });
    }
    for (const name of unasked.filter((one) => !this.unasked.includes(one))) {
      withFields({ alertmanager: name }, () => {
        this.logger.warn(
          `Alertmanager ${JSON.stringify(name)} posts here and reconciling does not ask it: nothing that it reports is closed as gone or silenced. Add its address to ALERTMANAGER_URLS (reconcile.alertmanagers)`,
        );
      });
    }
    const isChanged = learned.length > 0 || unasked.join() !== this.unasked.join();
    this.knownAs = new Set([...this.knownAs, ...learned]);
    this.unasked = unasked;
    if (!isChanged) return;
    const { addresses } = this;
    await this.repository.note(replica, { addresses, knownAs: [...this.knownAs], unasked });
  }

  private isAsked(name: string): boolean {
    return this.addresses.includes(name) || this.knownAs.has(name);
  }

  /** What was noted while others were asked says nothing of those of now. */
  private ofNow(note: AlertmanagersNote): AlertmanagersNote {
    const isOfNow = note.addresses.join() === this.addresses.join();
    return isOfNow ? note : { addresses: this.addresses, knownAs: [], unasked: [] };
  }
}

function isTheSame({ listed, missing }: Evidence): boolean {
  return listed > 0 && missing * SHARE_KNOWN <= listed;
}

/** Tells what other systems post from what Alertmanagers do. */
function prefixOf({ path }: Sender): string {
  return `${path}:`;
}

function isNoAlertmanager(name: string): boolean {
  return SENDERS.some((sender) => sender !== ALERTMANAGER && name.startsWith(prefixOf(sender)));
}

/** An address, however it is written. */
function nameOf(url: string): string {
  const written = URL.canParse(url) ? new URL(url).href : url;
  return storable(written.replace(/\/+$/, '').slice(0, LONGEST_URL));
}
