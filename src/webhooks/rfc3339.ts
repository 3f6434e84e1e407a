const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i;

/**
 * A moment as Go writes it: up to 9 digits of a second, any offset. `undefined` for Go's zero time, which
 * means "none", and for what is no moment.
 * @see https://www.rfc-editor.org/rfc/rfc3339#section-5.6
 */
export function parseMoment(value: unknown): Date | undefined {
  if (typeof value !== 'string' || value.startsWith('0001-') || !RFC3339.test(value)) return undefined;
  const moment = new Date(value.toUpperCase());
  return Number.isNaN(moment.getTime()) ? undefined : moment;
}
