import { parse } from 'yaml';
import type { AlertmanagerOptions } from 'nestjs-session-alerts';
import {
  AlertmanagerClient,
  MatcherError,
  expression,
  isRecord,
  recordOf,
  recordsIn,
  routesOf,
  textOf,
} from 'nestjs-session-alerts/operations';
import type { Labels, ListedAlert, Route } from 'nestjs-session-alerts/operations';
import type { Examination } from './check.js';
import { durationText } from './duration-text.js';
import { withoutSlash } from './issuer.check.js';
import { ask, inItsScheme, reachingMend, reasonOf, shown } from './neighbours.js';
import { OtherSchemeError } from './other-scheme.js';
import { probeWebhook, WEBHOOK_PATH } from './webhook.check.js';

const EXAMPLE = 'deploy/alertmanager/alertmanager.yml';
/** What stands for a secret in the configuration that Alertmanager tells; from 0.26 on a webhook's address is one. */
const HIDDEN = '<secret>';
/** Until a user hears of trouble, and of its end (s), longer than this is worth a word. */
const LONGEST_GROUP_WAIT = 60;
const LONGEST_GROUP_INTERVAL = 300;

/** As the guide's rules make it. */
const SESSION_ALERT: Labels = {
  alertname: 'RenkuSessionHighMemory',
  purpose: 'renku-session',
  severity: 'warning',
  namespace: 'renku',
  safe_username: '00000000-0000-4000-8000-000000000000',
  statefulset: 'session',
};

/** One `webhook_configs` entry that posts to us, as far as can be told. */
interface OurWebhook {
  receiver: string;
  /** Undefined where it is hidden. */
  url: string | undefined;
  settings: Record<string, unknown>;
}

/** Each Alertmanager's running configuration: that session alerts come here, all of them, and their ends too. */
export async function checkAlertmanagers(examination: Examination): Promise<void> {
  const { alertmanagers } = examination.settings;
  if (alertmanagers.length === 0) {
    examination.skip('alertmanager', 'give --alertmanager-url or set ALERTMANAGER_URLS');
  }
  for (const options of alertmanagers) {
    await new AlertmanagerCheck(examination, options, alertmanagers.length > 1).run();
  }
}

class AlertmanagerCheck {
  private readonly client: AlertmanagerClient;
  /** Says which one is meant, where there are several. */
  private readonly prefix: string;

  constructor(
    private readonly examination: Examination,
    private readonly options: AlertmanagerOptions,
    isOneOfMany: boolean,
  ) {
    this.client = new AlertmanagerClient(options);
    this.prefix = isOneOfMany ? `${shown(options.url)}: ` : '';
  }

  async run(): Promise<void> {
    const config = await this.readConfig();
    if (!config) return;
    const webhooks = ourWebhooks(config, this.examination.settings.clientId);
    if (webhooks.length === 0) {
      const { clientId } = this.examination.settings;
      const unseen = hasHiddenWebhooks(config)
        ? `; of those whose address this Alertmanager hides none has the client ${clientId}`
        : '';
      this.wrong(
        'receiver',
        `No receiver has a webhook at an address that ends with ${WEBHOOK_PATH}${unseen}`,
        `Add the receiver of ${EXAMPLE}, with ${this.webhookUrl() ?? 'the address of the API'} as its url${unseen && ` and http_config.oauth2 with client_id: ${clientId}`}, and reload Alertmanager`,
      );
      return;
    }
    try {
      const taken = this.checkRoute(config, webhooks);
      if (taken) {
        await this.checkReceiver(taken.webhook, taken.route);
        this.checkReconciling(config, taken.webhook.receiver, webhooks);
        await this.noteGroups(taken.webhook.receiver);
      }
      await this.checkWatchdog(config, webhooks);
    } catch (error) {
      if (!(error instanceof MatcherError)) throw error;
      this.examination.skip('alertmanager.route', `${this.prefix}because ${error.message}`);
    }
    await this.checkDelivery();
  }

