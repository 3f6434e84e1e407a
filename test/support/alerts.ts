import type { EmbeddedIssuer } from '../../server/demo/embedded-issuer.js';
import { seriesFingerprint } from '../../src/webhooks/series-fingerprint.js';

/** One alert of a webhook, as Alertmanager writes it. */
export interface AlertmanagerAlert {
  status: 'firing' | 'resolved';
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt?: string;
  endsAt?: string;
  generatorURL: string;
  fingerprint?: string;
}

/** What tells one firing alert from another; the rest is as the guide's rules have it. */
export interface FiringSpec {
  user?: string;
  session?: string;
  /** Label `alertname`; an empty one is left out, as Alertmanager does. */
  name?: string;
  severity?: string;
  title?: string;
  message?: string;
  startsAt?: string;
  /** Beside those above. */
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

const GO_ZERO_TIME = '0001-01-01T00:00:00Z';
const FIRST_MINUTE = Date.parse('2026-01-15T08:00:00Z');

/** A moment, so many minutes into the morning on which the tests' alerts happen. */
export function minute(count: number): string {
  return new Date(FIRST_MINUTE + count * 60_000).toISOString();
}

/** A firing alert; its episode starts in minute 0. */
export function firing(spec: FiringSpec = {}): AlertmanagerAlert {
  const labels = withoutEmpty({
    alertname: spec.name ?? 'RenkuSessionHighMemory',
    namespace: 'renku',
    purpose: 'renku-session',
    safe_username: spec.user ?? 'jane',
    severity: spec.severity ?? 'warning',
    statefulset: spec.session ?? 'jane-1',
    ...spec.labels,
  });
  return {
    status: 'firing',
    labels,
    annotations: withoutEmpty({
      description: spec.message ?? 'Memory usage over 90% of capacity',
      title: spec.title ?? 'High memory usage',
      ...spec.annotations,
    }),
    startsAt: spec.startsAt ?? minute(0),
    endsAt: GO_ZERO_TIME,
    generatorURL: 'http://prometheus.example/graph?g0.expr=x',
    fingerprint: seriesFingerprint(new Map(Object.entries(labels))),
  };
}

/** The end of a firing alert, by default in minute 60. */
export function resolved(alert: AlertmanagerAlert, endsAt = minute(60)): AlertmanagerAlert {
  return { ...alert, status: 'resolved', endsAt };
}

/** Alertmanager's body around alerts; `more` overrides its fields. */
export function webhook(alerts: unknown[], more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    receiver: 'renku-webhook',
    status: 'firing',
    alerts,
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {},
    externalURL: 'http://alertmanager.example',
    version: '4',
    groupKey: '{}/{purpose="renku-session"}:{}',
    truncatedAlerts: 0,
    ...more,
  };
}

function withoutEmpty(texts: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ''));
}

/** An alert as the API shows it. */
export interface ShownAlert {
  id: string;
  title: string;
  message: string;
  event_type: string;
  user_id: string;
  session_name?: string;
  creation_date: string;
  resolved_date: string | null;
  severity: string | null;
  kind: string;
  updated_date: string;
  escalated_date?: string;
  runbook_url: string | null;
  action_label?: string;
  action_url?: string;
  resolved_reason: string | null;
  seen_date?: string;
  muted_until?: string;
  series?: ShownSeries[];
  series_count?: number;
}

/** One of several series of an alert, as the API shows it. */
export interface ShownSeries {
  title: string;
  message: string;
  severity: string | null;
  starts_at: string;
  runbook_url: string | null;
  action_label?: string;
  action_url?: string;
}

/** What a webhook is answered. */
export interface Summary {
  stored: number;
  resolved: number;
  skipped: number;
  reasons: Record<string, number>;
  dry_run?: true;
  alerts?: Record<string, unknown>[];
}

export interface Answer<Body = unknown> {
  status: number;
  headers: Headers;
  body: Body;
}

