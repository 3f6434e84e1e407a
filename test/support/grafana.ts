import { createHmac } from 'node:crypto';
import { seriesFingerprint } from '../../src/webhooks/series-fingerprint.js';

/** One alert of a webhook, as Grafana Alerting writes it. */
export interface GrafanaAlert {
  status: 'firing' | 'resolved';
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: string;
  endsAt: string;
  values: Record<string, number> | null;
  generatorURL: string;
  fingerprint: string;
  silenceURL: string;
  dashboardURL: string;
  panelURL: string;
  valueString: string;
  orgId: number;
}

const GO_ZERO_TIME = '0001-01-01T00:00:00Z';
const GRAFANA_URL = 'http://grafana.example/';

/** A firing alert of one of Grafana's rules, with the labels and annotations that the guide asks for. */
export function grafanaFiring(
  labels: Record<string, string> = {},
  annotations: Record<string, string> = {},
  startsAt = '2026-01-15T09:00:00.123456789+01:00',
): GrafanaAlert {
  const all = withoutEmpty({
    alertname: 'Session short of memory',
    grafana_folder: 'Sessions',
    purpose: 'renku-session',
    safe_username: 'jane',
    severity: 'warning',
    statefulset: 'jane-1',
    ...labels,
  });
  return {
    status: 'firing',
    labels: all,
    annotations: withoutEmpty({
      title: 'High memory usage',
      description: 'Memory usage over 90% of capacity',
      ...annotations,
    }),
    startsAt,
    endsAt: GO_ZERO_TIME,
    values: { A: 0.93, C: 1 },
    generatorURL: `${GRAFANA_URL}alerting/grafana/ce1abc/view?orgId=1`,
    fingerprint: seriesFingerprint(new Map(Object.entries(all))),
    silenceURL: `${GRAFANA_URL}alerting/silence/new?alertmanager=grafana&matcher=alertname`,
    dashboardURL: '',
    panelURL: '',
    valueString: "[ var='A' labels={pod=jane-1-0} value=0.93 ]",
    orgId: 1,
  };
}

export function grafanaResolved(alert: GrafanaAlert, endsAt = '2026-01-15T09:05:00Z'): GrafanaAlert {
  return { ...alert, status: 'resolved', endsAt, values: null };
}

/** Grafana's body around alerts; `more` overrides its fields. */
export function grafanaWebhook(
  alerts: unknown[],
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    receiver: 'session-alerts',
    status: 'firing',
    alerts,
    groupLabels: { alertname: 'Session short of memory', grafana_folder: 'Sessions' },
    commonLabels: {},
    commonAnnotations: {},
    externalURL: GRAFANA_URL,
    appVersion: '13.0.1',
    version: '1',
    groupKey: '{}/{purpose="renku-session"}:{alertname="Session short of memory"}',
    truncatedAlerts: 0,
    orgId: 1,
    title: '[FIRING:1] Session short of memory Sessions',
    state: 'alerting',
    message: '**Firing**\n\nValue: A=0.93, C=1\n',
    ...more,
  };
}

/** The headers with which Grafana signs a body. */
export function signed(
  body: string,
  secret: string,
  at: number | string = Math.floor(Date.now() / 1000),
): Record<string, string> {
  return {
    'X-Grafana-Alerting-Signature': createHmac('sha256', secret).update(`${at}:${body}`).digest('hex'),
    'X-Grafana-Alerting-Timestamp': String(at),
  };
}

function withoutEmpty(texts: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ''));
}
