import type { SigningKey } from 'nestjs-session-alerts/operations';
import type { DoctorSettings } from './doctor-settings.js';

/** What a check found. A warning is what works but loses or delays something some day. */
export type CheckStatus = 'ok' | 'wrong' | 'warning' | 'not_checked';

/** One line of the report. */
export interface Finding {
  /** The link of the chain, and after a dot what of it: `token.audience`. */
  check: string;
  status: CheckStatus;
  message: string;
  /** The command or setting that mends it. */
  mend?: string;
}

/** How far somebody's clock is ahead of this machine's (ms). */
export interface ClockReading {
  whose: string;
  ahead: number;
}

/** An access token by client credentials, verified. */
export interface ClientToken {
  text: string;
  claims: Record<string, unknown>;
}

/** A walk along the chain: what was found so far, and what later checks need of it. */
export class Examination {
  readonly findings: Finding[] = [];
  readonly clocks: ClockReading[] = [];
  /** Ends every call that is under way. */
  readonly signal: AbortSignal;
  /** The issuer's token endpoint and public keys, where it told them. */
  issuer: { tokenEndpoint: string; keys: SigningKey[] } | undefined;
  token: ClientToken | undefined;
  /** Whom sessions and alerts name as their users. */
  readonly userIds = new Set<string>();
  /** What Alertmanager would post here at once at most, where it tells. */
  largestGroup: { alerts: number; bytes: number } | undefined;

  /** @param tell hears of each finding at once */
  constructor(
    readonly settings: DoctorSettings,
    private readonly tell: (finding: Finding) => void = () => undefined,
    signal: AbortSignal = new AbortController().signal,
  ) {
    this.signal = signal;
  }

  ok(check: string, message: string): void {
    this.add({ check, status: 'ok', message });
  }

  wrong(check: string, message: string, mend: string): void {
    this.add({ check, status: 'wrong', message, mend });
  }

  warn(check: string, message: string, mend: string): void {
    this.add({ check, status: 'warning', message, mend });
  }

  /** @param reason why nothing can be said: `give --prometheus-url`, or a clause with `because` */
  skip(check: string, reason: string): void {
    this.add({ check, status: 'not_checked', message: reason });
  }

  /** Notes whom labels name; what templates print for a missing value is nobody. */
  noteUser({ safe_username: user }: Record<string, unknown>): void {
    if (typeof user === 'string' && user !== '' && user !== '<nil>') this.userIds.add(user);
  }

  /** The first thing that is wrong with one of these checks, or with what is below it. */
  faultIn(...checks: string[]): Finding | undefined {
    return this.findings.find(
      ({ check, status }) =>
        status === 'wrong' && checks.some((one) => check === one || check.startsWith(`${one}.`)),
    );
  }

  private add(finding: Finding): void {
    this.findings.push(finding);
    this.tell(finding);
  }
}
