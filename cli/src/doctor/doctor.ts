import { checkAlertmanagers } from './alertmanager.check.js';
import { checkBodyLimit } from './body-limit.check.js';
import { Examination } from './check.js';
import type { Finding } from './check.js';
import { checkClocks } from './clocks.check.js';
import { checkDatabase } from './database.check.js';
import { checkDelivery } from './delivery.check.js';
import type { DoctorSettings } from './doctor-settings.js';
import { checkFeed } from './feed.check.js';
import { checkIssuer } from './issuer.check.js';
import { checkPrometheus } from './prometheus.check.js';
import { checkReadiness } from './readiness.check.js';
import { checkSettings } from './settings.check.js';
import { checkStandby } from './standby.check.js';
import { checkToken } from './token.check.js';
import { checkUsers } from './users.check.js';
import { checkServer, checkWebhook } from './webhook.check.js';

/** From our server outwards, so that what is found first explains what is found later. */
const CHAIN: ((examination: Examination) => void | Promise<void>)[] = [
  checkSettings,
  checkDatabase,
  checkStandby,
  checkIssuer,
  checkToken,
  checkServer,
  checkReadiness,
  checkClocks,
  checkWebhook,
  checkAlertmanagers,
  checkPrometheus,
  checkUsers,
  checkFeed,
  checkBodyLimit,
  checkDelivery,
];

/**
 * Walks along the chain from Prometheus to the user; changes nothing in it.
 * @param tell hears of each finding at once
 */
export async function examine(
  settings: DoctorSettings,
  tell?: (finding: Finding) => void,
  signal?: AbortSignal,
): Promise<Examination> {
  const examination = new Examination(settings, tell, signal);
  for (const check of CHAIN) await check(examination);
  return examination;
}