  private async readConfig(): Promise<Record<string, unknown> | undefined> {
    const { url } = this.options;
    try {
      const { config } = await inItsScheme(url, () => this.client.status(this.examination.signal));
      const parsed: unknown = parse(config);
      if (!isRecord(parsed)) throw new Error('its status has no configuration');
      this.ok('', `${shown(url)} tells its running configuration`);
      return parsed;
    } catch (error) {
      const reason = reasonOf(error);
      this.wrong(
        '',
        `${shown(url)} cannot be asked: ${reason}`,
        /answered with 40[13]/.test(reason)
          ? 'Name it in ALERTMANAGER_URLS, with ALERTMANAGER_BEARER_TOKEN_FILE, or ALERTMANAGER_USERNAME and ALERTMANAGER_PASSWORD_FILE'
          : reachingMend(error, '--alertmanager-url (the address without /api/v2)'),
      );
      return undefined;
    }
  }

  private checkRoute(
    config: Record<string, unknown>,
    webhooks: OurWebhook[],
  ): { webhook: OurWebhook; route: Route } | undefined {
    const routes = routesOf(config['route'], SESSION_ALERT);
    const names = [...new Set(webhooks.map(({ receiver }) => receiver))].join(' or ');
    const [taken, ...more] = routes.flatMap((route) =>
      webhooks.filter(({ receiver }) => receiver === route.receiver).map((webhook) => ({ webhook, route })),
    );
    if (!taken) {
      const others = routes.map(
        ({ receiver, matchers }) => `${receiver} (${matchers.join(', ') || 'the root route'})`,
      );
      this.wrong(
        'route',
        `An alert with purpose="renku-session" goes to the receiver ${others.join(', ')}, not to ${names}`,
        `Add a route with matchers: ['purpose="renku-session"'] and receiver: ${names} as the first of route.routes, as in ${EXAMPLE}, and reload Alertmanager`,
      );
      return undefined;
    }
    if (more.length > 0) {
      this.warn(
        'route',
        `A session alert is posted here ${more.length + 1} times, by as many routes or webhooks`,
        'Keep one route and one webhook that lead here',
      );
    } else if (taken.route.mutedIn.length > 0 || taken.route.activeIn.length > 0) {
      const intervals = [...taken.route.mutedIn, ...taken.route.activeIn].join(', ');
      this.warn(
        'route',
        `The route of session alerts is silent at times (${intervals}): their users hear nothing then`,
        'Remove mute_time_intervals and active_time_intervals from that route',
      );
    } else {
      this.ok(
        'route',
        `An alert with purpose="renku-session" goes to the receiver ${taken.webhook.receiver}`,
      );
    }
    return taken;
  }

  private async checkReceiver(webhook: OurWebhook, route: Route): Promise<void> {
    await this.checkAddress(webhook);
    this.checkCredentials(webhook);
    this.checkResolved(webhook);
    this.checkGrouping(webhook, route);
    this.checkRepeats(route);
    this.checkDelays(route);
  }

  /** Where it posts, and whether a redirect is in the way. */
  private async checkAddress({ url, settings, receiver }: OurWebhook): Promise<void> {
    const here = this.webhookUrl();
    const address = url ?? here;
    if (address === undefined) {
      this.skip('address', 'this Alertmanager hides it; give --api-url');
      return;
    }
    const fault = address === here ? this.examination.faultIn('server') : undefined;
    if (fault) {
      this.skip('address', `because of what is wrong with ${fault.check}`);
      return;
    }
    const follows = recordOf(settings['http_config'])['follow_redirects'] !== false;
    const probe = await probeWebhook(this.examination, address);
    if (!probe.reached) {
      this.reportUnreached(address, receiver, probe.error);
    } else if (probe.redirect !== undefined) {
      this.wrong(
        'address',
        `${shown(address)} redirects to ${probe.redirect} (${probe.reached.status}): ${redirectLoses(probe.reached.status, follows)}`,
        `Set url: ${probe.redirect} and follow_redirects: false in the webhook_configs of the receiver ${receiver}`,
      );
    } else if (probe.reached.status !== 401) {
      this.wrong(
        'address',
        `${shown(address)} answers a post without a token with ${probe.reached.status}, not with our 401`,
        `Set url in the webhook_configs of the receiver ${receiver} to ${here ?? `the API's address and ${WEBHOOK_PATH}`}; a 5xx is in the server's or the proxy's log`,
      );
    } else if (follows) {
      this.warn(
        'address',
        `${shown(address)} does not redirect; if it ever does, posts will be lost and count as delivered`,
        `Set http_config.follow_redirects: false in the webhook_configs of the receiver ${receiver}`,
      );
    } else {
      this.ok(
        'address',
        `${url === undefined ? 'Hidden by Alertmanager; ' : ''}${shown(address)} is there and does not redirect`,
      );
    }
  }

