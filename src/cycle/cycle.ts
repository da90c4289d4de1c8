import type { BegunCycle, EndedCycle } from "./course/course.ts";
import { planCycle, sendCycle, settleEarlierRuns, weighCycle } from "./course/plan-weigh-send.ts";
import { recordCycle } from "./course/record-cycle.ts";
import type { CycleRequest, CycleResult } from "./course/request.ts";
import { withTrustedClock } from "./course/trusted-clock.ts";
import { parseAccepted } from "./guard/alarms.ts";
import { canaryOf, peopleOf } from "./guard/canary/begin.ts";
import { endIfNothingWaits, tellResult } from "./guard/canary/tell.ts";
import { linkedWhenDone, noteEndOfFirstRun } from "./guard/first-run.ts";
import { notifyHeld } from "./guard/notify-held.ts";
import { switchOffCertainLeavers } from "./leavers/certain-leavers.ts";
import { cycleOnDemand } from "./on-demand.ts";
import { noteAccounts } from "./person/note-accounts.ts";
import type { Ports } from "./ports/ports.ts";
import { readDirectory, readLattice } from "./reading/read.ts";
import { refuseSharedCompany } from "./reading/shared-company.ts";
import { cycleOfRevert } from "./revert.ts";

/**
 * Runs one cycle: read Entra and Lattice, plan, weigh, send, record. A dry run does all but send. The caller holds the lease.
 * @throws ConfigurationError, HostUnavailableError, InterruptedError, StateError; what was done is recorded
 */
export function runCycle(ports: Ports, request: CycleRequest): Promise<CycleResult> {
  const { only, revert } = request;
  return recordCycle(ports, request, (begun) => {
    if (revert !== undefined) return cycleOfRevert(begun, revert);
    return only === undefined ? cycleOfEverybody(begun) : cycleOnDemand(begun, only);
  });
}

async function cycleOfEverybody(begun: BegunCycle): Promise<EndedCycle> {
  const { request, meta } = begun;
  const { context: trusted, read: directory } = await withTrustedClock(begun, async (reading) => {
    await settleEarlierRuns(reading, meta);
    return readDirectory(reading, meta, parseAccepted(meta)?.parts ?? []);
  });
  const { emptyDirectory, scopeFault } = directory;
  if (scopeFault !== null) {
    if (!request.dryRun && !emptyDirectory) await switchOffCertainLeavers(trusted, scopeFault, begun);
    throw scopeFault;
  }
  const { context: read, select, failedComparison } = await readLattice(trusted, meta, directory);
  await refuseSharedCompany(read, meta);
  const canary = await canaryOf(read, meta, request);
  const context = { ...read, canary: canary === null ? null : peopleOf(canary) };

  await planCycle(context, meta, { select, emptyDirectory });

  const weighed = await weighCycle(context, begun, { read: directory, canary });
  if (!emptyDirectory) await endIfNothingWaits(context, weighed.waiting ?? 0);
  if (!request.dryRun) await notifyHeld(context, begun, weighed);

  const whenDone = context.firstRun ? await linkedWhenDone(context) : 0;
  const sent = await sendCycle(context, begun, weighed);
  if (!request.dryRun) await tellResult(context, begun.planId);
  if (context.firstRun && !emptyDirectory) await noteEndOfFirstRun(context, whenDone);
  if (!request.dryRun && !emptyDirectory) await noteAccounts(context);
  return { context, weighed, sent, failedComparison };
}
