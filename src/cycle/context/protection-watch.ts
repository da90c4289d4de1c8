import { RecordRejectedError } from "../../domain/errors.ts";
import type { Protection } from "../../domain/protection.ts";
import type { Protections } from "../../domain/state/protections.ts";
import type { Target, TargetUser } from "../../domain/target.ts";
import { type ProtectedAccounts, protectorOf, protectorText } from "../operations/protected-account.ts";

/** The last check before a write: a person may have protected an account since the plan was made. */
export interface ProtectionWatch {
  /** Reads the protections again. Call it before a batch is sent. */
  refresh(): Promise<void>;
  /** @throws RecordRejectedError if the account is protected */
  refuse(account: Pick<TargetUser, "latticeId" | "userName">): void;
  /** The target, which refuses to write protected accounts with a `RecordRejectedError`. */
  readonly target: Target;
}

/** @param settings the accounts that the configuration protects */
export function watchProtections(
  target: Target,
  store: Protections,
  settings: Pick<ProtectedAccounts, "protectedAccounts">,
): ProtectionWatch {
  let protections: ReadonlyMap<string, Protection> = new Map();
  const refuse: ProtectionWatch["refuse"] = (account) => {
    const protector = protectorOf(account, { ...settings, protections });
    if (protector === null) return;
    throw new RecordRejectedError(
      `the Lattice account ${account.latticeId} (${account.userName}) is ${protectorText(protector)}: nothing was sent to it`,
      { status: 409 },
    );
  };
  return {
    refuse,
    refresh: async () => {
      protections = new Map((await store.protections()).map((one) => [one.latticeId, one]));
    },
    target: {
      list: (signal) => target.list(signal),
      find: (attribute, value, signal) => target.find(attribute, value, signal),
      get: (latticeId, signal) => target.get(latticeId, signal),
      create: (writes, signal) => target.create(writes, signal),
      update: async (user, writes, signal, unshown) => {
        refuse(user);
        return target.update(user, writes, signal, unshown);
      },
      reach: (signal) => target.reach(signal),
    },
  };
}
