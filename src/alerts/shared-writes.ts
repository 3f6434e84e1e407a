import { setImmediate } from 'node:timers/promises';
import { AnsweredError } from '../http/answered-error.js';

/** Too much waits to be written already: the same request may succeed later. */
export class WritesFullError extends AnsweredError {
  readonly answer = { code: 503, message: 'Too much at once. Try again.' };
  /** Thousands a second are what it is for. */
  override readonly isCounted = true;

  constructor() {
    super('Too many reports wait to be stored already');
  }
}

interface Waiting<Request, Answer> {
  request: Request;
  weight: number;
  resolve: (answer: Answer) => void;
  reject: (reason: unknown) => void;
}

/** How much may wait, and go together; in the unit of the weights. */
export interface SharedWritesLimits {
  mostWaiting: number;
  mostTogether: number;
  /** For how long (ms) the next write waits for one that has only to be committed, before both are under way. */
  patience: number;
}

/** How many writes may be under way: one that is being decided on, and one that waits until it is on disk. */
const MOST_UNDER_WAY = 2;

/**
 * Lets what comes while a write is under way wait together and go as one: with many small requests at a time,
 * commits are what limits. The first one that finds nothing under way goes at once, by itself. Where a commit takes
 * its time the next write begins meanwhile, of what has nothing to do with it; where it does not, fewer and larger
 * writes cost less.
 */
export class SharedWrites<Request, Answer> {
  private waiting: Waiting<Request, Answer>[] = [];
  private waitingWeight = 0;
  private isDeciding = false;
  /** Whom the writes that are under way are about. */
  private readonly underWay = new Set<ReadonlySet<string>>();

  /**
   * @param write writes all requests or none, and says when they have only to be committed; its answers are in their
   * order
   * @param isAboutOne whether a failed write may be the fault of one of its requests: then each is tried by itself
   * @param usersOf whom a request is about: of two writes at a time nobody is concerned by both
   */
  constructor(
    private readonly write: (requests: Request[], isDecided: () => void) => Promise<Answer[]>,
    private readonly isAboutOne: (error: unknown) => boolean,
    private readonly usersOf: (request: Request) => Iterable<string>,
    private readonly limits: SharedWritesLimits,
  ) {}

  /** Whether what comes now would be refused. */
  get isFull(): boolean {
    return this.waitingWeight >= this.limits.mostWaiting;
  }

  /**
   * Answers when the request is written.
   * @param weight what it counts against the limits
   * @param isContinued whether it goes on with what was let in before, and is not refused now
   * @throws WritesFullError, and what `write` throws
   */
  submit(request: Request, weight: number, isContinued = false): Promise<Answer> {
    if (this.isFull && !isContinued) return Promise.reject(new WritesFullError());
    return new Promise((resolve, reject) => {
      this.waiting.push({ request, weight, resolve, reject });
      this.waitingWeight += weight;
      this.writeNext();
    });
  }

  private writeNext(): void {
    if (this.isDeciding || this.underWay.size >= MOST_UNDER_WAY) return;
    const together = this.takeNext();
    if (together.length === 0) return;
    const users = new Set(together.flatMap(({ request }) => [...this.usersOf(request)]));
    this.underWay.add(users);
    this.isDeciding = true;
    void this.settle(together, users);
  }

  /** At least one, in their order, of those who are not concerned by what is under way. */
  private takeNext(): Waiting<Request, Answer>[] {
    const together: Waiting<Request, Answer>[] = [];
    const left: Waiting<Request, Answer>[] = [];
    let weight = 0;
    let isTooMuch = false;
    for (const next of this.waiting) {
      const isConcerned: boolean = isTooMuch || this.isConcerned(next.request);
      isTooMuch ||= !isConcerned && together.length > 0 && weight + next.weight > this.limits.mostTogether;
      if (isTooMuch || isConcerned) {
        left.push(next);
      } else {
        together.push(next);
        weight += next.weight;
      }
    }
    this.waitingWeight -= weight;
    this.waiting = left;
    return together;
  }

  private isConcerned(request: Request): boolean {
    if (this.underWay.size === 0) return false;
    for (const userId of this.usersOf(request)) {
      for (const users of this.underWay) if (users.has(userId)) return true;
    }
    return false;
  }

  private async settle(together: Waiting<Request, Answer>[], users: ReadonlySet<string>): Promise<void> {
    let patience: NodeJS.Timeout | undefined;
    let hasLetGo = false;
    const letGo = (): void => {
      if (!hasLetGo) this.isDeciding = false;
      hasLetGo = true;
      this.writeNext();
    };
    try {
      const answers = await this.write(
        together.map(({ request }) => request),
        () => {
          patience ??= setTimeout(letGo, this.limits.patience);
        },
      );
      together.forEach(({ resolve }, index) => {
        resolve(answers[index] as Answer);
      });
    } catch (error) {
      if (together.length > 1 && this.isAboutOne(error)) await this.settleEach(together);
      else for (const { reject } of together) reject(error);
    }
    // What has come but was not read yet goes along: in what is left of this turn of the event loop, and in the next.
    await setImmediate();
    await setImmediate();
    clearTimeout(patience);
    this.underWay.delete(users);
    letGo();
  }

  /** Up to a failure that is not about one: that would meet the others as well. */
  private async settleEach(together: Waiting<Request, Answer>[]): Promise<void> {
    let failure: { error: unknown } | undefined;
    for (const { request, resolve, reject } of together) {
      if (failure) {
        reject(failure.error);
        continue;
      }
      try {
        const [answer] = await this.write([request], () => undefined);
        resolve(answer as Answer);
      } catch (error) {
        reject(error);
        if (!this.isAboutOne(error)) failure = { error };
      }
    }
  }
}
