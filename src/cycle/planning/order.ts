import type { Action } from "../../domain/plan.ts";
import type { OperationPatch } from "../../domain/state/change.ts";
import type { SendingOrder } from "../../domain/state/sending-order.ts";
import type { CycleContext } from "../context/context.ts";
import { type NameNeed, nameKey, nameNeeds } from "./rename-order.ts";
import { waves } from "./waves.ts";

/** A reference waits for these operations of the person whom it names, and for one that adopts an account. */
const activating: readonly Action[] = ["create", "reactivate"];

/** Operations of which one commit sets the waves; the event loop runs between two. */
const wavesAtOnce = 2_000;

/**
 * How often operations are ordered by managers and then by userNames, at most. A row in which the two alternate takes one turn
 * for each change between them; a ring of both would never end.
 */
const mostTurns = 20;

/** Sets the wave of each operation of the plan: after the manager's, and after a userName that it needs is free. */
export async function orderPlan(context: CycleContext): Promise<void> {
  const { store, cycleId } = context;
  const references = await store.referenceDependencies(cycleId, activating);
  const {
    operationIds,
    managerIndexes,
    nameIndexes,
    waves: before,
  } = withNames(references, await needsOf(context));
  await keepWaves(context, movedWaves(operationIds, before, inOrder(managerIndexes, nameIndexes, before)));
}

async function needsOf({ store, cycleId }: CycleContext): Promise<readonly NameNeed[]> {
  const renames = await store.plannedRenames(cycleId);
  if (renames.length === 0) return [];
  const freed = renames.map(({ from }) => nameKey(from));
  return nameNeeds(renames, await store.plannedCreates(cycleId, freed));
}

interface Waiting {
  readonly operationIds: Float64Array;
  /** For each operation the position of its manager's operation, -1 for none. */
  readonly managerIndexes: Int32Array;
  /** For each operation the position of the one that frees its userName, -1 for none; `null` if no operation needs one. */
  readonly nameIndexes: Int32Array | null;
  readonly waves: Uint32Array;
}

/** The operations of both kinds in one list: first those that have to do with references, in their order. */
function withNames(
  { operationIds, managerIndexes, waves: before }: Awaited<ReturnType<SendingOrder["referenceDependencies"]>>,
  needs: readonly NameNeed[],
): Waiting {
  if (needs.length === 0) return { operationIds, managerIndexes, nameIndexes: null, waves: before };
  const others = new Map(
    needs.flatMap(({ giving, freeing }) => [giving, freeing]).map((one) => [one.operationId, one.wave]),
  );
  const positions = new Map<number, number>();
  for (const [index, id] of operationIds.entries()) if (others.delete(id)) positions.set(id, index);
  const ids = [...operationIds, ...others.keys()];
  for (const [index, id] of [...others.keys()].entries()) positions.set(id, operationIds.length + index);
  const nameIndexes = new Int32Array(ids.length).fill(-1);
  for (const { giving, freeing } of needs) {
    const at = positions.get(giving.operationId);
    if (at !== undefined) nameIndexes[at] = positions.get(freeing.operationId) ?? -1;
  }
  return {
    operationIds: Float64Array.from(ids),
    managerIndexes: Int32Array.from(ids, (_, index) => managerIndexes[index] ?? -1),
    nameIndexes,
    waves: Uint32Array.from([...before, ...others.values()]),
  };
}

/**
 * The waves in which each operation comes after both for which it waits. If managers and userNames make a ring together, the name
 * is free in time and the manager follows later: Lattice refuses a name that is taken, and an account can do without its manager for a
 * while.
 */
function inOrder(
  managerIndexes: Int32Array,
  nameIndexes: Int32Array | null,
  before: Uint32Array,
): Uint32Array {
  let found = waves(managerIndexes, before);
  if (nameIndexes === null) return found;
  for (let turn = 0; turn < mostTurns; turn += 1) {
    const named = waves(nameIndexes, found);
    const next = waves(managerIndexes, named);
    if (next.every((wave, index) => wave === named[index])) return named;
    found = next;
  }
  return waves(nameIndexes, found);
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
