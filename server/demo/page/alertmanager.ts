import type { DemoConfig, Session } from './demo-config.js';

/** A series of Prometheus's, as a rule would make it. */
export interface Series {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: string;
}

/** What the webhook answers. */
export interface Summary {
  stored: number;
  resolved: number;
  skipped: number;
}

/** Does what Alertmanager does: fetches a token by its client's secret, and posts its version 4 body. */
export class Alertmanager {
  private token: { text: string; expires: number } | undefined;

  constructor(private readonly config: DemoConfig) {}

  fire(series: readonly Series[]): Promise<Summary> {
    return this.post('firing', series);
  }

  resolve(series: readonly Series[]): Promise<Summary> {
    return this.post('resolved', series);
  }

  private async post(status: 'firing' | 'resolved', series: readonly Series[]): Promise<Summary> {
    const endsAt = status === 'resolved' ? new Date().toISOString() : '0001-01-01T00:00:00Z';
    const body = {
      version: '4',
      receiver: 'renku-webhook',
      groupKey: '{}:{}',
      truncatedAlerts: 0,
      status,
      groupLabels: {},
      commonLabels: {},
      commonAnnotations: {},
      externalURL: location.origin,
      alerts: series.map((one) => ({ status, ...one, endsAt, generatorURL: location.origin })),
    };
    const send = async (): Promise<Response> =>
      fetch(`${this.config.api}/webhooks/alertmanager`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${await this.accessToken()}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
    let response = await send();
    if (response.status === 401) {
      this.token = undefined;
      response = await send();
    }
    if (!response.ok) throw new Error(`The webhook was answered ${response.status}`);
    return (await response.json()) as Summary;
  }

  private async accessToken(): Promise<string> {
    if (this.token && this.token.expires > Date.now()) return this.token.text;
    const { tokenUrl, clientId, clientSecret } = this.config.alertmanager;
    const response = await fetch(tokenUrl, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
      }),
    });
    if (!response.ok) throw new Error(`The issuer answered ${response.status}`);
    const token = (await response.json()) as { access_token: string; expires_in: number };
    this.token = { text: token.access_token, expires: Date.now() + (token.expires_in - 10) * 1000 };
    return this.token.text;
  }
}

/** A series of a session that begins now. */
export function seriesOf(
  { name, person }: Session,
  labels: Record<string, string>,
  annotations: Record<string, string>,
): Series {
  return {
    labels: {
      ...labels,
      namespace: 'renku',
      purpose: 'renku-session',
      safe_username: person.userId,
      statefulset: name,
    },
    annotations,
    startsAt: new Date().toISOString(),
  };
}
