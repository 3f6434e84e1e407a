import { setImmediate } from 'node:timers/promises';

interface Waiting<Value> {
  promise: Promise<Value>;
  resolve: (value: Value) => void;
  reject: (reason: unknown) => void;
}

/**
 * Lets what is asked for while a read is under way wait together and be read as one: with many small reads at a
 * time, round trips are what limits. The first that finds nothing under way goes at once, by itself; what is
 * answered was read after it was asked for.
 */
export class SharedReads<Value> {
  private waiting = new Map<string, Waiting<Value>>();
  private isReading = false;

  /**
   * @param read answers a value for each of the keys, in their order
   * @param mostTogether how many keys one read may have
   */
  constructor(
    private readonly read: (keys: string[]) => Promise<Value[]>,
    private readonly mostTogether: number,
  ) {}

  /** Those who wait for the same key are given the same value. */
  get(key: string): Promise<Value> {
    const waiting = this.waiting.get(key) ?? this.add(key);
    if (!this.isReading) void this.readAll();
    return waiting.promise;
  }

  private add(key: string): Waiting<Value> {
    const waiting = {} as Waiting<Value>;
    waiting.promise = new Promise((resolve, reject) => {
      Object.assign(waiting, { resolve, reject });
    });
    this.waiting.set(key, waiting);
    return waiting;
  }

  private async readAll(): Promise<void> {
    this.isReading = true;
    while (this.waiting.size > 0) {
      await this.settle(this.takeNext());
      // What has come but was not read yet goes along with what waits.
      await setImmediate();
    }
    this.isReading = false;
  }

  private takeNext(): Map<string, Waiting<Value>> {
    const all = this.waiting;
    if (all.size <= this.mostTogether) {
      this.waiting = new Map();
      return all;
    }
    const next = new Map<string, Waiting<Value>>();
    for (const [key, waiting] of all) {
      if (next.size === this.mostTogether) break;
      next.set(key, waiting);
      all.delete(key);
    }
    return next;
  }

  private async settle(together: Map<string, Waiting<Value>>): Promise<void> {
    try {
      const values = await this.read([...together.keys()]);
      let index = 0;
      for (const { resolve } of together.values()) resolve(values[index++] as Value);
    } catch (error) {
      for (const { reject } of together.values()) reject(error);
    }
  }
}