  private reportUnreached(address: string, receiver: string, error: unknown): void {
    if (error instanceof OtherSchemeError) {
      this.wrong(
        'address',
        `${shown(address)} cannot be posted to: ${error.message}`,
        `Write ${error.spoken}:// in the place of ${error.asked}:// in the url in the webhook_configs of the receiver ${receiver}, and reload Alertmanager`,
      );
      return;
    }
    const message = `${shown(address)} cannot be reached from here: ${reasonOf(error)}`;
    this.warn(
      'address',
      `${message}. Whether it can from Alertmanager, and whether it redirects, is not known`,
      'Run doctor where that address can be reached, such as in a pod beside Alertmanager',
    );
  }

  private checkCredentials({ settings, receiver }: OurWebhook): void {
    const { clientId, issuer } = this.examination.settings;
    const http = recordOf(settings['http_config']);
    if (!isRecord(http['oauth2'])) {
      const other = ['authorization', 'basic_auth'].find((name) => isRecord(http[name]));
      if (other === undefined) {
        this.wrong(
          'oauth2',
          'It posts without a token, and every post is refused',
          `Add http_config.oauth2 as in ${EXAMPLE} to the webhook_configs of the receiver ${receiver}`,
        );
      } else {
        this.warn(
          'oauth2',
          `It posts with a fixed ${other}, which is refused once the token in it expires`,
          `Replace it by http_config.oauth2 as in ${EXAMPLE}`,
        );
      }
      return;
    }
    const { oauth2 } = http as { oauth2: Record<string, unknown> };
    const client = textOf(oauth2['client_id']);
    const tokenUrl = textOf(oauth2['token_url']);
    const expected = this.tokenEndpoint();
    if (client !== clientId) {
      this.warn(
        'oauth2',
        `Its client_id is ${client}, while doctor asked for a token as ${clientId}`,
        `Run doctor with --client-id ${client}, or set client_id: ${clientId}`,
      );
    } else if (expected === undefined || issuer === undefined) {
      this.ok(
        'oauth2',
        `client_id ${client}, token_url ${shown(tokenUrl)} (no issuer given to compare it with)`,
      );
    } else if (tokenUrl === expected) {
      this.ok('oauth2', `client_id ${client}, token_url is the issuer's`);
    } else if (pathOf(tokenUrl) !== pathOf(expected)) {
      this.wrong(
        'oauth2',
        `Its token_url is ${shown(tokenUrl)}, the issuer's is ${shown(expected)}`,
        `Set token_url: ${expected}`,
      );
    } else {
      this.warn(
        'oauth2',
        `Its token_url is ${shown(tokenUrl)}, the issuer's is ${shown(expected)}: a token from there may have another iss`,
        `Set token_url: ${expected}, or have Keycloak's hostname (KC_HOSTNAME) fixed, so that iss is the same everywhere`,
      );
    }
  }

  private checkResolved({ settings, receiver }: OurWebhook): void {
    if (settings['send_resolved'] === false) {
      this.wrong(
        'send_resolved',
        'send_resolved is false: alerts that are over stay until they expire',
        `Set send_resolved: true in the webhook_configs of the receiver ${receiver}, and reload Alertmanager`,
      );
    } else {
      this.ok('send_resolved', 'It also posts that alerts are over');
    }
  }

