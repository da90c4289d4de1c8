/**
 * The other side's words about one person's record, quoted in our sentence. They may hold names and values, so they are
 * removed from every text that must not show people. The marks are used for nothing else.
 */
export function quotation(words: string): string {
  return `“${words.replaceAll(/[“”]/g, '"')}”`;
}

/** The text without such quotations. If the text was cut after an opening mark, everything from that mark on is dropped. */
export function withoutQuotations(text: string): string {
  return text.replaceAll(/“[^”]*(?:”|…$)/g, "“…”");
}
