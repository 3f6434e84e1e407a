import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { ALERTS_DATA_SOURCE } from '../options/module-options.js';
import { AlertsDatabase } from '../database/alerts-database.js';
import {
  namedSentenceOf,
  problemsIn,
  sentenceOf,
  SHARED_CONNECTIONS,
  UNREACHABLE,
} from '../database/database-problems.js';
import { ReadDatabase } from '../database/read-database.service.js';
import type { ReadsReport } from '../database/read-database.service.js';
import type { DatabaseProblem } from '../database/database-problems.js';
import { SigningKeys } from '../auth/signing-keys.service.js';
import { messagesOf } from '../http/error-messages.js';
import { ChangeListener } from '../database/change-listener.service.js';
import type { Hearing } from '../database/change-listener.service.js';

export interface AlertsHealthReport {
  database: 'ok' | 'unavailable';
  issuer: 'ok' | 'unavailable';
  /**
   * Whether changes by other replicas are heard here; left out where this process sends pages no changes. While they are
   * not, pages ask again and again instead, so that it can serve all the same.
   */
  hearing?: Hearing;
  /** Why the database cannot serve, and what mends it, in sentences that anybody may read; left out while it can. */
  problems?: string[];
  /** Which node serves what users are listed, where a DataSource for reading is named; it decides nothing. */
  reads?: ReadsReport;
}

/** Whether the module can serve; for a host's readiness probe. */
@Injectable()
export class AlertsHealth implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(AlertsHealth.name);
  private said = '';
  private firstCheck: Promise<unknown> | undefined;

  constructor(
    @Inject(ALERTS_DATA_SOURCE) private readonly dataSource: DataSource,
    private readonly database: AlertsDatabase,
    private readonly reads: ReadDatabase,
    private readonly keys: SigningKeys,
    /** Not in a process that sends no changes. By its token: of a type with `undefined` some compilers tell Nest nothing. */
    @Optional() @Inject(ChangeListener) private readonly listener: ChangeListener | undefined,
  ) {}

  /** Says in the log what is wrong from the start; nobody may ever ask. */
  onApplicationBootstrap(): void {
    if (this.dataSource.isInitialized) this.firstCheck = this.check();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.firstCheck;
  }

  /** Asks whether the database can serve with our tables, and whether the issuer's keys are known; never throws. */
  async check(): Promise<AlertsHealthReport> {
    const problems = await this.findProblems();
    return this.reportOf(problems);
  }

  /** The database's part of it, by another's word. */
  reportOf(problems: DatabaseProblem[]): AlertsHealthReport {
    const reads = this.reads.report;
    return {
      database: problems.length === 0 ? 'ok' : 'unavailable',
      issuer: this.keys.isReady ? 'ok' : 'unavailable',
      ...(this.listener && { hearing: this.listener.hearing }),
      ...(problems.length > 0 && { problems: problems.map(sentenceOf) }),
      ...(reads && { reads }),
    };
  }

  /** Why the database cannot serve; said in the log as well, where it is not what was said last. */
  async findProblems(): Promise<DatabaseProblem[]> {
    try {
      const problems = await this.database.findProblems(this.listener?.listeningBackend);
      if (this.listener?.isMoved && !problems.includes(SHARED_CONNECTIONS)) problems.push(SHARED_CONNECTIONS);
      this.say(problems.map(namedSentenceOf).join(' '));
      return problems;
    } catch (error) {
      const problems = problemsIn(error);
      this.say(problems?.map(namedSentenceOf).join(' ') ?? messagesOf(error));
      return problems ?? [UNREACHABLE];
    }
  }

  private say(trouble: string): void {
    if (trouble === this.said) return;
    if (trouble === '') this.logger.log('The database can serve again');
    else this.logger.error(`The database cannot serve: ${trouble}`);
    this.said = trouble;
  }
}
