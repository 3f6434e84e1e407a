import { setImmediate } from 'node:timers/promises';

/** Too much waits to be written already: the same request may succeed later. */
export class WritesFullError extends Error {
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
}

/**
 * Lets what comes while a write is under way wait together and go as one: with many small requests at a time,
 * commits are what limits. The first one that finds nothing under way goes at once, by itself.
 */
export class SharedWrites<Request, Answer> {
  private readonly waiting: Waiting<Request, Answer>[] = [];
  private waitingWeight = 0;
  private isWriting = false;

  /**
   * @param write writes all requests or none; its answers are in their order
   * @param isAboutOne whether a failed write may be the fault of one of its requests: then each is tried by itself
   */
  constructor(
    private readonly write: (requests: Request[]) => Promise<Answer[]>,
    private readonly isAboutOne: (error: unknown) => boolean,
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
      if (!this.isWriting) void this.writeAll();
    });
  }

  private async writeAll(): Promise<void> {
    this.isWriting = true;
    while (this.waiting.length > 0) {
      await this.settle(this.takeNext());
      // What has come but was not read yet goes along: in what is left of this turn of the event loop, and in the next.
      await setImmediate();
      await setImmediate();
    }
    this.isWriting = false;
  }

  /** At least one, in their order. */
  private takeNext(): Waiting<Request, Answer>[] {
    let count = 0;
    let weight = 0;
    for (const next of this.waiting) {
      if (count > 0 && weight + next.weight > this.limits.mostTogether) break;
      count += 1;
      weight += next.weight;
    }
    this.waitingWeight -= weight;
    return this.waiting.splice(0, count);
  }

  private async settle(together: Waiting<Request, Answer>[]): Promise<void> {
    try {
      const answers = await this.write(together.map(({ request }) => request));
      together.forEach(({ resolve }, index) => {
        resolve(answers[index] as Answer);
      });
    } catch (error) {
      if (together.length > 1 && this.isAboutOne(error)) await this.settleEach(together);
      else for (const { reject } of together) reject(error);
    }
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
        const [answer] = await this.write([request]);
        resolve(answer as Answer);
      } catch (error) {
        reject(error);
        if (!this.isAboutOne(error)) failure = { error };
      }
    }
  }
}
