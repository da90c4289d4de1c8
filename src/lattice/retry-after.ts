/**
 * Reads a Retry-After header (RFC 9110 section 10.2.3): seconds, also with a fraction, or an HTTP date.
 * @param now milliseconds since the epoch
 * @returns milliseconds to wait, 0 for a date in the past; `undefined` where there is none that can be read.
 */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  const value = header?.trim();
  if (value === undefined || value === "") return undefined;
  if (/^\d+(?:\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1000);
  // Date.parse takes far more than HTTP dates, "-5" among it; those all begin with the name of a day.
  const date = /^[A-Z][a-z]{2}/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
