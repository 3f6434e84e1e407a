import type { Examination } from './check.js';
import { durationText } from './duration-text.js';
import { shown } from './neighbours.js';

/** The server's environment, as far as it is doctor's own. */
export function checkSettings(examination: Examination): void {
  const { problems, issuer, audience, webhookRole, expireAfter } = examination.settings;
  for (const problem of problems) {
    const { what, mend } = split(problem);
    examination.wrong('settings', what, mend);
  }
  if (problems.length > 0) return;
  const tokens = issuer === undefined ? 'no issuer given' : `issuer ${shown(issuer)}`;
  examination.ok(
    'settings',
    `${tokens}, audience ${audience}, role ${webhookRole}, alerts expire after ${durationText(expireAfter)}`,
  );
}

/** The server's own sentences say what must be; that is the mend. */
function split(problem: string): { what: string; mend: string } {
  const name = /^[A-Z_]+/.exec(problem)?.[0] ?? 'A setting';
  return { what: `${name} cannot be used as it is`, mend: problem };
}
