import { operationsOf } from "../../cycle/operations/pages.ts";
import { type Json, jsonEquals } from "../../domain/json.ts";
import type { LoggedOperation } from "../../domain/operation.ts";
import type { Action, Change, Skipped } from "../../domain/plan.ts";
import type { StateStore } from "../../domain/state/store.ts";

const pageSize = 500;

/** A plan to compare: the copy of the state that holds it. */
export interface ComparedPlan {
  readonly store: StateStore;
  readonly cycleId: number;
}

/** The treatment of a person in one plan. */
export interface PersonInPlan {
  /** Usually none or one. The guard can hold a part of an operation, which is then two. */
  readonly operations: readonly {
    readonly action: Action;
    readonly held: boolean;
    readonly reason: string;
  }[];
  /** Why the person is skipped; `null` if they are not. */
  readonly skipped: Pick<Skipped, "code" | "reason"> | null;
}

/** An attribute that the two plans treat differently. */
export interface AttributeDifference {
  /** SCIM path. */
  readonly attribute: string;
  /** The value in Lattice; `null` for none. */
  readonly now: Json;
  /** The value that the plan gives; absent if the plan does not change it. `[Redact]` if a mapping says so. */
  readonly first?: Json;
  readonly second?: Json;
}

/** A person whom the two plans treat differently. */
export interface PersonDifference {
  readonly objectId: string;
  readonly userName: string;
  readonly first: PersonInPlan;
  readonly second: PersonInPlan;
  readonly attributes: readonly AttributeDifference[];
}

interface Known {
  readonly operations: LoggedOperation[];
  skipped: Skipped | null;
}

/**
 * The people whom two plans treat differently: other actions, other values, held in one only, or skipped for another reason.
 * People in the second plan come first, in the order of sending. Both plans are held in memory.
 */
export async function* differences(
  first: ComparedPlan,
  second: ComparedPlan,
): AsyncGenerator<PersonDifference> {
  const [before, after] = [await planOf(first), await planOf(second)];
  for (const [objectId, person] of after) {
    const other = before.get(objectId) ?? { operations: [], skipped: null };
    before.delete(objectId);
    const found = difference(objectId, other, person);
    if (found !== null) yield found;
  }
  for (const [objectId, person] of before) {
    const found = difference(objectId, person, { operations: [], skipped: null });
    if (found !== null) yield found;
  }
}

async function planOf({ store, cycleId }: ComparedPlan): Promise<Map<string, Known>> {
  const people = new Map<string, Known>();
  const of = (objectId: string): Known => {
    const known = people.get(objectId) ?? { operations: [], skipped: null };
    people.set(objectId, known);
    return known;
  };
  for await (const operation of operationsOf(store, cycleId, {})) {
    of(operation.objectId).operations.push(operation);
  }
  for (let after = ""; ; ) {
    const page = await store.skipped({ after, limit: pageSize });
    const last = page.at(-1);
    if (last === undefined) return people;
    for (const skipped of page) of(skipped.objectId).skipped = skipped;
    after = last.objectId;
  }
}

function difference(objectId: string, first: Known, second: Known): PersonDifference | null {
  const [one, other] = [inPlan(first), inPlan(second)];
  const attributes = attributeDifferences(first, second);
  if (attributes.length === 0 && sameTreatment(one, other)) return null;
  const named = [...second.operations, ...first.operations, second.skipped, first.skipped];
  const userName = named.map((item) => item?.userName ?? "").find((name) => name !== "") ?? "";
  return { objectId, userName, first: one, second: other, attributes };
}

function inPlan({ operations, skipped }: Known): PersonInPlan {
  return {
    operations: operations.map(({ action, status, reason }) => ({ action, held: status === "held", reason })),
    skipped: skipped === null ? null : { code: skipped.code, reason: skipped.reason },
  };
}

/** Reasons of operations repeat what changes, so they do not count. */
function sameTreatment(one: PersonInPlan, other: PersonInPlan): boolean {
  const actions = ({ operations }: PersonInPlan): string =>
    operations
      .map(({ action, held }) => `${action} ${held}`)
      .sort()
      .join();
  return actions(one) === actions(other) && one.skipped?.code === other.skipped?.code;
}

function attributeDifferences(first: Known, second: Known): readonly AttributeDifference[] {
  const [before, after] = [changesOf(first), changesOf(second)];
  return [...new Set([...after.keys(), ...before.keys()])].flatMap((attribute): AttributeDifference[] => {
    const [old, next] = [before.get(attribute), after.get(attribute)];
    if (old !== undefined && next !== undefined && sameChange(old, next)) return [];
    const hide = old?.redacted === true || next?.redacted === true;
    const shown = (value: Json): Json => (hide && value !== null ? "[Redact]" : value);
    return [
      {
        attribute,
        now: shown((next ?? old)?.before ?? null),
        ...(old === undefined ? {} : { first: shown(old.after) }),
        ...(next === undefined ? {} : { second: shown(next.after) }),
      },
    ];
  });
}

function changesOf({ operations }: Known): ReadonlyMap<string, Change> {
  return new Map(operations.flatMap(({ changes }) => changes.map((change) => [change.attribute, change])));
}

function sameChange(one: Change, other: Change): boolean {
  return (
    jsonEquals(one.after, other.after) && one.reference?.afterObjectId === other.reference?.afterObjectId
  );
}
