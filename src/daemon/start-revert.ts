import type { CycleResult } from "../cycle/course/request.ts";
import { refuseInPause } from "../cycle/health/sending-pause.ts";
import type { RevertEffect } from "../cycle/reverts/revert-report.ts";
import {
  type RevertOrder,
  refuseUnderWay,
  refuseUnknownCycle,
  refuseWithoutValues,
} from "../cycle/reverts/reverts.ts";
import type { StateStore } from "../domain/state/store.ts";
import type { Job } from "../job/job.ts";
import type { AskedRevert, DryRunPlan, LeftPerson, RevertNumbers } from "./works.ts";

/**
 * Checks an order to take a cycle back before anything is started. It is checked again under the lease.
 * @throws UsageError if the cycle cannot be taken back, or sending is paused
 */
export async function refuseRevert(
  { config, clock }: Pick<Job, "config" | "clock">,
  reader: StateStore,
  asked: AskedRevert,
): Promise<void> {
  refuseWithoutValues(config.state.logValues);
  await refuseUnderWay(reader, asked.which, clock.now());
  await refuseUnknownCycle(reader, asked);
  if (!asked.dryRun) refuseInPause(await reader.meta(), clock.now());
}

/** The numbers of what a revert has sent, or would send; nothing if the cycle is not a revert. */
export function revertNumbers(
  { revert: effect }: Pick<CycleResult, "revert">,
  order: RevertOrder | undefined,
): { readonly revert?: RevertNumbers } {
  if (effect === undefined || order === undefined) return {};
  const { report, agreement, passedOver } = effect;
  const { cycleId, planId, changedSince, cannot, skipped } = report;
  const revert = {
    cycleId,
    planId,
    agreed: agreement.digest,
    operations: agreement.operations,
    deactivateCreated: order.deactivateCreated,
    only: order.only ?? null,
    changedSince: changedSince.length,
    cannot: cannot.length,
    skipped: skipped.length,
    passedOver,
  };
  return { revert };
}

/** The first `most` of the people for whom a revert leaves something undone. */
export function revertLeft({ report }: RevertEffect, most: number): NonNullable<DryRunPlan["left"]> {
  const people = (["skipped", "changedSince", "cannot"] as const).flatMap((why) =>
    report[why].map((person): LeftPerson => ({ ...person, why })),
  );
  return { people: people.slice(0, most), total: people.length };
}
