import { isOfEverybody } from "../plan.ts";
import type { CycleRecord, Cycles } from "./cycles.ts";

const pageSize = 50;

/**
 * The newest cycle of everybody in the log that meets a condition; `undefined` if there is none. Any number of cycles of some people
 * may be newer.
 */
export async function lastOfEverybody(
  store: Pick<Cycles, "recentCycles">,
  meets: (cycle: CycleRecord) => boolean = () => true,
): Promise<CycleRecord | undefined> {
  for (let before: number | undefined; ; ) {
    const page = await store.recentCycles(pageSize, before);
    const found = page.find((cycle) => isOfEverybody(cycle.kind) && meets(cycle));
    if (found !== undefined || page.length < pageSize) return found;
    before = page.at(-1)?.id;
  }
}
