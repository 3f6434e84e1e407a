import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { BehaviorSubject, Subject } from 'rxjs';
import type { Observable } from 'rxjs';
import type { DataSource } from 'typeorm';
import { ALERTS_DIRECT_DATA_SOURCE } from '../options/module-options.js';
import { AlertsDatabase } from './alerts-database.js';
import { CHANNEL, OF_PREFERENCES, PING } from './transaction.statements.js';
import { messagesOf } from '../http/error-messages.js';

/** What we use of `pg`'s client. */
interface ListeningClient {
  query(text: string): Promise<{ rows: unknown[] } | { rows: unknown[] }[]>;
  on(event: 'notification', listener: (notice: { channel: string; payload?: string }) => void): this;
  on(event: 'end' | 'error', listener: () => void): this;
  removeAllListeners(event: 'notification'): this;
  connection: { stream: { destroy(): void } };
}

const WHO_SERVES = 'SELECT pg_backend_pid() AS backend';

const LONGEST_WAIT = 1_000;
/**
 * How often the connection has to answer, and this process has to hear itself by it, and how soon (ms): one that is cut
 * off silently looks alive, and so does one where nobody's notices come.
 */
const CHECK_EVERY = 15_000;
const LONGEST_SILENCE = 5_000;

const DEAF =
  'Changes are not heard: notices that are sent by the way of DATABASE_URL do not come where DATABASE_DIRECT_URL leads. ' +
  'Let that lead to the same database, past every pooler that shares connections between transactions (of an application: dataSource and directDataSource)';

/**
 * Whether this process hears of changes: `deaf` where its own notices do not come, `connecting` where it has no
 * connection to hear them on.
 */
export type Hearing = 'ok' | 'deaf' | 'connecting';

