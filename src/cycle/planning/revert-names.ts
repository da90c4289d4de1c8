import type { Planning } from "../../domain/state/planning.ts";
import type { Revert } from "./revert-of.ts";

/** The revert of one person's account, as far as its userName goes. */
export interface Named {
  readonly latticeId: string;
  readonly revert: Revert;
}

/**
 * Leaves each userName as it is whose earlier one another account has now and does not give up in the same revert. Accounts that
 * exchange their names in a ring keep them too: no order of sending gives each of them the name of the next.
 * @returns the reverts, in the same order
 */
export async function withoutTakenNames(
  store: Pick<Planning, "matches">,
  named: readonly Named[],
): Promise<readonly Revert[]> {
  const renames = new Map(
    named.flatMap(({ latticeId, revert }) => {
      const back = revert.reverts.find(({ attribute }) => attribute === "userName");
      return typeof back?.after === "string" ? [[latticeId, back.after] as const] : [];
    }),
  );
  const holders = await holdersOf(store, renames);
  for (let taken = takenIn(renames, holders); taken.length > 0; taken = takenIn(renames, holders)) {
    for (const latticeId of taken) renames.delete(latticeId);
  }
  return named.map(({ latticeId, revert }) => {
    if (renames.has(latticeId) || !revert.reverts.some(({ attribute }) => attribute === "userName")) {
      return revert;
    }
    const reason = "another account has the earlier userName";
    return {
      ...revert,
      reverts: revert.reverts.filter(({ attribute }) => attribute !== "userName"),
      changedSince: [...revert.changedSince, { attribute: "userName", reason }],
    };
  });
}

/** By Lattice id, the other accounts that have the userName that the account had. */
async function holdersOf(
  store: Pick<Planning, "matches">,
  renames: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const requests = [...renames].map(([latticeId, userName]) => ({
    objectId: latticeId,
    userName,
    externalId: null,
    lost: [],
  }));
  const found = new Map<string, readonly string[]>();
  for (let from = 0; from < requests.length; from += pageSize) {
    for (const [latticeId, { byUserName }] of await store.matches(requests.slice(from, from + pageSize))) {
      found.set(
        latticeId,
        byUserName.map((account) => account.latticeId).filter((id) => id !== latticeId),
      );
    }
  }
  return found;
}

const pageSize = 250;

/** Accounts whose earlier name is not given up, or is given up in a ring that leads back to the account. */
function takenIn(
  renames: ReadonlyMap<string, string>,
  holders: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  return [...renames.keys()].filter((latticeId) => {
    const seen = new Set([latticeId]);
    const next = [...(holders.get(latticeId) ?? [])];
    for (const id of next) {
      if (!renames.has(id) || id === latticeId) return true;
      if (seen.has(id)) continue;
      seen.add(id);
      next.push(...(holders.get(id) ?? []));
    }
    return false;
  });
}
