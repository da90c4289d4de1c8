import { createHash } from "node:crypto";

/** A person with an operation, on whom a new configuration can be tried. */
export interface Eligible {
  readonly objectId: string;
  /** The kind of change: operations of one kind do the same. */
  readonly kind: string;
  readonly department: string;
}

/**
 * Chooses people evenly over kinds of change and over departments: the kinds take turns, and each gives a person of the department
 * from which the fewest were chosen so far. The same people are chosen whenever the plan is the same, in a dry run and in the run;
 * the order of the list does not matter.
 * @param eligible each person once
 * @param salt of the configuration, so that another one is tried on other people
 */
export function chooseEvenly(
  eligible: readonly Eligible[],
  { people, salt }: { readonly people: number; readonly salt: string },
): readonly string[] {
  const sorted = eligible
    .map((person) => ({ person, digest: digestOf(person.objectId, salt) }))
    .sort((one, other) => compare(one.digest, other.digest))
    .map(({ person }) => person);
  const kinds = [...Map.groupBy(sorted, ({ kind }) => kind)]
    .sort(([one], [other]) => compare(one, other))
    .map(([, ofKind]) => Map.groupBy(ofKind, ({ department }) => department));
  const chosen: string[] = [];
  const chosenOf = new Map<string, number>();
  while (chosen.length < people && kinds.some((departments) => departments.size > 0)) {
    for (const departments of kinds) {
      if (chosen.length >= people) break;
      const person = takeNext(departments, chosenOf);
      if (person !== null) chosen.push(person.objectId);
    }
  }
  return chosen;
}

/** Takes the first person of the department from which the fewest were chosen; `null` if no one is left. */
function takeNext(
  departments: Map<string, readonly Eligible[]>,
  chosenOf: Map<string, number>,
): Eligible | null {
  let least: string | null = null;
  for (const department of departments.keys()) {
    if (least === null || (chosenOf.get(department) ?? 0) < (chosenOf.get(least) ?? 0)) least = department;
  }
  if (least === null) return null;
  const [person, ...others] = departments.get(least) ?? [];
  if (others.length === 0) departments.delete(least);
  else departments.set(least, others);
  chosenOf.set(least, (chosenOf.get(least) ?? 0) + 1);
  return person ?? null;
}

function digestOf(objectId: string, salt: string): string {
  return createHash("sha256").update(`${salt} ${objectId}`).digest("hex");
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
