import type { EvidenceKind } from "../domain/plan.ts";
import type { CycleContext } from "./context/context.ts";
import type { BegunCycle } from "./course.ts";
import { confirmLeavers } from "./guard/confirm-leavers.ts";
import { weighAndHold } from "./guard/weigh.ts";
import { keepPlan, makePlan, summarise } from "./planning/plan.ts";
import { keepNotes } from "./ports/ports.ts";
import type { ScopeFault } from "./reading/read.ts";
import { applyPlan } from "./sending/apply.ts";

const pageSize = 250;

/** What is seen of a person without regard to the scope. */
const certain: ReadonlySet<EvidenceKind> = new Set(["accountDisabled", "softDeleted", "deleted"]);

/**
 * If the scope cannot be read, nothing is planned that rests on it. People who are disabled or deleted do not wait for it,
 * though: the directory was read, and they are switched off before the cycle ends with the fault. Nothing else is written,
 * because it is not known whether they are in scope.
 */
export async function switchOffCertainLeavers(
  context: CycleContext,
  fault: ScopeFault,
  { meta, startedAt }: Pick<BegunCycle, "meta" | "startedAt">,
): Promise<void> {
  const { log, settings } = context;
  const only = await markedLeavers(context);
  if (only.length === 0) return;
  // Looked at with another mapping: whichever is in force next looks at everybody.
  const other = meta.mappingDigest !== undefined && meta.mappingDigest !== settings.mapping.digest;
  if (other) await keepNotes(context, { mappingDigest: "" });
  const reason = `the scope could not be read: ${fault.message}`;
  const sending: CycleContext["sending"] = { kind: "leavers", reason, evidence: certain };
  const leaving: CycleContext = { ...context, sending };
  await makePlan(leaving, { only });
  // Too many deletions to be asked for at once: they stay for the cycle that reads the scope.
  if (!(await confirmLeavers(leaving))) return;
  const planned = await summarise(leaving, only);
  const read = { scopeParts: null, filterParts: [], emptyDirectory: false, scopeUnread: true };
  const { guard, held } = await weighAndHold(leaving, { meta, startedAt, read, summary: planned });
  await keepPlan(leaving, { summary: planned, guard });
  const { done, failed } = await applyPlan(leaving, { total: planned.deactivate - held, probe: false });
  log.warn(
    { done, failed, held },
    "the scope could not be read; only disabled and deleted people were deactivated",
  );
}

/** People who are to be looked at, have an account that may be active, and are disabled or deleted. */
async function markedLeavers({ store, everyoneInScope }: CycleContext): Promise<readonly string[]> {
  const found: string[] = [];
  let after = "";
  for (;;) {
    const page = await store.candidates({ select: "marked", everyoneInScope, after, limit: pageSize });
    for (const { source, link } of page) {
      const left = source.presence !== "present" || source.attributes.accountEnabled === false;
      if (left && link !== null && link.active !== false) found.push(source.objectId);
    }
    const last = page.at(-1);
    if (last === undefined) return found;
    after = last.source.objectId;
  }
}
