import type { WireAnswer } from '../../../bench/wire-connection.js';
import { wireFormOf } from './fuzz-request.js';
import type { FuzzRequest, RouteName } from './fuzz-request.js';
import type { Outcome } from './sending.js';

/** Something that is not as it is documented. */
export interface Finding {
  /** The rule that does not hold; findings of one rule, route and status are one. */
  rule: string;
  status: number | undefined;
  /** What came instead. */
  detail: string;
}

/** docs/api.md: what each route may answer, besides what it answers where all is well. */
// A webhook may come while there is no room for one.
const OF_ANY_USER = [401, 413, 415, 422, 503];
const DOCUMENTED: Record<RouteName, { well: number[]; ill: number[] }> = {
  webhook: { well: [200, 503], ill: [403, ...OF_ANY_USER] },
  grafana: { well: [200, 503], ill: [403, ...OF_ANY_USER] },
  list: { well: [200, 304], ill: OF_ANY_USER },
  history: { well: [200], ill: OF_ANY_USER },
  stream: { well: [200], ill: [429, ...OF_ANY_USER] },
  feed: { well: [200], ill: OF_ANY_USER },
  create: { well: [201, 409], ill: [403, ...OF_ANY_USER] },
  update: { well: [200], ill: [403, 404, ...OF_ANY_USER] },
  seen: { well: [200], ill: OF_ANY_USER },
  preferences: { well: [200], ill: OF_ANY_USER },
  say: { well: [200], ill: OF_ANY_USER },
  documents: { well: [200], ill: [206, 304, 404, 412, 416] },
  panel: { well: [200], ill: [206, 304, 404, 412, 416] },
  probe: { well: [200], ill: [503] },
  nowhere: { well: [404], ill: [404] },
};
/** Where method or path is another than the route's. */
const OF_ANY_ROUTE = [...new Set(Object.values(DOCUMENTED).flatMap(({ well, ill }) => [...well, ...ill]))];
/** What Node answers before there is a request. */
const OF_THE_PARSER = [400, 408, 413, 417, 431];
/** Bytes of a head from which on it may be refused as too large. */
const LARGE_HEAD = 60 * 1024;

/** What must never leave the server: SQL, what databases and Node say, stacks and paths. */
const INSIDES =
  /\bSELECT\b|\bINSERT\b|session_alerts\.|relation "|violates|syntax error|pg_|postgres|\b[0-9A-Z]{5}: |QueryFailed|TypeError|RangeError|SyntaxError|ECONN|EPIPE|Cannot read|undefined|is not a function|FST_ERR|\n\s*at |node_modules|node:|\/(src|dist|work|home|usr|tmp)\/|\.[jt]s:\d/;

/** All that is wrong with what became of a request. */
export function findingsIn(request: FuzzRequest, outcome: Outcome): Finding[] {
  if (outcome === 'left') return [];
  const { answers, ending } = outcome;
  if (ending === 'late') {
    return [{ rule: 'is answered in time', status: undefined, detail: `${answers.length} answers came` }];
  }
  const findings = answers.flatMap((answer) => ofAnswer(request, answer));
  // Node closes a connection on which what it cannot read came, with an answer or without.
  const mayBeClosed =
    !request.is.http ||
    request.manner.how === 'half closed' ||
    answers.some(({ headers }) => headers.get('connection') === 'close');
  if (ending === 'closed' && !mayBeClosed) {
    findings.push({
      rule: 'is answered',
      status: undefined,
      detail: `closed after ${answers.length} answers`,
    });
  }
  return findings;
}

function ofAnswer(request: FuzzRequest, answer: WireAnswer): Finding[] {
  const { status, headers, body } = answer;
  const found: Finding[] = [];
  const expectThat = (rule: string, holds: boolean, detail: string): void => {
    if (!holds) found.push({ rule, status, detail });
  };
  const allowed = allowedFor(request);
  expectThat('status is documented', allowed.includes(status), `${status}, not one of ${allowed.join(', ')}`);
  const isPersonal = /^\/api\/data\/(alerts|webhooks)/.test(request.path);
  if (status >= 400 || isPersonal) {
    const caching = headers.get('cache-control') ?? 'none';
    expectThat('Cache-Control is no-store', /\bno-store\b/.test(caching), `Cache-Control: ${caching}`);
  }
  if (status >= 400) {
    const text = body.toString();
    expectThat('says nothing of our insides', !INSIDES.test(text), text.slice(0, 500));
    const isProbe = status === 503 && request.path === '/readyz';
    if (request.method !== 'HEAD' && !isProbe) {
      expectThat('has the error body', isErrorBody(text, status), text.slice(0, 500) || 'no body');
      const type = headers.get('content-type') ?? 'none';
      expectThat('error is JSON', /^application\/json\b/.test(type), `Content-Type: ${type}`);
    }
  }
  if (status === 401) {
    expectThat('says how to authenticate', headers.has('www-authenticate'), 'no WWW-Authenticate');
  }
  if (status === 200 && request.caller !== undefined && request.is.addressed && request.method === 'GET') {
    const strangers = usersIn(request.route, body.toString()).filter((user) => user !== request.caller);
    expectThat("shows nobody else's alerts", strangers.length === 0, strangers.join(', '));
  }
  return found;
}

function allowedFor(request: FuzzRequest): number[] {
  const { route, is } = request;
  const { well, ill } = DOCUMENTED[route];
  const { head } = wireFormOf(request);
  const large = head.length > LARGE_HEAD ? [431] : [];
  if (!is.http) return [...OF_ANY_ROUTE, ...OF_THE_PARSER];
  if (!is.addressed) return [...OF_ANY_ROUTE, ...large];
  // Somebody may have closed the alert before; and a cursor is the id of one that was closed.
  if (is.valid) return [...well, ...(route === 'update' ? [404] : []), ...(route === 'history' ? [422] : [])];
  return [...well, ...ill, ...large];
}

function isErrorBody(text: string, status: number): boolean {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return false;
  }
  if (typeof body !== 'object' || body === null || Object.keys(body).join() !== 'error') return false;
  const { error } = body as { error: unknown };
  if (typeof error !== 'object' || error === null) return false;
  const { code, message, ...more } = error as Record<string, unknown>;
  return (
    code === status &&
    typeof message === 'string' &&
    /\w/.test(message) &&
    Object.entries(more).every(
      ([name, value]) => ['detail', 'trace_id'].includes(name) && typeof value === 'string',
    )
  );
}

/** Whose alerts an answer shows. */
function usersIn(route: RouteName, text: string): string[] {
  if (!['list', 'history', 'stream'].includes(route)) return [];
  return [...text.matchAll(/"user_id":"([^"]*)"/g)].map(([, user = '']) => user);
}
