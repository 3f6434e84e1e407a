import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Alert, Feed } from '../../../ui/alert.js';
import type { AlertName, Backend, FiredAlert } from './backend.js';

interface Listener {
  user: string;
  session: string | null;
  response: ServerResponse;
  expiry: NodeJS.Timeout;
}

/** A request as it came, for tests that look at what the panel asks. */
export interface SeenRequest {
  method: string;
  path: string;
  query: string;
  user: string | undefined;
  status: number;
}

interface WebhookAlert {
  status: string;
  labels: Record<string, string | undefined>;
  annotations: Record<string, string | undefined>;
}

const TOKEN_PATH = '/auth/realms/Renku/protocol/openid-connect/token';

/** The API in memory, as the panel knows it. Its tokens are JWTs that nobody signed. */
export class FakeBackend implements Backend {
  readonly requests: SeenRequest[] = [];

  private alerts: Alert[] = [];
  /** Alertmanager's series that fire, by the id of the alert that they are behind. */
  private readonly series = new Map<string, Set<string>>();
  private feed: Feed = { status: 'ok', last_seen: new Date().toISOString() };
  private readonly listeners = new Set<Listener>();
  private server: Server | undefined;
  private port = 0;

  static async create(): Promise<FakeBackend> {
    const backend = new FakeBackend();
    await backend.start();
    return backend;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** How many streams are open. */
  get streams(): number {
    return this.listeners.size;
  }

  token(user: string, lifetime = 300): Promise<string> {
    const claims = { sub: user, exp: Math.floor(Date.now() / 1000) + lifetime };
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    return Promise.resolve(`${encode({ alg: 'none' })}.${encode(claims)}.${randomBytes(4).toString('hex')}`);
  }

  fire(...alerts: FiredAlert[]): Promise<void> {
    for (const fired of alerts) {
      const open = this.find(fired);
      const now = new Date().toISOString();
      const said = {
        title: fired.title ?? 'High memory usage',
        message: fired.message ?? 'Memory usage over 90% of capacity',
        severity: fired.severity ?? null,
        runbook_url: fired.runbookUrl ?? null,
        updated_date: now,
      };
      if (open) Object.assign(open, said);
      else {
        this.alerts.unshift({
          id: newId(),
          event_type: fired.name,
          user_id: fired.user,
          session_name: fired.session,
          creation_date: now,
          resolved_date: null,
          kind: fired.kind ?? 'condition',
          resolved_reason: null,
          ...said,
        });
      }
    }
    this.tell(alerts.map(({ user }) => user));
    return Promise.resolve();
  }

  resolve(...alerts: AlertName[]): Promise<void> {
    for (const name of alerts) {
      const open = this.find(name);
      if (open) end(open, 'resolved');
    }
    this.tell(alerts.map(({ user }) => user));
    return Promise.resolve();
  }

  setFeed(status: Feed['status']): Promise<void> {
    this.feed = {
      status,
      last_seen: status === 'unknown' ? null : new Date(Date.now() - 600_000).toISOString(),
    };
    for (const { response } of this.listeners) response.write(feedEvent(this.feed));
    return Promise.resolve();
  }

  /** Lets all of a user's alerts be older (ms). */
  age(user: string, by: number): void {
    const older = (date: string): string => new Date(Date.parse(date) - by).toISOString();
    for (const alert of this.alerts.filter(({ user_id }) => user_id === user)) {
      alert.creation_date = older(alert.creation_date);
      if (alert.resolved_date) alert.resolved_date = older(alert.resolved_date);
    }
    this.tell([user]);
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      void this.answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    await new Promise((resolve) => {
      if (!server) {
        resolve(undefined);
        return;
      }
      server.close(resolve);
      server.closeAllConnections();
    });
  }

  async close(): Promise<void> {
    await this.stop();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path, searchParams, search } = new URL(request.url ?? '', this.url);
    const method = request.method ?? '';
    const claims = readToken(request.headers.authorization);
    response.on('finish', () => {
      const status = response.statusCode;
      this.requests.push({ method, path, query: search, user: claims?.sub, status });
    });
    if (path === '/demo/config.json') {
      sendJson(response, await this.demoConfig());
    } else if (path === TOKEN_PATH) {
      sendJson(response, { access_token: await this.token('alertmanager'), expires_in: 300 });
    } else if (!path.startsWith('/api/data/')) {
      sendError(response, 404);
    } else if (!claims || claims.exp * 1000 < Date.now()) {
      sendError(response, 401);
    } else if (path === '/api/data/webhooks/alertmanager') {
      const body = JSON.parse(await readBody(request)) as { alerts: WebhookAlert[] };
      sendJson(response, await this.takeWebhook(body.alerts));
    } else if (method === 'PATCH') {
      await this.answerDismissal(request, response, claims.sub, path.split('/').at(-1) ?? '');
    } else if (path === '/api/data/alerts/stream') {
      this.openStream(response, claims, searchParams.get('session_name'));
    } else if (path === '/api/data/alerts/feed') {
      sendJson(response, this.feed);
    } else if (path === '/api/data/alerts' && searchParams.get('status') === 'resolved') {
      sendJson(response, this.ended(claims.sub, searchParams));
    } else if (path === '/api/data/alerts') {
      const body = JSON.stringify(this.open(claims.sub, searchParams.get('session_name')));
      const etag = `"${Buffer.from(body).toString('base64url').slice(-40)}${body.length}"`;
      if (request.headers['if-none-match'] === etag) response.writeHead(304, { ETag: etag }).end();
      else response.writeHead(200, { ETag: etag, 'Content-Type': 'application/json' }).end(body);
    } else {
      sendError(response, 404);
    }
  }

