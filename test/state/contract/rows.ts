import type { AccountRow, NewOperation, PersonRow, PlannedFor } from "../../../src/domain/state/change.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";

/** A person of the directory, present and without attributes unless `more` says otherwise. */
export function personRow(
  objectId: string,
  more: Partial<Omit<PersonRow, "source">> & Partial<PersonRow["source"]> = {},
): PersonRow {
  const { userNameKey = null, externalIdKey = null, alwaysInScope = false, ...source } = more;
  return {
    source: { objectId, attributes: {}, managerId: null, presence: "present", ...source },
    userNameKey,
    externalIdKey,
    alwaysInScope,
  };
}

/** An active account that the cycle 1 read, linked to the person if there is one, unless `more` says otherwise. */
export function accountRow(
  latticeId: string,
  objectId: string | null,
  more: Partial<AccountRow> = {},
): AccountRow {
  return {
    latticeId,
    objectId,
    userName: `${latticeId}@example.com`,
    externalId: null,
    active: true,
    values: {},
    acknowledged: {},
    drifted: {},
    readIn: 1,
    readAgain: null,
    missingSince: null,
    ...more,
  };
}

/** A planned operation that sets a person's title, unless `more` says otherwise. */
export function operationRow(
  cycleId: number,
  objectId: string,
  { after = "Cook", ...more }: Partial<NewOperation> & { readonly after?: string } = {},
): NewOperation {
  return {
    cycleId,
    status: "planned",
    operation: {
      action: "update",
      objectId,
      userName: `${objectId}@example.com`,
      latticeId: `lat-${objectId}`,
      reason: "title changed",
      evidence: null,
      changes: [{ attribute: "title", before: "Clerk", after }],
      adopts: false,
    },
    weights: [],
    refersTo: null,
    wave: 2,
    attempt: 1,
    at: 1,
    ...more,
  };
}

/** The result of a plan for a person without changes, unless `more` says otherwise. */
export function plannedRow(objectId: string, more: Partial<PlannedFor> = {}): PlannedFor {
  return { objectId, planAgain: false, awaitsManager: false, skip: null, lookAgainAt: null, ...more };
}

/** Stores these people, none of whom is in the next plan. */
export async function settled(store: StateStore, people: readonly PersonRow[]): Promise<void> {
  await store.commit(
    {
      people: { readIn: 1, put: people },
      planned: people.map(({ source }) => plannedRow(source.objectId)),
    },
    "private",
  );
}

/** Object ids of the people who are in the next plan, in order. */
export async function toPlan(store: StateStore): Promise<readonly string[]> {
  const query = { select: "marked", everyoneInScope: true, after: "", limit: 100 } as const;
  return (await store.candidates(query)).map(({ source }) => source.objectId);
}
