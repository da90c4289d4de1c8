import type { ReadAgain } from "../../domain/state/account.ts";
import type { AccountRow, StateChange } from "../../domain/state/change.ts";
import type { Intent } from "../../domain/state/plan-log.ts";
import type { CycleContext } from "../context/context.ts";
import { type Ended, foldLookUp, foldOutcomes, type LookedUp } from "../pictures/outcomes.ts";

type Keeping = Pick<CycleContext, "store" | "fence" | "cycleId" | "inTurn">;

/** The operations that are about to be sent. */
export type Beginning = NonNullable<NonNullable<StateChange["intents"]>["begin"]>;

/** Stores the outcomes of operations and the intents of the next ones, in one commit. */
export async function keepOutcomes(
  { store, fence, cycleId, inTurn }: Keeping,
  ended: readonly Ended[],
  begin?: Beginning,
): Promise<void> {
  if (ended.length === 0 && begin === undefined) return;
  await inTurn(async () => {
    const change = ended.length === 0 ? {} : foldOutcomes(await knownOf(store, ended), ended, cycleId);
    const intents = { ...change.intents, ...(begin === undefined ? {} : { begin }) };
    await store.commit({ ...change, intents }, fence);
  });
}

/** Stores the result of looking up a write in doubt. */
export async function keepLookUp(
  { store, fence, inTurn }: Keeping,
  intent: Intent,
  lookedUp: LookedUp,
): Promise<void> {
  await inTurn(async () => {
    const { account, readAgain } = lookedUp;
    const latticeIds = account === null ? [] : [account.latticeId];
    const [rows, reports] = await Promise.all([
      store.accountRows({ latticeIds: [...latticeIds, ...idsOf(readAgain)], objectIds: [intent.objectId] }),
      reportsOf(store, readAgain),
    ]);
    await store.commit(foldLookUp({ rows, reports }, intent, lookedUp), fence);
  });
}

async function knownOf(
  store: Keeping["store"],
  ended: readonly Ended[],
): Promise<Parameters<typeof foldOutcomes>[0]> {
  const objectIds = ended.map(({ outcome }) => outcome.objectId);
  const marks = ended.flatMap(({ outcome }) => outcome.readAgain ?? []);
  const latticeIds = new Set([
    ...ended.flatMap(({ operation, outcome }) => [
      ...(outcome.target === undefined ? [] : [outcome.target.latticeId]),
      ...(outcome.unlink === undefined || operation.latticeId === null ? [] : [operation.latticeId]),
    ]),
    ...idsOf(marks),
  ]);
  const [operation] = ended.map((one) => one.operation);
  const [rows, reports, people, failing, held] = await Promise.all([
    store.accountRows({ latticeIds: [...latticeIds], objectIds }),
    reportsOf(store, marks),
    store.keysOf(objectIds),
    store.retriesAmong(objectIds),
    operation === undefined ? new Set<string>() : store.heldAmong(operation.cycleId, objectIds),
  ]);
  return { rows, reports, people, failing, held };
}

function idsOf(marks: readonly ReadAgain[]): readonly string[] {
  return marks.map(({ latticeId }) => latticeId);
}

async function reportsOf(
  store: Keeping["store"],
  marks: readonly ReadAgain[],
): Promise<ReadonlyMap<string, readonly AccountRow[]>> {
  const reports = new Map<string, readonly AccountRow[]>();
  for (const { which, latticeId } of marks) {
    if (which === "reports") reports.set(latticeId, await store.accountsReportingTo(latticeId));
  }
  return reports;
}
