/** For how many times as long as a look took its result serves those who ask later, and for how long at most (ms). */
const REST = 10;
const LONGEST_REST = 10_000;

/**
 * A look at something that costs more than asking for it: who asks while somebody looks is told the same, and so is
 * who asks shortly after. However many ask, it takes a tenth of the time. What failed is looked at again.
 */
export function paced<T>(look: () => Promise<T>): () => Promise<T> {
  let latest: Promise<T> | undefined;
  return () => {
    if (latest) return latest;
    const startedAt = performance.now();
    const current = (latest = look());
    current.then(
      () => {
        const rest = Math.min((performance.now() - startedAt) * REST, LONGEST_REST);
        setTimeout(() => (latest = undefined), rest).unref();
      },
      () => (latest = undefined),
    );
    return current;
  };
}
