import type { FoundPerson } from "../domain/person-search.ts";
import { count } from "../domain/sentence.ts";
import { printable } from "./words.ts";

const widest = 32;

/** People to choose from, one a line: display name, user name, title and department, id, and special states. */
export function peopleLines(people: readonly FoundPerson[], more: number): readonly string[] {
  const rows = people.map((person) => [
    printable(person.displayName ?? ""),
    printable(person.userName ?? ""),
    printable(job(person)),
    printable(person.objectId ?? person.latticeId ?? ""),
    standing(person),
  ]);
  const widths = [0, 1, 2, 3].map((column) =>
    Math.min(widest, Math.max(0, ...rows.map((row) => row[column]?.length ?? 0))),
  );
  const lines = rows.map((row) =>
    row
      .flatMap((text, column) => (widths[column] === 0 ? [] : [text.padEnd(widths[column] ?? 0)]))
      .join("  ")
      .trimEnd(),
  );
  return more === 0
    ? lines
    : [...lines, `and ${count(more, "more person", "more people")}: give more of the name to see them`];
}

function job({ jobTitle, department }: FoundPerson): string {
  return [jobTitle, department].filter((text) => text !== null).join(", ");
}

function standing({ objectId, latticeId, presence, active }: FoundPerson): string {
  if (objectId === null) return "a Lattice account that is not linked";
  if (presence === "softDeleted") return "in Entra's recycle bin";
  if (presence === "deleted") return "deleted in Entra";
  if (presence === null) return latticeId === null ? "in the log only" : "no longer in Entra";
  if (latticeId === null) return "no account";
  return active === false ? "account not active" : "";
}
