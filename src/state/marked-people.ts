import type { Mark } from "../domain/state/mark.ts";

/**
 * People whom these marks name one by one. A person whom the same commit adds is written with the mark: a second write of each row would
 * double what a first run writes of people.
 */
export function peopleMarked(marks: readonly Mark[] = []): ReadonlySet<string> {
  return new Set(marks.flatMap((mark) => (mark.who === "person" ? [mark.objectId] : [])));
}
