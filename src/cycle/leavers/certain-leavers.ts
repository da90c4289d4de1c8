import { certainEvidence } from "../../domain/plan.ts";
import type { CycleContext } from "../context/context.ts";
import type { BegunCycle } from "../course/course.ts";
import { confirmLeavers } from "../guard/confirm-leavers.ts";
import { weighAndHold } from "../guard/weigh.ts";
import { certainEvents } from "../planning/leaving.ts";
import { keepPlan, makePlan, summarise } from "../planning/plan.ts";
import { keepNotes } from "../ports/ports.ts";
import type { ScopeFault } from "../reading/read.ts";
import { refuseSharedCompany } from "../reading/shared-company.ts";
import { applyPlan } from "../sending/apply.ts";

const pageSize = 250;

/**
 * Deactivates people who are disabled or deleted although the scope could not be read: the directory was read, and that is
 * enough for them. Nothing else is planned or written, because it is not known who is in scope. The cycle then ends with the
 * fault of the scope.
 */
export async function switchOffCertainLeavers(
  context: CycleContext,
  fault: ScopeFault,
  { meta }: Pick<BegunCycle, "meta">,
): Promise<void> {
  const { log, settings } = context;
  const only = await markedLeavers(context);
  if (only.length === 0) return;
  await refuseSharedCompany(context, meta);
  // These people are planned with a new mapping. So the next cycle plans everyone, whichever mapping it has.
  const other = meta.mappingDigest !== undefined && meta.mappingDigest !== settings.mapping.digest;
  if (other) await keepNotes(context, { mappingDigest: "" });
  const reason = `the scope could not be read: ${fault.message}`;
  const sending: CycleContext["sending"] = { kind: "leavers", reason, evidence: certainEvidence };
  const leaving: CycleContext = { ...context, sending };
  await makePlan(leaving, { only });
  // There are too many deletions to ask for each by id. They wait for the cycle that reads the scope.
  if (!(await confirmLeavers(leaving))) return;
  const planned = await summarise(leaving, only);
  const read = { scopeParts: null, filterParts: [], emptyDirectory: false, scopeUnread: true };
  const { guard, held } = await weighAndHold(leaving, { meta, read, summary: planned });
  await keepPlan(leaving, { summary: planned, guard });
  const { done, failed } = await applyPlan(leaving, { total: planned.deactivate - held, probe: false });
  log.warn(
    { done, failed, held },
    "the scope could not be read; only disabled and deleted people were deactivated",
  );
}

/** Marked people who are disabled or deleted and have an account that may be active. */
async function markedLeavers({ store, everyoneInScope }: CycleContext): Promise<readonly string[]> {
  const found: string[] = [];
  let after = "";
  for (;;) {
    const page = await store.candidates({ select: "marked", everyoneInScope, after, limit: pageSize });
    for (const { source, link } of page) {
      const left = certainEvents(source).length > 0;
      if (left && link !== null && link.active !== false) found.push(source.objectId);
    }
    const last = page.at(-1);
    if (last === undefined) return found;
    after = last.source.objectId;
  }
}