/** Who calls, as their token says. */
export interface Person {
  sub: string;
  roles?: string[];
  /** Verified, unless `emailVerified` is false. */
  email?: string;
  emailVerified?: boolean;
  locale?: string;
}

export const ADMIN: Person = { sub: 'admin', roles: ['renku-admin'] };
export const ALERTMANAGER: Person = { sub: 'alertmanager', roles: ['alertmanager-webhook'] };

/** The API as those use it who call it over HTTP. */
export class AlertsApi {
  /** @param url of the API, with its prefix and without a slash at its end */
  constructor(
    readonly url: string,
    private readonly issuer: Pick<EmbeddedIssuer, 'userToken'>,
  ) {}

  /** Sends a body as JSON; a string or bytes go as they are. */
  async call<Body = unknown>(
    method: string,
    path: string,
    { as, body, type = 'application/json' }: { as?: Person; body?: unknown; type?: string } = {},
  ): Promise<Answer<Body>> {
    const headers: Record<string, string> = {};
    if (as) headers['Authorization'] = `Bearer ${await this.issuer.userToken(as)}`;
    if (body !== undefined) headers['Content-Type'] = type;
    const response = await fetch(this.url + path, {
      method,
      headers,
      body: body === undefined ? null : asSent(body),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json');
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson ? JSON.parse(text) : text) as Body,
    };
  }

  postWebhook(body: unknown, query = ''): Promise<Answer<Summary>> {
    return this.call('POST', `/webhooks/alertmanager${query}`, { as: ALERTMANAGER, body });
  }

  /** Posts alerts as one webhook, and expects it to be taken. */
  async deliver(...alerts: unknown[]): Promise<Summary> {
    const answer = await this.postWebhook(webhook(alerts));
    expect(answer).toMatchObject({ status: 200 });
    return answer.body;
  }

  /** What a user sees, the gravest first, then the newest. */
  async openAlerts(user = 'jane', session?: string): Promise<ShownAlert[]> {
    const query = session === undefined ? '' : `?session_name=${encodeURIComponent(session)}`;
    const answer = await this.call<ShownAlert[]>('GET', `/alerts${query}`, { as: { sub: user } });
    expect(answer).toMatchObject({ status: 200 });
    return answer.body;
  }

  /** The one open alert that a user has. */
  async onlyAlert(user = 'jane'): Promise<ShownAlert> {
    const [alert, ...others] = await this.openAlerts(user);
    if (!alert || others.length > 0) {
      throw new Error(`${user} has ${others.length + (alert ? 1 : 0)} open alerts, not one`);
    }
    return alert;
  }

  create(body: unknown): Promise<Answer<ShownAlert>> {
    return this.call('POST', '/alerts', { as: ADMIN, body });
  }

  /** Closes an alert, as an administrator unless somebody else is named. */
  update(id: string, body: unknown = { resolved: true }, as: Person = ADMIN): Promise<Answer<ShownAlert>> {
    return this.call('PATCH', `/alerts/${id}`, { as, body });
  }
}

function asSent(body: unknown): string | Uint8Array<ArrayBuffer> {
  if (Buffer.isBuffer(body)) return new Uint8Array(body);
  return typeof body === 'string' ? body : JSON.stringify(body);
}

/** Expects an error with the API's error body, which says nothing of our insides; gives its details. */
export function expectError(
  answer: Answer,
  code: number,
): { code: number; message: string; detail?: string; trace_id?: string } {
  expect(answer).toMatchObject({
    status: code,
    body: { error: { code, message: expect.stringMatching(/\w/) as unknown } },
  });
  const { error } = answer.body as { error: { code: number; message: string } };
  expect(['code', 'message', 'detail', 'trace_id']).toEqual(expect.arrayContaining(Object.keys(error)));
  expect(JSON.stringify(answer.body)).not.toMatch(/SELECT|INSERT|session_alerts\.|node_modules|\.[jt]s\b/);
  return error;
}
