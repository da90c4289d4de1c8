/**
 * Words of the other side about one person's record, as a part of our sentence. They may hold names and values, so whatever
 * must not show people leaves them out again: the marks are used for nothing else.
 */
export function quotation(words: string): string {
  return `“${words.replaceAll(/[“”]/g, '"')}”`;
}

/** The text without such words. One that was cut at its end, after an opening mark, loses the rest. */
export function withoutQuotations(text: string): string {
  return text.replaceAll(/“[^”]*(?:”|…$)/g, "“…”");
}