  private checkGrouping({ settings, receiver }: OurWebhook, { groupBy }: Route): void {
    const most = Number(settings['max_alerts'] ?? 0);
    const groups = groupBy.length > 0 ? `group_by: [${groupBy.join(', ')}]` : 'all alerts in one group';
    if (groupBy.includes('...')) {
      this.ok('grouping', `Every alert is a group of its own, so that max_alerts: ${most} leaves none out`);
    } else if (most === 0) {
      this.ok('grouping', `max_alerts: 0 leaves no alert of a group out (${groups})`);
    } else {
      this.wrong(
        'grouping',
        `max_alerts: ${most} with ${groups}: of each group only ${most === 1 ? 'the first alert is' : `the first ${most} alerts are`} sent, the others are lost`,
        `Set group_by: ['...'] on the route to the receiver ${receiver}, or max_alerts: 0 in its webhook_configs, and reload Alertmanager`,
      );
    }
  }

  private checkRepeats(route: Route): void {
    const { expireAfter } = this.examination.settings;
    const gap = longestGap(route);
    const repeat = `repeat_interval: ${durationText(route.repeatInterval)}`;
    const mend = `Set repeat_interval: 1h on the route to the receiver ${route.receiver}, or the server's EXPIRE_AFTER to more than two of them`;
    if (gap >= expireAfter) {
      this.wrong(
        'repeat_interval',
        `${repeat}, while alerts that nothing has refreshed for ${durationText(expireAfter)} (EXPIRE_AFTER) are closed: all close that still fire`,
        mend,
      );
    } else if (gap * 2 > expireAfter) {
      this.warn(
        'repeat_interval',
        `${repeat}: with one repeat lost, an alert that still fires is closed after ${durationText(expireAfter)} (EXPIRE_AFTER)`,
        mend,
      );
    } else {
      this.ok(
        'repeat_interval',
        `${durationText(route.repeatInterval)}; alerts expire after ${durationText(expireAfter)}`,
      );
    }
  }

  private checkDelays({ groupWait, groupInterval, receiver }: Route): void {
    const delays = `group_wait: ${durationText(groupWait)}, group_interval: ${durationText(groupInterval)}`;
    if (groupWait > LONGEST_GROUP_WAIT || groupInterval > LONGEST_GROUP_INTERVAL) {
      this.warn(
        'delay',
        `${delays}: so long it may take until a user hears of trouble, and of its end`,
        `Set group_wait: 1s and group_interval: 10s on the route to the receiver ${receiver}, with group_by: ['...']`,
      );
    } else {
      this.ok('delay', delays);
    }
  }

  /** Of what receivers reconciling opens alerts. */
  private checkReconciling(config: Record<string, unknown>, receiver: string, webhooks: OurWebhook[]): void {
    const { reconcileReceiver: pattern } = this.examination.settings;
    if (pattern === undefined) return;
    const expected = expression(pattern);
    const matching = recordsIn(config['receivers'])
      .map(({ name }) => textOf(name))
      .filter((name) => expected.test(name));
    const others = matching.filter((name) => !webhooks.some((webhook) => webhook.receiver === name));
    if (!matching.includes(receiver)) {
      this.wrong(
        'reconciling',
        `RECONCILE_RECEIVER is ${pattern}, and alerts come by the receiver ${receiver}: what webhooks lose is not opened`,
        `Set RECONCILE_RECEIVER=${receiver} on the server`,
      );
    } else if (others.length > 0) {
      this.warn(
        'reconciling',
        `RECONCILE_RECEIVER is ${pattern}, which matches ${others.join(', ')} too: users are shown what Alertmanager sends there and not here`,
        `Set RECONCILE_RECEIVER=${receiver} on the server`,
      );
    } else {
      this.ok('reconciling', `It opens what the receiver ${matching.join(', ')} would be sent`);
    }
  }

