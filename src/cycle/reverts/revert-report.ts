import type { Change } from "../../domain/plan.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { Agreement } from "../guard/agreement.ts";
import type { ProtectedAccounts } from "../operations/protected-account.ts";
import { withDecisions } from "../planning/decisions.ts";
import type { Left, Revert } from "../planning/revert-of.ts";
import {
  type RevertedCycle,
  type RevertedOperation,
  type RevertRequest,
  revertedCycle,
  revertsOf,
} from "./reverts.ts";

/** The effect of a revert of a cycle, person by person. */
export interface RevertReport {
  readonly cycleId: number;
  readonly planId: string;
  /** Changes that are sent. */
  readonly reverts: readonly (RevertedPerson & { readonly changes: readonly Change[] })[];
  /** Attributes that are no longer as the cycle left them. They stay as they are. */
  readonly changedSince: readonly (RevertedPerson & { readonly what: readonly Left[] })[];
  /** Losses that no write brings back. */
  readonly cannot: readonly (RevertedPerson & { readonly what: readonly Left[] })[];
  /** Changes that could be taken back, and are not: protected accounts, leavers, writes in doubt. */
  readonly skipped: readonly (RevertedPerson & { readonly what: readonly Left[] })[];
}

/** The operations that a revert sends, or would send. */
export interface RevertEffect {
  readonly report: RevertReport;
  readonly agreement: Agreement;
  /** The limits of the guard that the person has passed over, one sentence each. */
  readonly passedOver: readonly string[];
}

/** A person whose account the cycle has changed. */
export interface RevertedPerson {
  readonly objectId: string;
  readonly userName: string;
  readonly latticeId: string | null;
}

/**
 * The effect that a revert would have, by the accounts as last confirmed. Writes nothing, and asks neither Entra nor Lattice.
 * @throws UsageError of `revertedCycle`
 */
export async function revertReport(
  store: StateStore,
  request: RevertRequest,
  settings: ProtectedAccounts,
): Promise<RevertReport> {
  const reverted = await revertedCycle(store, request);
  const accounts = await withDecisions(settings, store);
  return reportOf(reverted, await revertsOf(store, reverted.operations, request, accounts));
}

/** The reverts of a cycle as lists. */
export function reportOf(
  { cycle }: Pick<RevertedCycle, "cycle">,
  found: readonly RevertedOperation[],
): RevertReport {
  const people = found.map(({ operation: { objectId, userName, latticeId }, revert }) => ({
    person: { objectId, userName, latticeId },
    revert,
  }));
  const listed = (of: (revert: Revert) => readonly Left[]) =>
    people.flatMap(({ person, revert }) =>
      of(revert).length === 0 ? [] : [{ ...person, what: of(revert) }],
    );
  return {
    cycleId: cycle.id,
    planId: cycle.planId,
    reverts: people.flatMap(({ person, revert }) =>
      revert.reverts.length === 0 ? [] : [{ ...person, changes: revert.reverts }],
    ),
    changedSince: listed(({ changedSince }) => changedSince),
    cannot: listed(({ cannot }) => cannot),
    skipped: listed(({ skipped }) => skipped),
  };
}
