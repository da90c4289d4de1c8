/** A receiver's answer, or why none came. Holds no secret. */
export interface Answer {
  readonly ok: boolean;
  /** For people: `answered 200`, `cannot be reached (ECONNREFUSED)`. */
  readonly detail: string;
  /** The receiver asks not to be tried again for this many milliseconds. */
  readonly retryAfterMs?: number;
  /** The receiver understood and refused it: an immediate retry is useless. */
  readonly refused?: boolean;
}

/** Another side's text as one short line that a terminal can show. */
export function oneLine(text: string, longest = 200): string {
  const line = text
    .replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ")
    .trim()
    .toWellFormed();
  return line.length <= longest ? line : `${line.slice(0, longest - 1).toWellFormed()}…`;
}

/** The system's word for what went wrong with a connection: the innermost code. */
export function faultCode(error: unknown): string {
  let code = "";
  const seen = new Set<unknown>();
  for (let link = error; link instanceof Error && !seen.has(link); ) {
    seen.add(link);
    if ("code" in link && typeof link.code === "string") code = link.code;
    link = link instanceof AggregateError ? (link.errors[0] ?? link.cause) : link.cause;
  }
  return /^[A-Z][A-Z0-9_]*$/.test(code) ? code : "no connection";
}
