import { post } from './client-token.js';
import { CommandError, UnreachableError } from './command-error.js';
import { parsedJson, recordOf } from 'nestjs-session-alerts/operations';

export interface TestAlertRequest {
  user: string;
  session: string;
  /** End the alert rather than raise it. */
  resolve: boolean;
  dryRun: boolean;
}

/** What the server answers a webhook of one alert. */
export interface WebhookAnswer {
  stored: number;
  resolved: number;
  skipped: number;
  reasons: Record<string, number>;
  /** A dry run's. */
  alerts?: { result: string; reason?: string }[];
}

/**
 * The body of the administrators' guide's test alert. An alert that a person has dismissed stays away for its
 * episode: each test is one of its own, which starts when it is sent.
 */
export function testAlertBody({ user, session, resolve }: TestAlertRequest, now: Date): object {
  const status = resolve ? 'resolved' : 'firing';
  return {
    version: '4',
    groupKey: 'test',
    status,
    alerts: [
      {
        status,
        labels: { safe_username: user, statefulset: session },
        annotations: { title: 'Test Alert', description: 'Testing the webhook integration' },
        ...(resolve ? { endsAt: now.toISOString() } : { startsAt: now.toISOString() }),
      },
    ],
  };
}

/**
 * Posts the test alert.
 * @throws UnreachableError the server does not answer, or cannot store anything now
 * @throws CommandError it refuses
 */
export async function postTestAlert(
  webhookUrl: string,
  token: string,
  request: TestAlertRequest,
): Promise<WebhookAnswer> {
  const { status, text } = await post(webhookUrl + (request.dryRun ? '?dry_run=true' : ''), {
    body: JSON.stringify(testAlertBody(request, new Date())),
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
  });
  const answer = recordOf(parsedJson(text));
  if (status === 200 && typeof answer['stored'] === 'number') return answer as unknown as WebhookAnswer;
  throw refusal(webhookUrl, status, messageIn(answer));
}

/** What became of the test alert, in a sentence. */
export function describeAnswer(
  answer: WebhookAnswer,
  { user, session, resolve, dryRun }: TestAlertRequest,
): { isApplied: boolean; text: string } {
  const whom = `for user ${user} in session ${session}`;
  if (answer.skipped > 0) {
    const reason = Object.keys(answer.reasons)[0] ?? 'no reason given';
    const what = dryRun ? 'would be skipped' : 'was skipped';
    const why = SKIPPED[reason];
    return {
      isApplied: false,
      text: `The test alert ${whom} ${what} (${reason})${why === undefined ? '.' : `: ${why}`}`,
    };
  }
  const done = resolve ? 'resolved' : 'stored';
  const text = dryRun
    ? `Would be ${done}: the test alert ${whom}. Nothing was changed.`
    : `${resolve ? 'Resolved' : 'Stored'}: the test alert ${whom}${resolve ? '.' : ' is in their panel now; the same command with --resolve ends it.'}`;
  return { isApplied: true, text };
}

/** The server's reasons, as far as the test alert can meet them. */
const SKIPPED: Record<string, string> = {
  invalid_user: "--user is no user's id: give the id that Keycloak shows for the user.",
  invalid_session: "--session is longer than a session's name can be.",
  unknown_user: 'the server knows no such user: give the id that Keycloak shows for the user.',
  unknown_series:
    'there is nothing to end: no test alert was sent for this user and session, or it has ended already.',
  already_resolved: 'it has ended already.',
  late_resolve: 'it was sent again since: resolve it once more.',
  closed_by_hand: 'a person has closed this episode: send it again to start another.',
  superseded: 'somebody else sent the same at the same moment: send it again.',
};

function refusal(webhookUrl: string, status: number, message: string): CommandError {
  const said = `${webhookUrl} answers ${status}${message === '' ? '' : ` (${message})`}`;
  if (status >= 500) return new UnreachableError(`${said}: try again, and look into the server's log.`);
  if (status === 401) {
    return new CommandError(
      `${said}: the token does not verify. Compare the server's OIDC_ISSUER and TOKEN_AUDIENCE with the token; "session-alerts keycloak setup" puts the audience in.`,
    );
  }
  if (status === 403) {
    return new CommandError(
      `${said}: the client lacks the role; "session-alerts keycloak setup" gives it to the client.`,
    );
  }
  return new CommandError(`${said}, which is no answer of session alerts: check --instance or --api-url.`);
}

function messageIn(answer: Record<string, unknown>): string {
  const { error } = answer as { error?: { message?: unknown } };
  return typeof error?.message === 'string' ? error.message : '';
}