  private async answerDismissal(
    request: IncomingMessage,
    response: ServerResponse,
    user: string,
    id: string,
  ): Promise<void> {
    const body = await readBody(request);
    const alert = this.alerts.find((one) => one.id === id && one.user_id === user);
    if ((JSON.parse(body) as { dismissed?: unknown }).dismissed !== true) sendError(response, 422);
    else if (!alert) sendError(response, 404);
    else {
      end(alert, 'dismissed');
      sendJson(response, alert);
      this.tell([user]);
    }
  }

  private async takeWebhook(alerts: WebhookAlert[]): Promise<Record<string, number>> {
    const summary = { stored: 0, resolved: 0, skipped: 0 };
    for (const { status, labels, annotations } of alerts) {
      const name = {
        user: labels['safe_username'] ?? '',
        session: labels['statefulset'] ?? '',
        name: labels['alertname'] ?? '',
      };
      const key = JSON.stringify(labels);
      if (status === 'firing') {
        const { title, description, runbook_url: runbookUrl } = annotations;
        await this.fire({
          ...name,
          kind: labels['alert_kind'] === 'event' ? 'event' : 'condition',
          ...(title && { title }),
          ...(description && { message: description }),
          ...(labels['severity'] && { severity: labels['severity'] }),
          ...(runbookUrl && { runbookUrl }),
        });
        const id = this.find(name)?.id ?? '';
        this.series.set(id, (this.series.get(id) ?? new Set()).add(key));
        summary.stored += 1;
      } else {
        const open = this.find(name);
        const series = this.series.get(open?.id ?? '');
        summary[series?.delete(key) ? 'resolved' : 'skipped'] += 1;
        if (open?.kind === 'condition' && series?.size === 0) await this.resolve(name);
      }
    }
    return summary;
  }

  private async demoConfig(): Promise<unknown> {
    const person = async (name: string, sessionName: string): Promise<unknown> => ({
      name,
      userId: name.toLowerCase(),
      sessionName,
      token: await this.token(name.toLowerCase()),
    });
    return {
      api: '/api/data',
      alertmanager: { tokenUrl: TOKEN_PATH, clientId: 'alertmanager', clientSecret: 'secret' },
      people: [await person('Ann', 'ann-flights-7f3a9c'), await person('Bob', 'bob-proteins-2c1d6a')],
    };
  }

  private openStream(
    response: ServerResponse,
    claims: { sub: string; exp: number },
    session: string | null,
  ): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write(`retry: 500\n\n${feedEvent(this.feed)}`);
    const expiry = setTimeout(() => response.end(), Math.min(claims.exp * 1000 - Date.now(), 2 ** 31 - 1));
    const listener = { user: claims.sub, session, response, expiry };
    this.listeners.add(listener);
    response.on('close', () => {
      clearTimeout(expiry);
      this.listeners.delete(listener);
    });
    this.send(listener);
  }

  private tell(users: string[]): void {
    for (const listener of this.listeners) if (users.includes(listener.user)) this.send(listener);
  }

  private send({ response, user, session }: Listener): void {
    response.write(`data: ${JSON.stringify(this.open(user, session))}\n\n`);
  }

  private open(user: string, session: string | null): Alert[] {
    return this.of(user, session).filter(({ resolved_date }) => resolved_date === null);
  }

  private ended(user: string, query: URLSearchParams): Alert[] {
    const since = query.get('since') ?? '';
    return this.of(user, query.get('session_name'))
      .filter(({ resolved_date }) => resolved_date !== null && resolved_date >= since)
      .sort((a, b) => ((a.resolved_date ?? '') < (b.resolved_date ?? '') ? 1 : -1))
      .slice(0, Number(query.get('limit')));
  }

  private of(user: string, session: string | null): Alert[] {
    return this.alerts.filter(
      (alert) => alert.user_id === user && (session === null || alert.session_name === session),
    );
  }

  private find({ user, session, name }: AlertName): Alert | undefined {
    return this.open(user, session).find(({ event_type }) => event_type === name);
  }
}

function end(alert: Alert, reason: string): void {
  alert.resolved_date = new Date().toISOString();
  alert.resolved_reason = reason;
}

function newId(): string {
  return randomBytes(13).toString('hex').toUpperCase();
}

function feedEvent(feed: Feed): string {
  return `event: feed\ndata: ${JSON.stringify(feed)}\n\n`;
}

function readToken(header: string | undefined): { sub: string; exp: number } | undefined {
  const payload = header?.replace(/^Bearer /, '').split('.')[1];
  if (!payload) return undefined;
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string; exp: number };
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

function sendJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

function sendError(response: ServerResponse, code: number): void {
  response
    .writeHead(code, { 'Content-Type': 'application/json' })
    .end(JSON.stringify({ error: { code, message: `Error ${code}` } }));
}
