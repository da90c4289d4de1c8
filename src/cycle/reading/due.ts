import type { CycleContext } from "../context/context.ts";
import { timeHasCome } from "../pictures/marks.ts";

const pageSize = 500;

/**
 * Marks people for whom a date in a filter, or the delay of a deactivation, was reached.
 * @returns how many were due
 */
export async function markDue({
  store,
  fence,
  clock,
}: Pick<CycleContext, "store" | "fence" | "clock">): Promise<number> {
  const now = clock.now();
  let due = 0;
  for (let after = ""; ; ) {
    const page = await store.duePeople(now, after, pageSize);
    const last = page.at(-1);
    if (last === undefined) return due;
    await store.commit({ lookAgain: { objectIds: page, at: null }, marks: timeHasCome(page) }, fence);
    due += page.length;
    after = last;
  }
}
