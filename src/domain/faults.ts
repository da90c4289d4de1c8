/** More than these nobody reads at once. */
const mostFaults = 50;
const longestFault = 1_000;

/** One thing that is wrong, in words; a function where it takes effort to say. */
export type Fault = string | (() => string);

/** Where the thing at this path was written, for the start of a sentence: `config/x.yaml:12:3`. */
export type Locate = (path: readonly PropertyKey[]) => string;

/** The faults of one thing as the message of an error, one a line; where there are very many, the first and how many more. */
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
