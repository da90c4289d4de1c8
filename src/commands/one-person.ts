import type { Found } from "../cycle/person/find-person.ts";
import { UsageError } from "../domain/errors.ts";
import type { FoundPerson } from "../domain/person-search.ts";
import { count } from "../domain/sentence.ts";
import { type CommandIO, note } from "../process/io.ts";
import { peopleLines } from "../report/people.ts";
import { printable } from "../report/words.ts";

/**
 * If a part of a name was given, names the person on stderr.
 * @throws UsageError if several people may be meant; stderr lists them
 */
export function tellWhom(found: Found, io: CommandIO): void {
  if (found.byPart !== null) note(io, `"${printable(found.asked)}" is ${personText(found.byPart)}.`);
  if (found.candidates.length === 0) return;
  noteCandidates(found, io);
  throw new UsageError(severalPeople(found.asked));
}

/** Says that a text is part of the names of several people. */
export function severalPeople(asked: string): string {
  return `"${printable(asked)}" does not name one person alone. Give the user principal name or the object id.`;
}

/** Lists on stderr the people who may be meant. */
export function noteCandidates(
  { asked, candidates, moreCandidates }: Pick<Found, "asked" | "candidates" | "moreCandidates">,
  io: CommandIO,
): void {
  const number = count(candidates.length + moreCandidates, "person", "people");
  note(io, `"${printable(asked)}" may mean ${number}:`);
  for (const line of peopleLines(candidates, moreCandidates)) note(io, `  ${line}`);
}

/** Describes a person in one line. */
export function personText({ displayName, userName, objectId, latticeId }: FoundPerson): string {
  const names = [displayName, userName ?? objectId ?? latticeId].filter((name) => name !== null);
  return printable(names.join(", "));
}
