/** Other people who share with a person a value that must be unique: how many, and the object ids of the first few. */
export interface Others {
  readonly count: number;
  /** At most `namedAtMost`. */
  readonly names: readonly string[];
}

/** A reason names this many people; the rest are counted. */
export const namedAtMost = 3;

const nobodyElse: Others = { count: 0, names: [] };

/** `a`, `a and b`, `a, b, c and 497 more`. */
export function othersList({ count, names }: Others): string {
  const rest = count - names.length;
  const parts = rest > 0 ? [...names, `${rest} more`] : names;
  const last = parts.at(-1) ?? "";
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(", ")} and ${last}`;
}

/** The `people` without the person with this object id. */
export function othersOf(people: ReadonlySet<string> | undefined, objectId: string): Others {
  if (people === undefined) return nobodyElse;
  const names: string[] = [];
  for (const other of people) {
    if (names.length === namedAtMost) break;
    if (other !== objectId) names.push(other);
  }
  return { count: people.size - (people.has(objectId) ? 1 : 0), names };
}
