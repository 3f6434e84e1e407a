import type { Random } from '../../../stack/support/random.js';
import type { FuzzRequest } from '../fuzz-request.js';
import type { World } from '../world.js';

/** Something that can be done to a request; it does nothing where the request has no place for it. */
export interface Mutation {
  readonly name: string;
  apply(request: FuzzRequest, random: Random, world: World): void;
}

/** A size from `least` to `most`, each magnitude as often as the others. */
export function sizeBetween(random: Random, least: number, most: number): number {
  return Math.round(least * (most / least) ** random.next());
}
