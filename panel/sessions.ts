import type { Alert } from './alert.js';

/** The alerts of one session, in their order; `session` is undefined for those that belong to none. */
export interface SessionGroup {
  session: string | undefined;
  alerts: Alert[];
}

/** Groups alerts, the gravest of which are first, by session: the session with the gravest is first. */
export function bySession(alerts: readonly Alert[]): SessionGroup[] {
  const groups = new Map<string | undefined, Alert[]>();
  for (const alert of alerts) {
    const session = alert.session_name ?? undefined;
    const group = groups.get(session);
    if (group) group.push(alert);
    else groups.set(session, [alert]);
  }
  return [...groups].map(([session, ofSession]) => ({ session, alerts: ofSession }));
}

/** Address of a session's page by a template with `{session}`; undefined where it would be no page of the web. */
export function sessionAddress(template: string, session: string): string | undefined {
  if (!template) return undefined;
  const address = template.replaceAll('{session}', encodeURIComponent(session));
  if (!URL.canParse(address, document.baseURI)) return undefined;
  return /^https?:$/.test(new URL(address, document.baseURI).protocol) ? address : undefined;
}
