import type { SkipReason } from './skip-reason.js';

/** A monitoring system that posts webhooks: all in which its bodies differ from those of the others. */
export interface Sender {
  name: string;
  /** What its bodies say in `version`. */
  version: string;
  /** Below `webhooks/`. */
  path: string;
  /** Annotations that hold an alert's title; the first that there is counts. */
  titles: readonly string[];
  /** Alerts, by `alertname`, which tell of the monitoring itself and so nobody's session anything. */
  untold: ReadonlyMap<string, SkipReason>;
  /** What to do so that it leaves out no alerts; follows "in its receiver …". */
  sendAll: string;
}

/** @see https://prometheus.io/docs/alerting/latest/configuration/#webhook_config */
export const ALERTMANAGER: Sender = {
  name: 'Alertmanager',
  version: '4',
  path: 'alertmanager',
  titles: ['title'],
  untold: new Map(),
  sendAll: `set "max_alerts: 0", or give its route "group_by: ['...']"`,
};

/** @see https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/ */
export const GRAFANA: Sender = {
  name: 'Grafana',
  version: '1',
  path: 'grafana',
  titles: ['title', 'summary'],
  untold: new Map<string, SkipReason>([
    ['DatasourceNoData', 'datasource_no_data'],
    ['DatasourceError', 'datasource_error'],
  ]),
  sendAll: 'set "Max Alerts" to 0',
};

export const SENDERS: readonly Sender[] = [ALERTMANAGER, GRAFANA];