/** Hears, on a connection of its own, what other replicas change. */
@Injectable()
export class ChangeListener implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(ChangeListener.name);
  private readonly stopping = new AbortController();
  private readonly heard = new Subject<string[]>();
  private readonly heardPreferences = new Subject<string>();
  private readonly up = new BehaviorSubject(false);
  private readonly heardPings = new Subject<string>();
  private running: Promise<void> | undefined;

  /** Whose open alerts another replica has changed. */
  readonly notices: Observable<string[]> = this.heard.asObservable();
  /** Who has said anew how to be told, here or elsewhere. */
  readonly preferences: Observable<string> = this.heardPreferences.asObservable();
  private backend: number | undefined;
  private moved = false;
  private isUnheard = false;

  /** The database's process that serves the connection, and nobody else; `undefined` while none listens. */
  get listeningBackend(): number | undefined {
    return this.backend;
  }

  /** Whether the connection was last served by another process than before: it listens where nobody hears it. */
  get isMoved(): boolean {
    return this.moved;
  }

  get hearing(): Hearing {
    if (this.isUnheard) return 'deaf';
    return this.up.value ? 'ok' : 'connecting';
  }

  /** Whether all notices are heard; between two times when they are, any may have been missed. */
  readonly isListening: Observable<boolean> = this.up.asObservable();

  constructor(
    @Inject(ALERTS_DIRECT_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly database: AlertsDatabase,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.run();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    let wait = 100;
    while (!signal.aborted) {
      const wasUp = await this.listen(signal);
      wait = wasUp ? 100 : Math.min(wait * 2, LONGEST_WAIT);
      await sleep(wait, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** Listens until the connection ends; returns whether it ever heard. */
  private async listen(signal: AbortSignal): Promise<boolean> {
    if (!this.dataSource.isInitialized) return false;
    const runner = this.dataSource.createQueryRunner();
    let heard = false;
    try {
      const client = (await runner.connect()) as ListeningClient;
      const ended = endOf(client, signal);
      client.on('notification', (notice) => {
        this.hear(notice);
      });
      // It is idle for as long as nothing happens.
      this.backend = await ask(client, `SET idle_session_timeout = 0; LISTEN ${CHANNEL}; ${WHO_SERVES}`);
      heard = await this.hearsItself(ended);
      if (heard) {
        this.up.next(true);
        await this.checkUntil(ended, client);
        this.up.next(false);
      }
      client.removeAllListeners('notification');
      if (signal.aborted) {
        await ask(client, `UNLISTEN ${CHANNEL}; RESET idle_session_timeout`);
      } else {
        client.connection.stream.destroy();
        if (!this.isUnheard)
          this.logger.warn('The connection that hears of changes was lost; making it again');
      }
    } catch (error) {
      if (heard) this.logger.warn(`The connection that hears of changes was lost: ${messagesOf(error)}`);
      this.up.next(false);
    } finally {
      this.backend = undefined;
      this.moved = false;
      await runner.release();
    }
    return heard;
  }

  private async checkUntil(ended: Promise<'ended'>, client: ListeningClient): Promise<void> {
    for (;;) {
      const pause = sleep(CHECK_EVERY, undefined, { ref: false });
      if ((await Promise.race([ended, pause])) === 'ended') return;
      const answer = ask(client, WHO_SERVES).then(
        (backend) => {
          this.moved = backend !== this.backend;
          this.backend = backend;
        },
        () => 'ended',
      );
      if ((await Promise.race([ended, answer])) === 'ended') return;
      if (!(await this.hearsItself(ended))) return;
    }
  }

  /** Whether what this process sends comes back; also where it cannot send just now, which is another's trouble. */
  private async hearsItself(ended: Promise<'ended'>): Promise<boolean> {
    const id = randomUUID();
    const waiting = new AbortController();
    const { signal } = waiting;
    const silence = () =>
      sleep(LONGEST_SILENCE, 'silence' as const, { signal, ref: false }).catch(() => 'silence' as const);
    const comes = new Promise<'heard'>((resolve) => {
      const pings = this.heardPings.subscribe((heard) => {
        if (heard === id) resolve('heard');
      });
      signal.addEventListener('abort', () => {
        pings.unsubscribe();
      });
    });
    try {
      const sent = this.database.ping(id).then(
        () => 'sent' as const,
        () => 'unsent' as const,
      );
      const sending = await Promise.race([ended, sent, silence()]);
      if (sending !== 'sent') return sending !== 'ended';
      const answer = await Promise.race([ended, comes, silence()]);
      if (answer === 'ended') return false;
      this.noteHearing(answer === 'heard');
      return answer === 'heard';
    } finally {
      waiting.abort();
    }
  }

  private noteHearing(isHeard: boolean): void {
    if (this.isUnheard === !isHeard) return;
    this.isUnheard = !isHeard;
    if (isHeard) this.logger.log('Changes are heard again');
    else this.logger.error(DEAF);
  }

  private hear({ channel, payload = '' }: { channel: string; payload?: string }): void {
    if (channel !== CHANNEL) return;
    const [sender, ...userIds] = payload.split(' ');
    if (sender === PING) this.heardPings.next(userIds.join(' '));
    else if (sender === OF_PREFERENCES) for (const userId of userIds) this.heardPreferences.next(userId);
    else if (sender !== this.database.process) this.heard.next(userIds);
  }
}

/**
 * Runs statements; a connection that does not answer is destroyed, and its pool makes another.
 * @returns which process served them, where the last asks
 */
async function ask(client: ListeningClient, statements: string): Promise<number | undefined> {
  const timer = setTimeout(() => {
    client.connection.stream.destroy();
  }, LONGEST_SILENCE);
  try {
    const result = [await client.query(statements)].flat().at(-1);
    const [row] = (result?.rows ?? []) as { backend: unknown }[];
    return row && Number(row.backend);
  } finally {
    clearTimeout(timer);
  }
}

function endOf(client: ListeningClient, signal: AbortSignal): Promise<'ended'> {
  return new Promise((resolve) => {
    const end = (): void => {
      signal.removeEventListener('abort', end);
      resolve('ended');
    };
    client.on('end', end).on('error', end);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end);
  });
}
