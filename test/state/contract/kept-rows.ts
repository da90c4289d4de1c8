import type { Operation } from "../../../src/domain/plan.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { kept } from "../kept.ts";

export const noKey = (): null => null;

export function hired(
  objectId: string,
  attributes: Record<string, string | null> = {},
  managerId: string | null = null,
) {
  return { kind: "upsert", objectId, attributes, complete: true, managerId } as const;
}

export async function marked(store: StateStore, everyoneInScope = true): Promise<string[]> {
  const people = await store.candidates({ select: "marked", everyoneInScope, after: "", limit: 100 });
  return people.map(({ source }) => source.objectId);
}

/** A cycle in which everybody is in order. @returns its id */
export async function settle(store: StateStore): Promise<number> {
  const cycleId = await store.beginCycle(
    { planId: crypto.randomUUID(), kind: "reconcile", startedAt: 1 },
    "private",
  );
  await kept(store).decisions(
    cycleId,
    (await marked(store)).map((objectId) => ({ kind: "unchanged", objectId, referencePending: false })),
  );
  return cycleId;
}

export function creation(objectId: string, managerObjectId: string | null = null): Operation {
  const reference = { beforeId: null, afterObjectId: managerObjectId };
  return {
    action: "create",
    objectId,
    userName: `${objectId}@example.com`,
    latticeId: null,
    reason: "new in scope",
    evidence: null,
    adopts: false,
    changes: [
      { attribute: "userName", before: null, after: `${objectId}@example.com` },
      ...(managerObjectId === null
        ? []
        : [{ attribute: "manager", before: null, after: managerObjectId, reference }]),
    ],
  };
}

export function account(latticeId: string, objectId: string) {
  return {
    latticeId,
    userName: `${objectId}@example.com`,
    externalId: objectId,
    active: true,
    values: { title: "Analyst" },
    acknowledged: {},
  };
}
