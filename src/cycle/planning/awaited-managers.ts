import type { CycleContext } from "../context/context.ts";
import { foldManagersFound } from "../pictures/fold-references.ts";

const pageSize = 500;

/**
 * Marks people who waited for their manager's account, if the manager has an account now.
 * @returns how many
 */
export async function endWaiting({ store, fence }: Pick<CycleContext, "store" | "fence">): Promise<number> {
  let found = 0;
  for (let after = ""; ; ) {
    const page = await store.managersFound(after, pageSize);
    const last = page.at(-1);
    if (last === undefined) return found;
    await store.commit(foldManagersFound(page), fence);
    found += page.length;
    after = last;
  }
}
