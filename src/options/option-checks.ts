/** An option is wrong; the application stops at boot. */
export function wrong(sentence: string): Error {
  return new Error(`AlertsModule: ${sentence}`);
}

/**
 * Options that stand together, which hold nothing but these.
 * @param option their name; empty for all of them
 */
export function group<T extends object>(
  option: string,
  value: T | undefined,
  names: Record<keyof T, true>,
): Partial<T> {
  if (value === undefined) return {};
  if (!isObject(value)) {
    throw wrong(`${option || 'the options'} must be an object with ${Object.keys(names).join(', ')}`);
  }
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(names, name)) continue;
    const there = Object.keys(names).join(', ');
    throw wrong(`there is no option ${option && `${option}.`}${name}; ${option || 'there'} has ${there}`);
  }
  return value;
}

/** A text that is not empty. */
export function text(option: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw wrong(`${option} must be a text that is not empty`);
  return value;
}

export function oneOf<T extends string | boolean>(option: string, values: readonly T[], value: unknown): T {
  const found = values.find((one) => one === value);
  if (found === undefined) throw wrong(`${option} must be ${values.join(' or ')}`);
  return found;
}

export function list(option: string, value: unknown): unknown[] {
  if (!Array.isArray(value)) throw wrong(`${option} must be a list`);
  return value;
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function milliseconds(option: string, seconds: unknown): number {
  if (typeof seconds !== 'number' || !isDuration(seconds)) {
    throw wrong(`${option} must be a number of seconds from ${SHORTEST} to ${LONGEST} (100 years)`);
  }
  return Math.round(seconds * 1000);
}

/** Characters of a shared secret. */
export const SHORTEST_SECRET = 16;

/** Bounds (s) of every duration that can be set; a year has 365 days. */
const SHORTEST = 1;
const LONGEST = 100 * 365 * 24 * 3600;

/** Whether so many seconds are no busy loop, and now less so many is a moment that everything can hold. */
export function isDuration(seconds: number): boolean {
  return seconds >= SHORTEST && seconds <= LONGEST;
}

export function wholeNumber(option: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) throw wrong(`${option} must be a whole number of at least 1`);
  return value;
}

export function isHttpUrl(value: unknown): value is string {
  return typeof value === 'string' && /^https?:\/\/\S+$/.test(value) && URL.canParse(value);
}
