import type { WeighedOperation } from "../../../domain/state/plan-log.ts";
import type { CycleContext } from "../../context/context.ts";
import { weightsOf } from "../../operations/weights.ts";
import { nameKey, namesIn } from "../../planning/rename-order.ts";

const pageSize = 500;

/**
 * Takes people out of the canary for this cycle if they are to get the userName of a person whose rename waits for it: Lattice would
 * refuse the name, and the canary would seem to have failed. Example: Ann waits, so Bob, who gets Ann's name, waits too, and so does
 * Cem, who gets Bob's.
 */
export async function waitForNames(context: CycleContext): Promise<void> {
  const { store, fence, cycleId, canary: chosen } = context;
  const renames = await store.plannedRenames(cycleId);
  if (chosen === null || chosen.size === 0 || renames.length === 0) return;
  const freeing = new Map(renames.map(({ from, operationId }) => [nameKey(from), operationId]));
  const { waiting, needing } = await readNeeds(context, freeing);
  const late: WeighedOperation[] = [];
  for (let found = -1; found !== late.length; ) {
    found = late.length;
    for (const [operation, needed] of needing) {
      if (waiting.has(operation.id) || !waiting.has(needed)) continue;
      waiting.add(operation.id);
      late.push(operation);
    }
  }
  if (late.length === 0) return;
  for (const { objectId } of late) chosen.delete(objectId);
  const patch = late.map((operation) => ({
    id: operation.id,
    left: {
      changes: operation.changes,
      weights: weightsOf(operation, { firstRun: context.firstRun, canary: chosen }),
      refers: operation.changes.some(({ reference }) => (reference?.afterObjectId ?? null) !== null),
    },
  }));
  await store.commit({ operations: { patch } }, fence);
}

interface Needs {
  /** Operations that wait for the canary. */
  readonly waiting: Set<number>;
  /** Operations that do not wait, with the operation that frees the userName that they need. */
  readonly needing: ReadonlyMap<WeighedOperation, number>;
}

/** @param freeing the operation that gives up a userName */
async function readNeeds(
  { store, cycleId }: CycleContext,
  freeing: ReadonlyMap<string, number>,
): Promise<Needs> {
  const waiting = new Set<number>();
  const needing = new Map<WeighedOperation, number>();
  for (let after = 0; ; ) {
    const page = await store.weighedOperations(cycleId, after, pageSize);
    for (const operation of page) {
      if (operation.weights.some(({ kind }) => kind === "canary")) waiting.add(operation.id);
      else {
        const needed = neededFrom(operation, freeing);
        if (needed !== undefined && needed !== operation.id) needing.set(operation, needed);
      }
    }
    const last = page.at(-1);
    if (last === undefined) return { waiting, needing };
    after = last.id;
  }
}

function neededFrom({ changes }: WeighedOperation, freeing: ReadonlyMap<string, number>): number | undefined {
  const { given } = namesIn(changes);
  return given === undefined ? undefined : freeing.get(given);
}
