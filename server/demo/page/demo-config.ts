export interface Person {
  name: string;
  userId: string;
  token: string;
}

export interface Session {
  name: string;
  person: Person;
}

export type Network = 'normal' | 'slow' | 'stream-blocked' | 'away';

/** What the demo's server tells its page. */
export interface DemoConfig {
  /** Another one for each start of the server. */
  run: string;
  /** Alertmanager's way to the API. */
  api: string;
  /** The panels' way, which can be made bad. */
  panelApi: string;
  alertmanager: { tokenUrl: string; clientId: string; clientSecret: string };
  people: Person[];
  sessions: { name: string; userId: string }[];
  network: Network;
  watchdogComes: boolean;
}

export async function loadConfig(): Promise<DemoConfig> {
  const response = await fetch('/demo/config.json', { cache: 'no-store' });
  if (!response.ok) throw new Error(`The demo's configuration was answered ${response.status}`);
  return (await response.json()) as DemoConfig;
}

export function sessionsOf({ people, sessions }: DemoConfig): Session[] {
  return sessions.flatMap(({ name, userId }) => {
    const person = people.find((one) => one.userId === userId);
    return person ? [{ name, person }] : [];
  });
}
