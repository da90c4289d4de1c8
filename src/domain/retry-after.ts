/**
 * Parses a Retry-After header (RFC 9110 section 10.2.3): seconds, also with a fraction (Graph has sent one), or an HTTP date.
 * @param now milliseconds since the epoch
 * @returns milliseconds to wait, 0 for a date in the past; `undefined` if there is no header or it cannot be read
 */
export function parseRetryAfter(header: string | null | undefined, now: number): number | undefined {
  const value = header?.trim() ?? "";
  if (/^\d+(?:\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1000);
  // Date.parse accepts far more than HTTP dates, for example "-5"; an HTTP date begins with the name of a day.
  const date = /^[A-Za-z]{3,9}[, ]/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
