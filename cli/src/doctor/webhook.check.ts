import { randomUUID } from 'node:crypto';
import type { Examination } from './check.js';
import { ask, reachingMend, reasonOf, redirectOf, shown } from './neighbours.js';
import type { TimedAnswer } from './neighbours.js';
import { parsedJson, recordOf, textOf } from 'nestjs-session-alerts/operations';

/** After the prefix of the API. */
export const WEBHOOK_PATH = '/webhooks/alertmanager';
const DRY_RUN = '?dry_run=true';

/** What became of a post to the webhook that carries no token and stores nothing. */
export type WebhookProbe =
  { reached: TimedAnswer; redirect: string | undefined } | { reached: undefined; error: unknown };

/** Posts as Alertmanager does, but without a token. */
export async function probeWebhook(examination: Examination, webhookUrl: string): Promise<WebhookProbe> {
  try {
    const reached = await post(examination, webhookUrl + DRY_RUN, JSON.stringify({ alerts: [] }));
    return { reached, redirect: redirectOf(reached, webhookUrl) };
  } catch (error) {
    return { reached: undefined, error };
  }
}

/** Our server is there, asks for a token, and is not behind a redirect. */
export async function checkServer(examination: Examination): Promise<void> {
  const { url } = examination.settings;
  if (url === undefined) {
    examination.skip('server', 'give --api-url, such as https://host/api/data');
    return;
  }
  const probe = await probeWebhook(examination, url + WEBHOOK_PATH);
  if (!probe.reached) {
    examination.wrong(
      'server',
      `${shown(url)} cannot be reached: ${reasonOf(probe.error)}`,
      reachingMend(probe.error, '--api-url'),
    );
    return;
  }
  const { reached, redirect } = probe;
  if (reached.ahead !== undefined) examination.clocks.push({ whose: 'the server', ahead: reached.ahead });
  if (redirect !== undefined) {
    examination.wrong(
      'server',
      `${shown(url + WEBHOOK_PATH)} redirects to ${redirect}: a post is not repeated there`,
      `Give that address as --api-url, and to Alertmanager as the webhook's url`,
    );
  } else if (reached.status === 401) {
    examination.ok('server', `${shown(url)} is there, and asks for a token`);
  } else if (reached.status >= 500) {
    examination.wrong(
      'server',
      `${shown(url)} answers with ${reached.status}`,
      'See its /readyz, which says what it waits for, and its log; where nothing is there, that of the proxy before it',
    );
  } else {
    examination.wrong(
      'server',
      `${shown(url + WEBHOOK_PATH)} answers with ${reached.status}, and does not ask for a token: our API is not there`,
      'Give --api-url with the prefix of the API (GLOBAL_PREFIX), e.g. https://host/api/data',
    );
  }
}

/** The webhook takes the token, and would store an alert: a dry run, which stores nothing. */
export async function checkWebhook(examination: Examination): Promise<void> {
  const { url } = examination.settings;
  const { token } = examination;
  if (url === undefined) {
    examination.skip('webhook', 'give --api-url, such as https://host/api/data');
    return;
  }
  const fault = examination.faultIn('server', 'issuer', 'token');
  if (fault) {
    examination.skip('webhook', `because of what is wrong with ${fault.check}`);
    return;
  }
  if (!token) {
    examination.skip('webhook', 'because there is no token to post with');
    return;
  }
  let answer: TimedAnswer;
  try {
    answer = await postDryRun(examination, JSON.stringify(sampleBody()));
  } catch (error) {
    examination.wrong(
      'webhook',
      `It does not answer: ${reasonOf(error)}`,
      "See the server's /readyz, which says what it waits for, and its log",
    );
    return;
  }
  report(examination, answer);
}

function report(examination: Examination, answer: TimedAnswer): void {
  const body = recordOf(parsedJson(answer.text));
  const said = textOf(recordOf(body['error'])['message']).slice(0, 200) || 'it gives no reason';
  if (answer.status === 200 && body['dry_run'] === true) {
    examination.ok('webhook', 'A dry run of a test alert is taken; nothing was stored');
  } else if (answer.status === 401 && hasLostToken(answer)) {
    examination.wrong(
      'webhook',
      'The server says that no token came, though one was sent: something on the way there takes the header Authorization away',
      'Let the proxies before it pass Authorization on; nginx: remove proxy_set_header Authorization "" from the location of the API, or set it to $http_authorization, and look for an auth_basic that takes the header for itself',
    );
  } else if (answer.status === 401) {
    examination.wrong(
      'webhook',
      `The server refuses a token that fits these settings: ${said}`,
      "Give doctor the server's own environment, or set the server's OIDC_ISSUER, TOKEN_AUDIENCE and clock to fit",
    );
  } else if (answer.status === 403) {
    examination.wrong(
      'webhook',
      `The server wants another role: ${said}`,
      `Set the server's ALERTMANAGER_WEBHOOK_ROLE to ${examination.settings.webhookRole}, or assign the client the role that it names`,
    );
  } else {
    examination.wrong(
      'webhook',
      `It answers with ${answer.status}: ${said}`,
      "See the server's /readyz, which says what it waits for, and its log",
    );
  }
}

/** Our server gives a token that it has seen a reason why it refuses it (RFC 6750, section 3). */
function hasLostToken({ headers }: TimedAnswer): boolean {
  const challenge = headers.get('www-authenticate') ?? '';
  return challenge.includes('realm="session-alerts"') && !challenge.includes('error=');
}

/**
 * Posts with the token; nothing is stored.
 * @throws Error it does not answer
 */
export function postDryRun(examination: Examination, body: string): Promise<TimedAnswer> {
  const { settings, token } = examination;
  return post(examination, `${settings.url ?? ''}${WEBHOOK_PATH}${DRY_RUN}`, body, token?.text);
}

function post(examination: Examination, address: string, body: string, token?: string): Promise<TimedAnswer> {
  return ask(examination, address, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    },
    body,
  });
}

/** An alert of nobody's. */
export function sampleBody(): object {
  return {
    version: '4',
    receiver: 'doctor',
    status: 'firing',
    alerts: [
      {
        status: 'firing',
        labels: { alertname: 'SessionAlertsDoctor', safe_username: randomUUID(), statefulset: 'doctor' },
        annotations: { title: "Doctor's dry run", description: 'It is stored nowhere' },
        startsAt: new Date().toISOString(),
      },
    ],
  };
}
