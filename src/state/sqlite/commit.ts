import type { StateChange } from "../../domain/state/change.ts";
import type { Fence } from "../../domain/state/fence.ts";
import type { LogValues } from "../logged-values.ts";
import { peopleMarked } from "../marked-people.ts";
import { cyclePlanWriter } from "./cycles.ts";
import { fenceCheck } from "./fence.ts";
import type { Connection } from "./files/database.ts";
import { linkDecisionsWriter } from "./link-decisions.ts";
import type { ValueKeeper } from "./log-values.ts";
import { nobodysWriter } from "./nobodys.ts";
import { metaWriter } from "./notes.ts";
import { eventWriter } from "./outbox.ts";
import { onDisk } from "./tuning.ts";
import { accountsWriter } from "./write-accounts.ts";
import { cycleEndWriter } from "./write-cycle-end.ts";
import { decisionsWriter } from "./write-decisions.ts";
import { marksWriter } from "./write-marks.ts";
import { movesWriter } from "./write-moves.ts";
import { operationsWriter } from "./write-operations.ts";
import { outcomesWriter } from "./write-outcomes.ts";
import { peopleWriter } from "./write-people.ts";
import { planWriter } from "./write-plan.ts";
import { prunedWriter } from "./write-pruned.ts";
import { timesWriter } from "./write-times.ts";

/**
 * The one way the engine writes: all of a change or nothing.
 * @throws LeaseHeldError if the run that the fence names no longer holds the lease; nothing is written then
 */
export function commitMethod(
  db: Connection,
  values: ValueKeeper,
  logValues: LogValues,
): (change: StateChange, fence: Fence) => Promise<void> {
  const people = peopleWriter(db);
  const moves = movesWriter(db);
  const operations = operationsWriter(db);
  const plan = planWriter(db);
  const decisions = decisionsWriter(db);
  const linkDecisions = linkDecisionsWriter(db);
  const nobodys = nobodysWriter(db);
  const accounts = accountsWriter(db);
  const marks = marksWriter(db);
  const outcomes = outcomesWriter(db, values);
  const cyclePlan = cyclePlanWriter(db, values);
  const notes = metaWriter(db);
  const putEvent = eventWriter(db, logValues);
  const cycleEnd = cycleEndWriter(db, values);
  const prune = prunedWriter(db);
  const noLaterThan = timesWriter(db);
  const checkFence = fenceCheck(db);
  const write = db.transaction((change: StateChange, fence: Fence) => {
    checkFence(fence);
    if (change.people !== undefined) people.put(change.people, peopleMarked(change.marks));
    if (change.forgotten !== undefined) people.forget(change.forgotten);
    accounts(change);
    if (change.moves !== undefined) moves(change.moves);
    if (change.operations !== undefined) operations(change.operations);
    if (change.planned !== undefined) plan.planned(change.planned);
    if (change.awaiting !== undefined) plan.awaiting(change.awaiting);
    if (change.managerFound !== undefined) plan.managerFound(change.managerFound);
    if (change.leaving !== undefined) plan.leaving(change.leaving);
    const decisionId = change.decision === undefined ? null : decisions.decision(change.decision);
    if (change.releases !== undefined) decisions.releases(change.releases);
    if (change.rejections !== undefined) decisions.rejections(change.rejections, decisionId);
    if (change.linkDecisions !== undefined) linkDecisions(change.linkDecisions);
    if (change.nobodys !== undefined) nobodys(change.nobodys);
    if (change.lookAgain !== undefined) people.lookAgain(change.lookAgain);
    if (change.marks !== undefined) marks(change.marks);
    outcomes(change);
    if (change.cyclePlan !== undefined) cyclePlan(change.cyclePlan);
    cycleEnd(change);
    if (change.pruned !== undefined) prune(change.pruned);
    if (change.noLaterThan !== undefined) noLaterThan(change.noLaterThan);
    if (change.notes !== undefined) notes(change.notes);
    for (const { event, at } of change.events ?? []) putEvent(event, { at });
  });
  // IMMEDIATE takes the write lock at once: a transaction that begins with a read fails instead of waiting for another writer.
  const written = onDisk(db);
  return async (change, fence) => written(() => write.immediate(change, fence), change.mayBeLost === true);
}
