import { count, timeText } from "../domain/sentence.ts";
import type { StatePlace } from "../job/state-place.ts";
import type { MovedContent } from "../state/moved-tables.ts";

/** The content of a state in numbers, for a sentence that has named the state. */
export function movedInWords({
  people,
  linked,
  cycles,
  operations,
  held,
  lastCycleAt,
}: MovedContent): string {
  const log = `${count(cycles, "cycle")} with ${count(operations, "operation")} (${held.toLocaleString("en")} held)`;
  const last = lastCycleAt === null ? "" : `, the last one ${timeText(lastCycleAt)}`;
  return `${count(people, "person", "people")} read, ${linked.toLocaleString("en")} linked, ${log}${last}`;
}

/** The place of a state, and in PostgreSQL the job, if it has a name. */
export function placeInWords(place: StatePlace): string {
  if (place.kind === "file") return place.name;
  const { job } = place.database;
  return `${place.name} (PostgreSQL${job === "default" ? "" : `, job ${job}`})`;
}
