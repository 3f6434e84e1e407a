const LONGEST = 24 * 3600;

/** Seconds from now, as an answer says (RFC 9110, section 10.2.3): a number of them, or a moment. */
export function retryAfterIn(headers: Headers): number | undefined {
  const said = headers.get('retry-after')?.trim() ?? '';
  const seconds = /^\d+$/.test(said) ? Number(said) : (Date.parse(said) - answeredAt(headers)) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), LONGEST) : undefined;
}

/** By the clock that the moment is of (ms since 1970). */
function answeredAt(headers: Headers): number {
  const date = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(date) ? Date.now() : date;
}