  /** For later checks: whom its alerts name, and how much it would post at once. */
  private async noteGroups(receiver: string): Promise<void> {
    const named = receiver.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    // Its status could be asked, so this is a fault of its own, and nothing that is checked here.
    const groups = await this.client.groups([], named, this.examination.signal).catch(() => []);
    for (const group of groups) {
      for (const { labels } of group) this.examination.noteUser(recordOf(labels));
      const posted = group.filter(({ status }) => status?.state !== 'suppressed');
      const bytes = weightOf(posted);
      if (bytes > (this.examination.largestGroup?.bytes ?? 0)) {
        this.examination.largestGroup = { alerts: posted.length, bytes };
      }
    }
  }

  private async checkWatchdog(config: Record<string, unknown>, webhooks: OurWebhook[]): Promise<void> {
    const { alertname, staleAfter } = this.examination.settings.watchdog;
    const labels = await this.watchdogLabels(alertname);
    const routes = routesOf(config['route'], labels);
    const route = routes.find(({ receiver }) => webhooks.some((webhook) => webhook.receiver === receiver));
    const ours = webhooks[0]?.receiver ?? '';
    if (!route) {
      const receivers = routes.map(({ receiver }) => receiver).join(', ');
      this.wrong(
        'watchdog',
        `The watchdog alert ${alertname} goes to the receiver ${receivers}, not to ${ours}: nobody notices when alerts stop coming`,
        `Add a route with matchers: ['alertname="${alertname}"'], receiver: ${ours} and repeat_interval: 2m to route.routes (continue: true if it is to go elsewhere too), and reload Alertmanager`,
      );
    } else if (longestGap(route) >= staleAfter) {
      this.wrong(
        'watchdog',
        `The watchdog alert is repeated only every ${durationText(longestGap(route))} (repeat_interval and group_interval); after ${durationText(staleAfter)} (FEED_STALE_AFTER) users are told that alerts may be out of date`,
        `Set repeat_interval: 2m and group_interval: 1m on its route, or a longer FEED_STALE_AFTER on the server`,
      );
    } else {
      this.ok(
        'watchdog',
        `${alertname} goes to the receiver ${route.receiver}, at least every ${durationText(longestGap(route))}`,
      );
    }
  }

  /** As Prometheus sends it; where it does not, as it usually is. */
  private async watchdogLabels(alertname: string): Promise<Labels> {
    const usual = { alertname, severity: 'none' };
    try {
      const filter = [`alertname=${JSON.stringify(alertname)}`];
      const [listed] = await this.client.alerts(filter, this.examination.signal);
      return listed ? { ...(listed.labels as Labels) } : usual;
    } catch {
      // Its status could be asked, so this is a fault of its own; the route is what is asked for here.
      return usual;
    }
  }

  /** Whether any of its posts has been taken; only Alertmanager knows whether its own client secret is right. */
  private async checkDelivery(): Promise<void> {
    const fault = this.examination.faultIn(
      'database',
      'issuer',
      'token',
      'server',
      'webhook',
      'alertmanager',
    );
    if (fault) {
      this.skip('delivery', `because of what is wrong with ${fault.check}`);
      return;
    }
    const address = `${this.options.url.replace(/\/+$/, '')}/metrics`;
    const answer = await ask(this.examination, address).catch(() => undefined);
    if (answer?.status !== 200) {
      this.skip('delivery', "because Alertmanager's /metrics cannot be read");
      return;
    }
    const total = sumOf(answer.text, 'alertmanager_notification_requests_total');
    const failed = sumOf(answer.text, 'alertmanager_notification_requests_failed_total');
    if (total === 0) {
      this.skip('delivery', 'because this Alertmanager has posted to no webhook yet');
    } else if (failed === total) {
      this.wrong(
        'delivery',
        `All of its ${total} posts to webhooks since its start have failed`,
        'See its log ("Notify attempt failed"): for a 401 put the client\'s secret into the file that client_secret_file names',
      );
    } else {
      this.ok('delivery', `Posts to webhooks since its start: ${total - failed} of ${total} were taken`);
    }
  }

