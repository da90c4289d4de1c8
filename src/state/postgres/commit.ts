import type { StateChange } from "../../domain/state/change.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { LogValues } from "../logged-values.ts";
import type { Database, Session } from "./connection/database.ts";
import { checkFence } from "./fence.ts";
import { writeLinkDecisions } from "./link-decisions.ts";
import { writeNobodys } from "./nobodys.ts";
import { statisticsKeeper } from "./statistics.ts";
import { writeAccounts } from "./write-accounts.ts";
import { writeCycleEnd } from "./write-cycle-end.ts";
import { writeDecisions } from "./write-decisions.ts";
import { writeMarks } from "./write-marks.ts";
import { writeMoves } from "./write-moves.ts";
import { writeCyclePlan, writeEvent, writeNotes } from "./write-notes.ts";
import { writeOperations } from "./write-operations.ts";
import { writeOutcomes } from "./write-outcomes.ts";
import { writeLookAgain, writePeople } from "./write-people.ts";
import { writePlan } from "./write-plan.ts";
import { writePruned } from "./write-pruned.ts";
import { writeNoLaterThan } from "./write-times.ts";

/**
 * The one way the engine writes: all of a change or nothing. A part that can concern a whole company takes a few statements, however many rows
 * it has.
 * @throws LeaseHeldError if the run that the fence names no longer holds the lease; nothing is written then
 */
export function commitMethod(db: Database, values: LogValues): Pick<StateStore, "commit"> {
  const written = statisticsKeeper(db);
  return {
    commit: async (change, fence) => {
      await db.transaction(async (session) => {
        await checkFence(session, fence);
        await write(session, change, values);
      });
      await written(change);
    },
  };
}

async function write(session: Session, change: StateChange, values: LogValues): Promise<void> {
  await writePeople(session, change);
  await writeAccounts(session, change);
  if (change.moves !== undefined) await writeMoves(session, change.moves);
  if (change.operations !== undefined) await writeOperations(session, change.operations);
  await writePlan(session, change);
  await writeDecisions(session, change);
  if (change.linkDecisions !== undefined) await writeLinkDecisions(session, change.linkDecisions);
  if (change.nobodys !== undefined) await writeNobodys(session, change.nobodys);
  if (change.lookAgain !== undefined) await writeLookAgain(session, change.lookAgain);
  if (change.marks !== undefined) await writeMarks(session, change.marks);
  await writeOutcomes(session, change, values);
  if (change.cyclePlan !== undefined) await writeCyclePlan(session, change.cyclePlan, values);
  await writeCycleEnd(session, change, values);
  if (change.pruned !== undefined) await writePruned(session, change.pruned);
  if (change.noLaterThan !== undefined) await writeNoLaterThan(session, change.noLaterThan);
  if (change.notes !== undefined) await writeNotes(session, change.notes);
  for (const { event, at } of change.events ?? []) await writeEvent(session, event, { at }, values);
}
