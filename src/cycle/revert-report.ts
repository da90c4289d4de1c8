import { UsageError } from "../domain/errors.ts";
import type { LoggedOperation } from "../domain/operation.ts";
import type { Change } from "../domain/plan.ts";
import { quotation } from "../domain/quotation.ts";
import type { CycleRecord } from "../domain/state/cycles.ts";
import type { StateStore } from "../domain/state/store.ts";
import { visible } from "../domain/visible.ts";
import { commandLine } from "../process/command-name.ts";
import { operationsOf } from "./operations/pages.ts";
import { asOne, type Left, type Revert, revertOf } from "./planning/revert-of.ts";

/** The effect that a revert of a cycle would have, person by person. */
export interface RevertReport {
  readonly cycleId: number;
  readonly planId: string;
  /** Changes that would be sent. */
  readonly reverts: readonly (RevertedPerson & { readonly changes: readonly Change[] })[];
  /** Attributes that are no longer as the cycle left them: they are left. */
  readonly changedSince: readonly (RevertedPerson & { readonly what: readonly Left[] })[];
  /** Losses that no write brings back. */
  readonly cannot: readonly (RevertedPerson & { readonly what: readonly Left[] })[];
}

/** A person whose account the cycle has changed. */
export interface RevertedPerson {
  readonly objectId: string;
  readonly userName: string;
  readonly latticeId: string | null;
}

/** A request to take back what a cycle did. */
export interface RevertRequest {
  /** A cycle's number, or the id of its plan. */
  readonly which: string;
  /** Only these people, by user principal name or object id. */
  readonly only?: readonly string[] | undefined;
  /** Accounts that the cycle has created are switched off. */
  readonly deactivateCreated: boolean;
}

const pageSize = 500;

/**
 * Compares what a cycle has sent with the accounts as last confirmed. Writes nothing, and asks neither end.
 * @throws UsageError if the cycle is not known, is no longer in the log, has sent nothing, or has sent nothing of a person who is named
 */
export async function revertReport(store: StateStore, request: RevertRequest): Promise<RevertReport> {
  const cycle = await cycleNamed(store, request.which);
  const done: LoggedOperation[] = [];
  for await (const operation of operationsOf(store, cycle.id, { status: "done" })) done.push(operation);
  if (done.length === 0) throw nothingDone(cycle);
  const people = [...Map.groupBy(chosen(done, request.only, cycle), ({ objectId }) => objectId).values()];
  const found: { readonly person: RevertedPerson; readonly revert: Revert }[] = [];
  for (let from = 0; from < people.length; from += pageSize) {
    found.push(...(await revertsOf(store, people.slice(from, from + pageSize), request)));
  }
  const listed = (of: (revert: Revert) => readonly Left[]) =>
    found.flatMap(({ person, revert }) => (of(revert).length === 0 ? [] : [{ ...person, what: of(revert) }]));
  return {
    cycleId: cycle.id,
    planId: cycle.planId,
    reverts: found.flatMap(({ person, revert }) =>
      revert.reverts.length === 0 ? [] : [{ ...person, changes: revert.reverts }],
    ),
    changedSince: listed(({ changedSince }) => changedSince),
    cannot: listed(({ cannot }) => cannot),
  };
}

async function revertsOf(
  store: StateStore,
  people: readonly (readonly LoggedOperation[])[],
  { deactivateCreated }: Pick<RevertRequest, "deactivateCreated">,
): Promise<{ readonly person: RevertedPerson; readonly revert: Revert }[]> {
  const operations = people.flatMap(([first, ...later]) =>
    // By id: a later round of a cycle may have an earlier wave.
    first === undefined ? [] : [asOne(inOrder([first, ...later]))],
  );
  const references = operations.flatMap(({ changes }) => changes.flatMap(({ reference }) => reference ?? []));
  const rows = await store.accountRows({
    latticeIds: references.flatMap(({ beforeId }) => beforeId ?? []),
    objectIds: [
      ...operations.map(({ objectId }) => objectId),
      ...references.flatMap(({ afterObjectId }) => afterObjectId ?? []),
    ],
  });
  const ofPerson = new Map(
    rows.flatMap((row) =>
      row.objectId === null || row.missingSince !== null ? [] : [[row.objectId, row] as const],
    ),
  );
  const ofAccount = new Map(rows.map(({ latticeId, objectId }) => [latticeId, objectId]));
  return operations.map((operation) => {
    const { objectId, userName, latticeId } = operation;
    const now = {
      account: ofPerson.get(objectId) ?? null,
      accountOf: (person: string) => ofPerson.get(person)?.latticeId ?? null,
      personOf: (account: string) => ofAccount.get(account) ?? null,
    };
    return {
      person: { objectId, userName, latticeId },
      revert: revertOf(operation, now, { deactivateCreated }),
    };
  });
}

function inOrder(
  operations: readonly [LoggedOperation, ...LoggedOperation[]],
): readonly [LoggedOperation, ...LoggedOperation[]] {
  const [first, ...later] = operations.toSorted((one, other) => one.id - other.id);
  return first === undefined ? operations : [first, ...later];
}

/** @throws UsageError if the cycle is not in the log */
async function cycleNamed(store: StateStore, which: string): Promise<CycleRecord> {
  const byPlan = await store.cycleOfPlan(which);
  if (byPlan !== null) return byPlan;
  const number = /^[0-9]{1,15}$/.test(which) ? Number(which) : null;
  if (number === null) {
    throw new UsageError(
      `the log has no plan ${quotation(visible(which))}. A dry run's plan is not in the log, and old cycles are removed from it (state.retention). ${commandLine("history")} shows the cycles. Nothing was done`,
    );
  }
  const [cycle] = await store.recentCycles(1, number + 1);
  if (cycle?.id === number) return cycle;
  const [newest] = await store.recentCycles(1);
  if (newest !== undefined && number > 0 && number < newest.id) {
    throw new UsageError(
      `the cycle ${number} is no longer in the log: state.retention or state.maxLogRows has removed it. Nothing was done`,
    );
  }
  throw new UsageError(
    `there is no cycle ${number} in the log. ${commandLine("history")} shows the cycles. Nothing was done`,
  );
}

function nothingDone({ id, done }: CycleRecord): UsageError {
  const why =
    done > 0
      ? `the operations of the cycle ${id} are no longer in the log`
      : `the cycle ${id} has changed nothing in Lattice, so there is nothing to take back`;
  return new UsageError(`${why}. Nothing was done`);
}

/** @throws UsageError if a name is of nobody, or of several people */
function chosen(
  done: readonly LoggedOperation[],
  only: readonly string[] | undefined,
  { id }: CycleRecord,
): readonly LoggedOperation[] {
  if (only === undefined) return done;
  const people = new Set(
    only.map((name) => {
      const wanted = name.trim().toLowerCase();
      const meant = new Set(
        done
          .filter(({ objectId, userName }) =>
            [objectId.toLowerCase(), userName.toLowerCase()].includes(wanted),
          )
          .map(({ objectId }) => objectId),
      );
      const [one] = meant;
      if (one === undefined) {
        throw new UsageError(
          `the cycle ${id} has changed nothing of ${quotation(visible(name))}. Give the user principal name or the object id. Nothing was done`,
        );
      }
      if (meant.size > 1) {
        throw new UsageError(
          `${quotation(visible(name))} is the name of ${meant.size} people. Use the object id (${[...meant].join(" or ")}). Nothing was done`,
        );
      }
      return one;
    }),
  );
  return done.filter(({ objectId }) => people.has(objectId));
}