  private webhookUrl(): string | undefined {
    const { url } = this.examination.settings;
    return url === undefined ? undefined : url + WEBHOOK_PATH;
  }

  private tokenEndpoint(): string | undefined {
    const { issuer } = this.examination.settings;
    return (
      this.examination.issuer?.tokenEndpoint ??
      (issuer === undefined ? undefined : `${withoutSlash(issuer)}/protocol/openid-connect/token`)
    );
  }

  private ok(what: string, message: string): void {
    this.examination.ok(nameOf(what), this.prefix + message);
  }

  private warn(what: string, message: string, mend: string): void {
    this.examination.warn(nameOf(what), this.prefix + message, mend);
  }

  private wrong(what: string, message: string, mend: string): void {
    this.examination.wrong(nameOf(what), this.prefix + message, mend);
  }

  private skip(what: string, reason: string): void {
    this.examination.skip(nameOf(what), this.prefix + reason);
  }
}

function nameOf(what: string): string {
  return what === '' ? 'alertmanager' : `alertmanager.${what}`;
}

function ourWebhooks(config: Record<string, unknown>, clientId: string): OurWebhook[] {
  return recordsIn(config['receivers']).flatMap((receiver) =>
    recordsIn(receiver['webhook_configs']).flatMap((settings): OurWebhook[] => {
      const name = textOf(receiver['name']);
      const url = textOf(settings['url']);
      if (pathOf(url)?.endsWith(WEBHOOK_PATH)) return [{ receiver: name, url, settings }];
      // Where the address is hidden, the client tells ours from others.
      const { client_id: client } = recordOf(recordOf(settings['http_config'])['oauth2']);
      return isHidden(settings) && client === clientId ? [{ receiver: name, url: undefined, settings }] : [];
    }),
  );
}

function hasHiddenWebhooks(config: Record<string, unknown>): boolean {
  return recordsIn(config['receivers']).some((receiver) =>
    recordsIn(receiver['webhook_configs']).some(isHidden),
  );
}

/** Whether its address is in a file, or is taken for a secret, as newer ones take it. */
function isHidden(webhook: Record<string, unknown>): boolean {
  return textOf(webhook['url']) === HIDDEN || textOf(webhook['url_file']) !== '';
}

function pathOf(address: string): string | undefined {
  return URL.canParse(address) ? new URL(address).pathname : undefined;
}

/** Go's client turns a post into an empty GET for these; others keep it what it is. */
function redirectLoses(status: number, follows: boolean): string {
  if (!follows) return 'every post fails';
  return status === 307 || status === 308
    ? 'every post goes round twice, without its token where the host differs'
    : 'posts arrive there as empty GETs and count as delivered, so all alerts are lost';
}

/**
 * What may lie between two posts of what fires (s): it looks every `group_interval`, and where `repeat_interval` is
 * a multiple of that, it is mostly not quite over yet.
 */
function longestGap({ repeatInterval, groupInterval }: Route): number {
  return (Math.floor(repeatInterval / groupInterval) + 1) * groupInterval;
}

/** Of the webhook's body (bytes), to within what all of its alerts have in common. */
function weightOf(alerts: ListedAlert[]): number {
  const posted = alerts.map((alert) => {
    const { labels, annotations, startsAt, endsAt, generatorURL, fingerprint } = recordOf(alert);
    return { status: 'firing', labels, annotations, startsAt, endsAt, generatorURL, fingerprint };
  });
  const [common] = posted;
  return Buffer.byteLength(JSON.stringify({ alerts: posted, common }));
}

/** Of all webhooks: an older Alertmanager does not tell them apart. */
function sumOf(metrics: string, name: string): number {
  const samples = metrics.matchAll(new RegExp(`^${name}\\{[^}]*integration="webhook"[^}]*\\} (\\S+)$`, 'gm'));
  return [...samples].reduce((sum, [, value]) => sum + Number(value), 0);
}
