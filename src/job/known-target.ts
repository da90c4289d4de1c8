import { RecordUnavailableError } from "../domain/errors.ts";
import type { StateStore } from "../domain/state/store.ts";
import type { Target, TargetUser } from "../domain/target.ts";
import { afterEveryCycle } from "./known-source.ts";

const pageSize = 500;

/** A Lattice that answers from a store. Nothing can be written to it. */
export function knownTarget(pictures: StateStore): Target {
  const list = async function* (): AsyncGenerator<readonly TargetUser[], void> {
    for (let after = ""; ; ) {
      const page = await pictures.unreadAccounts(afterEveryCycle, after, pageSize);
      const last = page.at(-1);
      if (last === undefined) return;
      const latticeIds = page.map(({ latticeId }) => latticeId);
      const rows = await pictures.accountRows({ latticeIds, objectIds: [] });
      yield rows.filter(({ missingSince }) => missingSince === null).map(asShown);
      after = last.latticeId;
    }
  };
  return {
    list,
    find: async (attribute, value) => {
      const found: TargetUser[] = [];
      const folded = value.toLowerCase();
      for await (const page of list()) {
        found.push(
          ...page.filter((user) =>
            attribute === "userName" ? user.userName.toLowerCase() === folded : user.externalId === value,
          ),
        );
      }
      return found;
    },
    get: async (latticeId) => {
      const [row] = await pictures.accountRows({ latticeIds: [latticeId], objectIds: [] });
      if (row === undefined) return null;
      // Only another request could show whether it is gone for good.
      if (row.missingSince !== null)
        throw new RecordUnavailableError("the account was missing when it was last read");
      return asShown(row);
    },
    create: () => Promise.reject(new Error("a plan from known data writes nothing")),
    update: () => Promise.reject(new Error("a plan from known data writes nothing")),
    reach: async () => {},
  };
}

function asShown({ latticeId, userName, externalId, active, values }: TargetUser): TargetUser {
  return { latticeId, userName, externalId, active, values };
}
