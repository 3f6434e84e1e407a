/** A person with a session, as the demo's server names them. */
export interface Person {
  name: string;
  userId: string;
  sessionName: string;
  token: string;
}

/** What the demo's server tells its page. */
export interface DemoConfig {
  api: string;
  alertmanager: { tokenUrl: string; clientId: string; clientSecret: string };
  people: Person[];
}

export async function loadConfig(): Promise<DemoConfig> {
  const response = await fetch('/demo/config.json', { cache: 'no-store' });
  if (!response.ok) throw new Error(`The demo's configuration was answered ${response.status}`);
  return (await response.json()) as DemoConfig;
}
