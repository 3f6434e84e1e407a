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
