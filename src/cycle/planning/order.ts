import type { Action } from "../../domain/plan.ts";
import type { OperationPatch } from "../../domain/state/change.ts";
import type { CycleContext } from "../context/context.ts";
import { renameWaves } from "./rename-order.ts";
import { waves } from "./waves.ts";

/** A reference waits for these operations of the person whom it names, and for one that adopts an account. */
const activating: readonly Action[] = ["create", "reactivate"];

/** Operations of which one commit sets the waves; the event loop runs between two. */
const wavesAtOnce = 2_000;

/** Sets the wave of each operation of the plan: after the manager's, and after a userName that it needs is free. */
export async function orderPlan(context: CycleContext): Promise<void> {
  const { store, cycleId } = context;
  const {
    operationIds,
    managerIndexes,
    waves: before,
  } = await store.referenceDependencies(cycleId, activating);
  const after = waves(managerIndexes, before);
  await keepWaves(context, movedWaves(operationIds, before, after));
  await keepWaves(context, renameWaves(await store.plannedRenames(cycleId)));
}

/** Operations whose wave changes, by id. */
function* movedWaves(
  operationIds: Float64Array,
  before: Uint32Array,
  after: Uint32Array,
): Generator<readonly [id: number, wave: number]> {
  for (const [index, id] of operationIds.entries()) {
    const wave = after[index];
    if (wave !== undefined && wave !== before[index]) yield [id, wave];
  }
}

async function keepWaves(
  { store, fence, clock, signal }: CycleContext,
  waveOf: Iterable<readonly [id: number, wave: number]>,
): Promise<void> {
  let patch: OperationPatch[] = [];
  for (const [id, wave] of waveOf) {
    patch.push({ id, wave });
    if (patch.length < wavesAtOnce) continue;
    await store.commit({ operations: { patch } }, fence);
    await clock.sleep(0, signal);
    patch = [];
  }
  if (patch.length > 0) await store.commit({ operations: { patch } }, fence);
}
