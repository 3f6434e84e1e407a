import { isRecord } from './untyped.js';

/** A field's value, or what is wrong with it, to be said after its name. */
type Reading<T> = { value: T } | { wrong: string };

/** How a field of a body or query is read. */
export type Field<T> = (given: unknown) => Reading<T>;

/** Those of a body or query, by their names. */
export type Fields<T> = { readonly [Name in keyof T]-?: Field<T[Name]> };

/** What a text must be like, with what to say where it is not. */
interface TextRules {
  pattern?: readonly [RegExp, otherwise: string];
  /** Characters. Default: any number. */
  longest?: number;
}

export const NOT_EMPTY = [/[^]/, 'must not be empty'] as const;

export function text({ pattern, longest = Infinity }: TextRules): Field<string> {
  return (given) => {
    if (typeof given !== 'string') return { wrong: 'must be a text' };
    if (pattern && !pattern[0].test(given)) return { wrong: pattern[1] };
    if (given.length > longest && Array.from(given).length > longest) {
      return { wrong: `must be at most ${longest} characters long` };
    }
    return { value: given };
  };
}

export function oneOf<T extends string>(...values: T[]): Field<T> {
  return (given) => {
    const value = values.find((one) => one === given);
    return value === undefined ? { wrong: `must be ${values.join(' or ')}` } : { value };
  };
}

/** As a query has it. */
export function wholeNumber(least: number, most: number): Field<number> {
  return (given) => {
    const value = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : NaN;
    return Number.isInteger(value) && value >= least && value <= most
      ? { value }
      : { wrong: `must be a whole number from ${least} to ${most}` };
  };
}

export function flag(): Field<boolean> {
  return (given) => (typeof given === 'boolean' ? { value: given } : { wrong: 'must be true or false' });
}

export function optional<T>(field: Field<T>): Field<T | undefined> {
  return (given) => (given === undefined ? { value: undefined } : field(given));
}

export function nullable<T>(field: Field<T>): Field<T | null> {
  return (given) => (given === null ? { value: null } : field(given));
}

/** An object with these fields and no other. */
export function objectOf<T extends object>(fields: Fields<T>): Field<T> {
  const known = Object.entries<Field<unknown>>(fields as Record<string, Field<unknown>>);
  return (given) => {
    if (!isRecord(given)) return { wrong: 'must be an object' };
    const unknown = Object.keys(given).find((name) => !Object.hasOwn(fields, name));
    if (unknown !== undefined) return { wrong: `has no field ${shortened(unknown)}` };
    const read: Record<string, unknown> = {};
    for (const [name, field] of known) {
      const reading = field(Object.hasOwn(given, name) ? given[name] : undefined);
      if ('wrong' in reading) return { wrong: `has a wrong ${name}: it ${reading.wrong}` };
      if (reading.value !== undefined) read[name] = reading.value;
    }
    return { value: read as T };
  };
}

/** At most so many of a kind. */
export function listOf<T>(field: Field<T>, most: number): Field<T[]> {
  return (given) => {
    if (!Array.isArray(given)) return { wrong: 'must be a list' };
    if (given.length > most) return { wrong: `must have at most ${most} entries` };
    const read: T[] = [];
    for (const [index, one] of given.entries()) {
      const reading = field(one);
      if ('wrong' in reading) return { wrong: `has a wrong entry ${index + 1}: it ${reading.wrong}` };
      read.push(reading.value);
    }
    return { value: read };
  };
}

/** An object with names of any kind, and values of one. */
export function entriesOf<T>(field: Field<T>): Field<Record<string, T>> {
  return (given) => {
    if (!isRecord(given)) return { wrong: 'must be an object' };
    const read = new Map<string, T>();
    for (const [name, one] of Object.entries(given)) {
      const reading = field(one);
      if ('wrong' in reading) return { wrong: `has a wrong ${shortened(name)}: it ${reading.wrong}` };
      read.set(name, reading.value);
    }
    return { value: Object.fromEntries(read) };
  };
}

/** As much of a name as an answer repeats. */
function shortened(name: string): string {
  return JSON.stringify(name.slice(0, 100));
}
