import { fetchJson, recordOf, recordsIn, textOf } from 'nestjs-session-alerts/operations';
import type { Examination } from './check.js';
import { inItsScheme, reachingMend, reasonOf, shown, TIMEOUT } from './neighbours.js';
import { checkAddressees, checkArrival } from './told-alertmanagers.check.js';

const RULES = 'deploy/prometheus';
const SESSION_INFO = 'kube_customresource_amaltheasession_info';
/** Older kube-state-metrics write `<nil>` for a label that an object does not have. */
const WITH_USER = '{safe_username!="",safe_username!="<nil>"}';
const SESSION_CONTAINERS = 'container_memory_usage_bytes{container="amalthea-session"}';
const LONGEST_ANSWER = 64 * 1024 * 1024;

/** Prometheus's rules and what they need, up to the Alertmanager that it tells. */
export async function checkPrometheus(examination: Examination): Promise<void> {
  const { prometheusUrl } = examination.settings;
  if (prometheusUrl === undefined) {
    examination.skip('prometheus', 'give --prometheus-url');
    return;
  }
  await new PrometheusCheck(examination, prometheusUrl).run();
}

class PrometheusCheck {
  constructor(
    private readonly examination: Examination,
    private readonly url: string,
  ) {}

  async run(): Promise<void> {
    let rules: Record<string, unknown>[];
    try {
      rules = await inItsScheme(this.url, () => this.rules());
    } catch (error) {
      this.examination.wrong(
        'prometheus',
        `${shown(this.url)} cannot be asked: ${reasonOf(error)}`,
        reachingMend(error, '--prometheus-url (the address without /api/v1)'),
      );
      return;
    }
    this.examination.ok('prometheus', `${shown(this.url)} answers`);
    for (const labels of this.firedIn(rules)) this.examination.noteUser(labels);
    this.checkRules(rules);
    await this.attempt('prometheus.sessions', () => this.checkSessions());
    await this.attempt('prometheus.volumes', () => this.checkVolumes());
    this.checkWatchdog(rules);
    await this.attempt('prometheus.alertmanagers', () => this.checkAlertmanagers());
  }

  private async attempt(check: string, examine: () => Promise<void>): Promise<void> {
    try {
      await examine();
    } catch (error) {
      this.examination.wrong(
        check,
        `Prometheus does not say: ${reasonOf(error)}`,
        "See Prometheus's log, and its pages Status → Targets and Status → Rules",
      );
    }
  }

  private checkRules(rules: Record<string, unknown>[]): void {
    const check = 'prometheus.rules';
    const ours = rules.filter(({ labels }) => recordOf(labels)['purpose'] === 'renku-session');
    if (ours.length === 0) {
      this.examination.wrong(
        check,
        'No alerting rule with the label purpose: renku-session is loaded',
        `Name the rules of ${RULES} in rule_files (with the operator: apply a PrometheusRule with the labels that ruleSelector asks for) and reload Prometheus; \`promtool check rules\` says what does not load`,
      );
      return;
    }
    const failing = ours.filter(({ health }) => health === 'err');
    const textless = ours.filter(({ annotations }) => {
      const { title, description } = recordOf(annotations);
      return !textOf(title).trim() || !textOf(description).trim();
    });
    const unaddressed = ours.filter(({ alerts }) =>
      recordsIn(alerts).some(({ labels }) => {
        const { safe_username: user, statefulset: session } = recordOf(labels);
        return !textOf(user) || !textOf(session);
      }),
    );
    if (failing.length > 0) {
      const errors = failing.map(
        ({ name, lastError }) => `${textOf(name)} (${textOf(lastError).slice(0, 300)})`,
      );
      this.examination.wrong(
        check,
        `Prometheus cannot evaluate ${errors.join('; ')}: their alerts never come, and those that fire end`,
        `Use the rules of ${RULES}, or correct the expression; "duplicate series" means that a join lacks namespace, or that two kube-state-metrics are scraped`,
      );
    } else if (textless.length > 0) {
      this.examination.wrong(
        check,
        `${namesOf(textless)} have no annotation title or description: their alerts are shown to nobody`,
        `Add annotations title and description, as in the rules of ${RULES}`,
      );
    } else if (unaddressed.length > 0) {
      this.examination.wrong(
        check,
        `Alerts of ${namesOf(unaddressed)} fire without the label safe_username or statefulset: they are shown to nobody`,
        `Keep both labels in the expression (sum by (statefulset, safe_username, …)), as in the rules of ${RULES}`,
      );
    } else if (ours.some(({ health }) => health !== 'ok')) {
      this.examination.warn(
        check,
        `${namesOf(ours)} are loaded, but not all evaluated yet`,
        'Run doctor again after the evaluation_interval, mostly a minute',
      );
    } else {
      this.examination.ok(check, `${namesOf(ours)} are loaded and healthy`);
    }
  }

