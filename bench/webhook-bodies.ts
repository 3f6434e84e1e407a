/** What a webhook does to the alerts that its batch is about. */
export const KINDS = ['new', 'repeat', 'changed', 'resolved'] as const;
export type Kind = (typeof KINDS)[number];

/** Stands in a template where the batch has its number. */
const BATCH = '@@batch@';

/** How the messages of changed alerts end, and no others. */
export const CHANGED_ENDING = 'is restarted.';

/**
 * Webhooks of one size and kind, as Alertmanager sends them where all alerts are one group. Every batch is about
 * users and sessions of its own, one alert each; the four kinds of a batch are about the same.
 */
export class WebhookTemplate {
  private readonly parts: string[];

  constructor(size: number, kind: Kind) {
    this.parts = JSON.stringify(payload(size, kind)).split(BATCH);
  }

  body(batch: number): Buffer {
    return Buffer.from(this.parts.join(scattered(batch)));
  }
}

function payload(size: number, kind: Kind): object {
  const alerts = Array.from({ length: size }, (_, index): WebhookAlert => {
    const number = scattered(index);
    const session = `jane-doe-${BATCH}${number}`;
    return {
      user: userOf(number, BATCH),
      session,
      description: description(session, kind),
      fingerprint: `${BATCH}${number}`,
    };
  });
  return webhookAbout(alerts, kind === 'resolved' ? 'resolved' : 'firing');
}

/** Whom the first alert of a batch's webhooks is about. */
export function firstUserOf(batch: number): string {
  return userOf(scattered(0), scattered(batch));
}

/** Whom a batch's webhooks of so many alerts are about. */
export function usersOf(batch: number, size: number): string[] {
  return Array.from({ length: size }, (_, index) => userOf(scattered(index), scattered(batch)));
}

function userOf(alert: string, batch: string): string {
  return `${alert}-5e55-4a1e-8f00-7000${batch}`;
}

/** What tells the alerts of a webhook apart. */
export interface WebhookAlert {
  user: string;
  session: string;
  description: string;
  fingerprint: string;
}

/** A webhook as Alertmanager sends it where these alerts are one group. */
export function webhookAbout(alerts: WebhookAlert[], status: 'firing' | 'resolved'): object {
  const commonLabels = {
    alertname: 'RenkuSessionHighMemory',
    container: 'amalthea-session',
    endpoint: 'http',
    instance: '10.42.3.17:8080',
    job: 'kube-state-metrics',
    namespace: 'renku',
    prometheus: 'monitoring/kube-prometheus-stack-prometheus',
    purpose: 'renku-session',
    service: 'kube-prometheus-stack-kube-state-metrics',
    severity: 'warning',
  };
  const commonAnnotations = { title: 'Your session is running out of memory' };
  return {
    receiver: 'renku-webhook',
    status,
    alerts: alerts.map(({ user, session, description, fingerprint }) => ({
      status,
      labels: { ...commonLabels, pod: `${session}-0`, safe_username: user, statefulset: session },
      annotations: { ...commonAnnotations, description },
      startsAt: '2026-01-05T08:00:00.000Z',
      endsAt: status === 'resolved' ? '2026-01-05T09:00:00.000Z' : '0001-01-01T00:00:00Z',
      generatorURL:
        'https://prometheus.example.org/graph?g0.expr=sum+by+%28statefulset%2C+safe_username%2C+namespace%29' +
        '+%28container_memory_working_set_bytes%7Bcontainer%3D%22amalthea-session%22%7D%29+%2F+sum+by' +
        '+%28statefulset%2C+safe_username%2C+namespace%29+%28container_spec_memory_limit_bytes%29+%3E+0.9&g0.tab=1',
      fingerprint,
    })),
    groupLabels: { purpose: commonLabels.purpose },
    commonLabels,
    commonAnnotations,
    externalURL: 'https://alertmanager.example.org',
    version: '4',
    groupKey: '{}/{purpose="renku-session"}:{purpose="renku-session"}',
    truncatedAlerts: 0,
  };
}

function description(session: string, kind: Kind): string {
  return kind === 'changed'
    ? `Session ${session} uses 97 % of its memory. Close what you do not need: at 100 % it ${CHANGED_ENDING}`
    : `Session ${session} uses 91 % of its memory. At 100 % it is ended and what is not saved is lost: ` +
        'close notebooks and programs that you do not need, or start it again with more.';
}

/** 32 bits in hex, another for every number, in no order: ids come to indexes as random ones do. */
function scattered(number: number): string {
  return (Math.imul(number + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0');
}
