import type { Meta } from "../../domain/state/meta.ts";
import type { CycleContext } from "../context/context.ts";
import { protectionChanged } from "../pictures/marks.ts";

/**
 * Has people planned again whose accounts a person has protected, or protects no longer, since a cycle last looked. It compares the
 * lists, because a protection is written without the lease: a mark of that moment could be lost with the plan of a cycle under way.
 */
export async function markProtectionChanges(
  { store, fence }: Pick<CycleContext, "store" | "fence">,
  { protectedInPlan = "" }: Partial<Meta>,
): Promise<void> {
  // Only this program writes it.
  const before = protectedInPlan === "" ? [] : (JSON.parse(protectedInPlan) as string[]);
  const now = (await store.protections()).map(({ latticeId }) => latticeId);
  const changed = [...before.filter((id) => !now.includes(id)), ...now.filter((id) => !before.includes(id))];
  if (changed.length === 0) return;
  const known = await store.accountRows({ latticeIds: changed, objectIds: [] });
  await store.commit(
    {
      marks: known.flatMap(protectionChanged),
      notes: { protectedInPlan: JSON.stringify(now) },
    },
    fence,
  );
}