  /** What joins a session to its user. */
  private async checkSessions(): Promise<void> {
    const check = 'prometheus.sessions';
    await this.noteUsers();
    const all = await this.count(SESSION_INFO);
    const named = await this.count(SESSION_INFO + WITH_USER);
    const mend = `Give kube-state-metrics labelsFromPath safe_username: [metadata, labels, "renku.io/safe-username"] for AmaltheaSession, as in deploy/kube-state-metrics, and RBAC to list and watch amaltheasessions`;
    const renamed = await this.count(`${SESSION_INFO}{exported_namespace!=""}`);
    if (renamed > 0) {
      this.examination.warn(
        check,
        `${SESSION_INFO} has the session's namespace in exported_namespace: rules that join on namespace find nothing`,
        'Set honor_labels: true on the job that scrapes kube-state-metrics (with the operator: honorLabels: true in its ServiceMonitor)',
      );
    } else if (named > 0 && named === all) {
      this.examination.ok(check, `${SESSION_INFO} has the label safe_username for every session (${all})`);
    } else if (named > 0) {
      this.examination.warn(
        check,
        `${SESSION_INFO} lacks the label safe_username for ${all - named} of ${all} sessions: their users hear nothing`,
        "Set the label renku.io/safe-username on these AmaltheaSessions: they may be older than the platform's version that sets it",
      );
    } else if (all > 0) {
      this.examination.wrong(
        check,
        `${SESSION_INFO} is there without the label safe_username: nobody knows whose session it is`,
        mend,
      );
    } else if ((await this.count(SESSION_CONTAINERS)) > 0) {
      this.examination.wrong(check, `Sessions run, but there is no ${SESSION_INFO}`, mend);
    } else {
      this.examination.warn(
        check,
        `There is no ${SESSION_INFO}: either no session runs now, or kube-state-metrics does not know them`,
        `Start a session and run doctor again. If it is still so: ${mend}`,
      );
    }
  }

  /** What joins a volume to its session; only the disk rule needs it. */
  private async checkVolumes(): Promise<void> {
    const check = 'prometheus.volumes';
    const labelled = await this.count(
      'kube_persistentvolumeclaim_labels{label_app_kubernetes_io_instance!=""}',
    );
    if (labelled > 0) {
      this.examination.ok(check, `Volume claims that tell their session: ${labelled}`);
    } else {
      this.examination.warn(
        check,
        'No kube_persistentvolumeclaim_labels has label_app_kubernetes_io_instance: low disk space is never noticed',
        'Run kube-state-metrics with --metric-labels-allowlist=persistentvolumeclaims=[app.kubernetes.io/name,app.kubernetes.io/instance]',
      );
    }
  }

  private checkWatchdog(rules: Record<string, unknown>[]): void {
    const { alertname } = this.examination.settings.watchdog;
    const fires = rules.some(({ name, state }) => name === alertname && state === 'firing');
    if (fires) {
      this.examination.ok('prometheus.watchdog', `${alertname} fires, as it always should`);
    } else {
      this.examination.wrong(
        'prometheus.watchdog',
        `No alert ${alertname} fires: whether alerts get through cannot be told`,
        `Add a rule with alert: ${alertname} and expr: vector(1), as in ${RULES}, or set WATCHDOG_ALERTNAME to the name that yours has`,
      );
    }
  }

  private async checkAlertmanagers(): Promise<void> {
    const active = recordsIn((await this.get('alertmanagers'))['activeAlertmanagers']);
    if (active.length > 0) {
      const addresses = active.map(({ url }) => textOf(url).replace(/\/api\/v[12]\/alerts$/, ''));
      await checkArrival(this.examination, addresses, async () => this.firedIn(await this.rules()));
      await checkAddressees(this.examination, addresses);
    } else {
      this.examination.wrong(
        'prometheus.alertmanagers',
        'Prometheus knows no Alertmanager: its alerts go nowhere',
        'Name Alertmanager in alerting.alertmanagers of prometheus.yml (with the operator: spec.alerting) and reload Prometheus',
      );
    }
  }

  private async rules(): Promise<Record<string, unknown>[]> {
    const { groups } = await this.get('rules?type=alert');
    return recordsIn(groups).flatMap((group) => recordsIn(group['rules']));
  }

  /** The labels of all that fires for us, the watchdog alert with it. */
  private firedIn(rules: Record<string, unknown>[]): Record<string, unknown>[] {
    const { alertname } = this.examination.settings.watchdog;
    return rules
      .flatMap(({ alerts }) => recordsIn(alerts))
      .filter(({ state }) => state === 'firing')
      .map(({ labels }) => recordOf(labels))
      .filter((labels) => labels['purpose'] === 'renku-session' || labels['alertname'] === alertname);
  }

  /** Whose sessions run: what is wrong with their ids shows before anything fires. */
  private async noteUsers(): Promise<void> {
    const users = await this.query(`count by (safe_username) (${SESSION_INFO})`);
    for (const { metric } of users) this.examination.noteUser(recordOf(metric));
  }

  /** How many series a selector has now. */
  private async count(selector: string): Promise<number> {
    const [sample] = await this.query(`count(${selector})`);
    const value: unknown = Array.isArray(sample?.['value']) ? sample['value'][1] : undefined;
    return value === undefined ? 0 : Number(value);
  }

  private async query(expression: string): Promise<Record<string, unknown>[]> {
    const query = new URLSearchParams({ query: expression });
    return recordsIn((await this.get(`query?${query.toString()}`))['result']);
  }

  /** @see https://prometheus.io/docs/prometheus/latest/querying/api/ */
  private async get(path: string): Promise<Record<string, unknown>> {
    const { body } = await fetchJson(`${this.url}/api/v1/${path}`, {
      timeout: TIMEOUT,
      longest: LONGEST_ANSWER,
      signal: this.examination.signal,
    });
    const { status, data } = recordOf(body);
    if (status !== 'success') throw new Error("what answers is not Prometheus's API");
    return recordOf(data);
  }
}

function namesOf(rules: Record<string, unknown>[]): string {
  return rules.map(({ name }) => textOf(name)).join(', ');
}
