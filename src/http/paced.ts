/** The longest time (ms) for which what was seen serves those who ask later. */
const LONGEST_REST = 10_000;

/**
 * A look at something that costs more than asking for it: who asks while somebody looks is told the same, and so is
 * who asks shortly after. However many ask, there is one look at a time. What failed is looked at again.
 * @param rest for how many times as long as the look took; with 10 it takes a tenth of the time
 */
export function paced<T>(look: () => Promise<T>, rest: number): () => Promise<T> {
  let latest: Promise<T> | undefined;
  return () => {
    if (latest) return latest;
    const startedAt = performance.now();
    const current = (latest = look());
    current.then(
      () => {
        const restFor = Math.min((performance.now() - startedAt) * rest, LONGEST_REST);
        if (rest === 0) latest = undefined;
        else setTimeout(() => (latest = undefined), restFor).unref();
      },
      () => (latest = undefined),
    );
    return current;
  };
}
