/** A message lists at most this many faults. */
const mostFaults = 50;
const longestFault = 1_000;

/** One fault in words; a function if the words are costly to make. */
export type Fault = string | (() => string);

/** The place where the thing at this path was written, for the start of a sentence: `config/x.yaml:12:3`. */
export type Locate = (path: readonly PropertyKey[]) => string;

/** Faults as the message of an error, one a line. If there are very many: the first ones and the number of the others. */
export function joinFaults(faults: readonly Fault[]): string {
  const lines = faults
    .slice(0, mostFaults)
    .map((fault) => shorten(typeof fault === "string" ? fault : fault()));
  if (faults.length > mostFaults) lines.push(`and ${faults.length - mostFaults} more`);
  return lines.join("\n");
}

function shorten(text: string): string {
  return text.length <= longestFault ? text : `${text.slice(0, longestFault)}…`;
}
