import type { Hold, PlanSummary } from "../../domain/plan.ts";
import { count } from "../../domain/sentence.ts";
import type { WeightKind } from "../../domain/weight.ts";
import type { WeightCounts } from "../operations/weights.ts";

/** The side effects of a plan inside Lattice, by kind (docs/operating.md). */
const costs: readonly { readonly kind: WeightKind; readonly note: (number: number) => string }[] = [
  {
    kind: "deactivate",
    note: (number) =>
      `${count(number, "deactivation")}: Lattice removes a deactivated person as manager of their reports, from their own manager, as head of departments and from teams; it makes their one-to-ones inactive and ends the goals that only they own. A reactivation does not undo this.`,
  },
  {
    kind: "create",
    note: (number) =>
      `${count(number, "create")}: Lattice sends each person an invitation by e-mail if auto-invite is on.`,
  },
  {
    kind: "manager",
    note: (number) =>
      `${count(number, "change")} of manager: Lattice deletes the reviews that the former manager has drafted or submitted.`,
  },
];

/**
 * Sentences that a person should read before the plan is sent: one for each kind that is held, and in a first run for each
 * kind that is planned.
 */
export function costsOf(
  summary: Pick<PlanSummary, "create">,
  planned: WeightCounts,
  { holds, firstRun }: { readonly holds: readonly Hold[]; readonly firstRun: boolean },
): readonly string[] {
  return costs.flatMap(({ kind, note }) => {
    const shown = firstRun || holds.some((hold) => hold.kind === kind);
    // In a first run creates weigh nothing.
    const number = kind === "create" && firstRun ? summary.create : planned.of(kind);
    return shown && number > 0 ? [note(number)] : [];
  });
}
