import type { Field, Fields } from './fields.js';
import { unfit } from './unfit.js';
import { isRecord } from './untyped.js';

/**
 * What becomes of fields and parameters that nothing of ours names: monitoring systems add some with every version,
 * a person's is a mistake.
 */
export type UnknownFields = 'refused' | 'ignored';

/** As much of an unknown name as an answer repeats. */
const LONGEST_SHOWN = 100;

/** Reads the known fields of a body or query, and refuses it with all that is wrong, in one sentence each. */
export class KnownFields<T extends object> {
  private readonly fields: [string, Field<unknown>][];
  private readonly names: ReadonlySet<string>;

  constructor(
    private readonly part: 'body' | 'query',
    fields: Fields<T>,
    private readonly unknownFields: UnknownFields,
  ) {
    this.fields = Object.entries(fields);
    this.names = new Set(Object.keys(fields));
  }

  /** @throws UnprocessableEntityException */
  read(given: unknown): T {
    if (!isRecord(given)) throw unfit(`the ${this.part} must be a JSON object`);
    if (this.unknownFields === 'refused') this.refuseUnknown(Object.keys(given));
    const read: Record<string, unknown> = {};
    const wrong: string[] = [];
    for (const [name, field] of this.fields) {
      const reading = field(Object.hasOwn(given, name) ? given[name] : undefined);
      if ('wrong' in reading) wrong.push(`${name} ${reading.wrong}`);
      else if (reading.value !== undefined) read[name] = reading.value;
    }
    if (wrong.length > 0) throw unfit(wrong.join('; '));
    return read as T;
  }

  private refuseUnknown(given: string[]): void {
    const name = given.find((one) => !this.names.has(one));
    if (name === undefined) return;
    const shown = JSON.stringify(name.slice(0, LONGEST_SHOWN));
    const what = this.part === 'query' ? 'parameter' : 'field';
    const known = Array.from(this.names).join(', ') || 'none';
    throw unfit(`${shown} is no ${what} of this call, which takes ${known}`);
  }
}
