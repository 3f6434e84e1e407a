import type { Network, Session } from './demo-config.js';

/** Lets the panels' way to the API be bad, or good again. */
export async function setNetwork(mode: Network): Promise<void> {
  await post('/demo/network', { mode });
}

/** Lets Prometheus's watchdog alert come, or stay away. */
export async function setWatchdog(comes: boolean): Promise<void> {
  await post('/demo/watchdog', { comes });
}

/** Ends a session, as its platform would tell the API. Returns how many alerts that closed. */
export async function endSession({ name, person }: Session): Promise<number> {
  const response = await post('/demo/session-end', { sessionName: name, userId: person.userId });
  return ((await response.json()) as { closed: number }).closed;
}

async function post(address: string, body: unknown): Promise<Response> {
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${address} was answered ${response.status}`);
  return response;
}
