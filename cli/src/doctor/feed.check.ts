import type { Examination } from './check.js';
import type { DoctorSettings } from './doctor-settings.js';
import { durationText } from './duration-text.js';
import { ask, reasonOf } from './neighbours.js';
import type { TimedAnswer } from './neighbours.js';
import { parsedJson, recordOf, textOf } from 'nestjs-session-alerts/operations';

/** The whole chain at once: whether Prometheus's watchdog alert arrives at our server. */
export async function checkFeed(examination: Examination): Promise<void> {
  const { url } = examination.settings;
  const { token } = examination;
  if (url === undefined) {
    examination.skip('feed', 'give --api-url, such as https://host/api/data');
    return;
  }
  const unasked = examination.faultIn('server', 'issuer', 'token', 'webhook');
  if (unasked) {
    examination.skip('feed', `because of what is wrong with ${unasked.check}`);
    return;
  }
  if (!token) {
    examination.skip('feed', 'because there is no token to ask with');
    return;
  }
  let answer: TimedAnswer;
  try {
    answer = await ask(examination, `${url}/alerts/feed`, {
      headers: { Authorization: `Bearer ${token.text}` },
    });
  } catch (error) {
    examination.wrong('feed', `The server does not answer: ${reasonOf(error)}`, "See the server's log");
    return;
  }
  report(examination, answer);
}

function report(examination: Examination, answer: TimedAnswer): void {
  const { alertname, staleAfter } = examination.settings.watchdog;
  const { status, last_seen: lastSeen } = recordOf(parsedJson(answer.text));
  if (answer.status !== 200) {
    examination.wrong('feed', `GET /alerts/feed is answered with ${answer.status}`, "See the server's log");
    return;
  }
  const seenAt = new Date(textOf(lastSeen)).getTime();
  // Both by the server's clock, where it tells the time.
  const age = durationText(Math.max(0, Math.round(((answer.date?.getTime() ?? Date.now()) - seenAt) / 1000)));
  if (status === 'ok') {
    examination.ok('feed', `The watchdog alert arrived ${age} ago`);
    return;
  }
  const fault = examination.faultIn('alertmanager', 'prometheus', 'database');
  if (fault) {
    examination.skip('feed', `because of what is wrong with ${fault.check}; it is ${textOf(status)}`);
    return;
  }
  const look = whereToLook(examination.settings);
  if (status === 'stale') {
    examination.wrong(
      'feed',
      `The watchdog alert ${alertname} arrived ${age} ago, and not for ${durationText(staleAfter)} since: somewhere between Prometheus and the server alerts are lost`,
      look,
    );
  } else {
    examination.wrong(
      'feed',
      `The watchdog alert ${alertname} has not arrived yet`,
      `After a set-up it may take two minutes: wait, and call doctor again. Where it stays so: ${look}`,
    );
  }
}

function whereToLook({ prometheusUrl, alertmanagers }: DoctorSettings): string {
  const unasked = [
    ...(prometheusUrl === undefined ? ['--prometheus-url'] : []),
    ...(alertmanagers.length === 0 ? ['--alertmanager-url'] : []),
  ];
  return unasked.length > 0
    ? `Give doctor ${unasked.join(' and ')} to see where`
    : 'Alertmanager\'s log says why its posts are refused ("Notify attempt failed")';
}
