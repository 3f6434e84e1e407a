/**
 * PostgreSQL's text of an array whose elements need no quotes: ids that are ours, numbers, booleans. pg looks at every
 * element for what it may have to quote.
 */
export function plainArray(values: (string | number | boolean | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`;
}

/** Any text. pg writes the same, with two regular expressions for each element. */
export function textArray(values: (string | null)[]): string {
  return plainArray(
    values.map((text) =>
      text === null ? null : `"${isPlain(text) ? text : text.replaceAll(/["\\]/g, '\\$&')}"`,
    ),
  );
}

/**
 * Where `unnest` puts it beside others that are longer: of nothing but NULLs it is empty, as that is filled up with NULLs,
 * and read at less cost.
 */
export function sparseArray<T>(values: (T | null)[], arrayOf: (values: (T | null)[]) => string): string {
  return values.every((value) => value === null) ? '{}' : arrayOf(values);
}

function isPlain(text: string): boolean {
  return !text.includes('"') && !text.includes('\\');
}

/** The first and the last moment (ms since 1970) that JavaScript says as PostgreSQL reads it: the years 1 and 9999. */
const FIRST_MOMENT = Date.parse('0001-01-01T00:00:00.000Z');
const LAST_MOMENT = Date.parse('9999-12-31T23:59:59.999Z');

/** As text, for an array. What lies beyond the years 1 and 9999 is cut to them. */
export function momentText(moment: number): string {
  return new Date(Math.min(Math.max(moment, FIRST_MOMENT), LAST_MOMENT)).toISOString();
}

/** An array of bytea, of hex digits. */
export function byteaArray(values: (string | null)[]): string {
  return plainArray(values.map((hex) => hex && `"\\\\x${hex}"`));
}
