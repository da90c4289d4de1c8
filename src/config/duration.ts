const unitsInMs = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
] as const;

/** The form of a duration: whole numbers with a unit, the largest unit first (`45m`, `1h30m`, `90s`, `500ms`). */
export const durationPattern = /^(?=\d)(?:\d+d)?(?:\d+h)?(?:\d+m(?!s))?(?:\d+s)?(?:\d+ms)?$/;

/**
 * Reads a duration such as `45m`, `2h`, `1h30m`, `90s`, `1d` or `500ms`.
 * @returns milliseconds, or `null` if the text is not a duration
 */
export function parseDuration(text: string): number | null {
  if (!durationPattern.test(text)) return null;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|[dhms])/g)) {
    const factor = unitsInMs.find(([name]) => name === unit)?.[1] ?? 0;
    totalMs += Number(amount) * factor;
  }
  return Number.isSafeInteger(totalMs) ? totalMs : null;
}

/** Writes whole milliseconds so that `parseDuration` reads them back: `5400000` is `1h30m`. */
export function formatDuration(durationMs: number): string {
  let restMs = durationMs;
  let text = "";
  for (const [unit, factor] of unitsInMs) {
    const amount = Math.floor(restMs / factor);
    if (amount > 0) text += `${amount}${unit}`;
    restMs -= amount * factor;
  }
  return text === "" ? "0s" : text;
}
