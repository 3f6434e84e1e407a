/**
 * The first success of several attempts, each begun when the one before it has failed or is slow: what comes first is
 * preferred, and what falls silent holds up nobody.
 * @param patience ms after which an attempt is slow
 * @throws AggregateError of all failures, in their order in time
 */
export function firstInTurn<T>(attempts: (() => Promise<T>)[], patience: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const waiting = [...attempts];
    const failures: unknown[] = [];
    const begin = (): void => {
      const attempt = waiting.shift();
      if (!attempt) return;
      const timer = setTimeout(begin, patience);
      attempt().then(
        (result) => {
          waiting.length = 0;
          clearTimeout(timer);
          resolve(result);
        },
        (failure: unknown) => {
          clearTimeout(timer);
          failures.push(failure);
          if (failures.length === attempts.length) reject(new AggregateError(failures));
          else begin();
        },
      );
    };
    begin();
  });
}
