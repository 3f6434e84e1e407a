export interface Round {
  /** The first one, 0, warms up and is not counted. */
  number: number;
  isCounted: boolean;
  text: string;
}

export function* roundsOf(counted: number): Generator<Round> {
  for (let number = 0; number <= counted; number++) {
    const isCounted = number > 0;
    yield { number, isCounted, text: isCounted ? `round ${number} of ${counted}` : 'warming up' };
  }
}

/** The items beginning with another one in every round, so that none always comes first. */
export function rotated<T>(items: T[], { number }: Round): T[] {
  const first = number % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
