import { parsedJson, recordOf } from 'nestjs-session-alerts/operations';
import type { Examination } from './check.js';
import { reasonOf } from './neighbours.js';
import type { TimedAnswer } from './neighbours.js';
import { postDryRun, sampleBody } from './webhook.check.js';

const CHECK = 'webhook.size';
/** So much (bytes) should pass whatever Alertmanager has now, and more is not tried. */
const LEAST = 1024 * 1024;
const MOST = 64 * 1024 * 1024;

const OF_PROXY =
  'Raise the limit of the proxy before the server: in nginx client_max_body_size 32m; for the location of the API (Ingress of nginx: the annotation nginx.ingress.kubernetes.io/proxy-body-size: 32m)';
const OF_SERVER =
  "Set BODY_LIMIT_MB on the server (in an application: the body limit of its adapter), or group_by: ['...'] on the route, which posts each alert by itself";

/** A post as large as the largest group that Alertmanager has is taken: a dry run, which stores nothing. */
export async function checkBodyLimit(examination: Examination): Promise<void> {
  const { token, largestGroup, settings } = examination;
  const isTaken = examination.findings.some(({ check, status }) => check === 'webhook' && status === 'ok');
  if (!token || settings.url === undefined || !isTaken) return;
  const group = largestGroup && Math.min(largestGroup.bytes, MOST);
  const size = Math.max(LEAST, group ?? 0);
  const refusal = await refusalOf(examination, size);
  const has = largestGroup
    ? `the largest group in Alertmanager (alerts: ${largestGroup.alerts}) weighs ${inWords(largestGroup.bytes)}`
    : 'how large the groups in Alertmanager are is not known';
  if (!refusal) {
    examination.ok(CHECK, `A post of ${inWords(size)} is taken; ${has}`);
    return;
  }
  const cutsGroup = group !== undefined && (group >= size || (await refusalOf(examination, group)));
  const message = `A post of ${inWords(size)} is refused, ${refusal.how}; ${has}`;
  if (cutsGroup) {
    examination.wrong(CHECK, `${message}, and all of its alerts are lost`, refusal.mend);
  } else {
    examination.warn(CHECK, `${message}, and one that grows is lost`, refusal.mend);
  }
}

interface Refusal {
  how: string;
  mend: string;
}

async function refusalOf(examination: Examination, size: number): Promise<Refusal | undefined> {
  let answer: TimedAnswer;
  try {
    answer = await postDryRun(examination, padded(size));
  } catch (error) {
    return { how: `without an answer (${reasonOf(error)})`, mend: OF_PROXY };
  }
  const { dry_run: isDry, error } = recordOf(parsedJson(answer.text));
  if (answer.status === 200 && isDry === true) return undefined;
  if (answer.status !== 413) {
    return {
      how: `with ${answer.status}, where a small one is taken`,
      mend: `See the log of the proxy before the server, and its own. ${OF_PROXY}`,
    };
  }
  const isOurs = recordOf(error)['code'] === 413;
  return isOurs
    ? { how: "with the server's own 413", mend: OF_SERVER }
    : { how: "with 413 from a proxy, not the server's", mend: OF_PROXY };
}

/** A test alert of so many bytes. */
function padded(size: number): string {
  const body = { ...sampleBody(), commonAnnotations: { padding: '' } };
  const missing = size - JSON.stringify(body).length;
  body.commonAnnotations.padding = 'x'.repeat(Math.max(missing, 0));
  return JSON.stringify(body);
}

function inWords(bytes: number): string {
  return bytes < LEAST ? `${Math.ceil(bytes / 1024)} KiB` : `${Number((bytes / LEAST).toFixed(1))} MiB`;
}
