import { randomUUID } from 'node:crypto';
import type { Alertmanager, FiringAlert } from './alertmanager.js';
import type { Random } from './random.js';

/** A session, named as user/session. */
export type SessionKey = string;

interface Session {
  user: string;
  name: string;
}

/** Sessions, and which of them are in trouble: the truth that everything else has to agree with. */
export class Sessions {
  readonly users: string[];
  /** How often one of them got into trouble or out of it. */
  changes = 0;
  private readonly all: Session[];
  private readonly troubles = new Map<Session, FiringAlert>();

  constructor(
    private readonly random: Random,
    readonly count = 200,
  ) {
    this.users = Array.from({ length: 10 }, () => randomUUID());
    this.all = Array.from({ length: count }, (_, index) => ({
      user: this.users[index % this.users.length] ?? '',
      name: `session-${`${index}`.padStart(4, '0')}`,
    }));
  }

  get inTrouble(): SessionKey[] {
    return [...this.troubles.keys()].map(({ user, name }) => `${user}/${name}`).sort();
  }

  /** Prometheus's text format: how full each one's memory is. */
  get metrics(): string {
    const samples = this.all.map(
      (session) =>
        `session_memory_usage_ratio{safe_username="${session.user}",statefulset="${session.name}"} ` +
        (this.troubles.has(session) ? '0.95' : '0.5'),
    );
    return ['# TYPE session_memory_usage_ratio gauge', ...samples, ''].join('\n');
  }

  /** Gets so many that are well into trouble; returns the alerts that begin. */
  trouble(count: number): FiringAlert[] {
    const well = this.all.filter((session) => !this.troubles.has(session));
    return this.random.some(well, count).map((session) => this.begin(session));
  }

  /** Gets so many out of trouble; returns the alerts that end. */
  recover(count: number): FiringAlert[] {
    return this.random.some([...this.troubles.keys()], count).map((session) => this.end(session));
  }

  /** Turns so many: those in trouble recover, those that are well get into it. */
  turn(count: number): { begun: FiringAlert[]; ended: FiringAlert[] } {
    const [ill, well] = [[], []] as [Session[], Session[]];
    for (const session of this.random.some(this.all, count)) {
      (this.troubles.has(session) ? ill : well).push(session);
    }
    return {
      begun: well.map((session) => this.begin(session)),
      ended: ill.map((session) => this.end(session)),
    };
  }

  /** Posts to each what fires, as Prometheus does again and again. */
  async postAllTo(...alertmanagers: Alertmanager[]): Promise<void> {
    await Promise.all(alertmanagers.map((one) => one.fire(...this.troubles.values())));
  }

  private begin(session: Session): FiringAlert {
    const alert = {
      labels: {
        alertname: 'RenkuSessionHighMemory',
        purpose: 'renku-session',
        severity: 'warning',
        namespace: 'renku',
        safe_username: session.user,
        statefulset: session.name,
      },
      annotations: { title: 'High memory usage', description: 'Memory usage over 90% of capacity' },
      startsAt: new Date().toISOString(),
    };
    this.troubles.set(session, alert);
    this.changes += 1;
    return alert;
  }

  private end(session: Session): FiringAlert {
    const alert = this.troubles.get(session);
    if (!alert) throw new Error(`${session.name} is well already`);
    this.troubles.delete(session);
    this.changes += 1;
    return alert;
  }
}
