import { RecordRejectedError } from "../../domain/errors.ts";
import { type LinkDecision, linkDecisionText } from "../../domain/link-decision.ts";
import type { Protection } from "../../domain/protection.ts";
import type { LinkDecisions } from "../../domain/state/link-decisions.ts";
import type { Protections } from "../../domain/state/protections.ts";
import type { Target, TargetUser } from "../../domain/target.ts";
import { type ProtectedAccounts, protectorOf, protectorText } from "../operations/protected-account.ts";

/** The last check before a write: a person may have protected an account since the plan was made. */
export interface ProtectionWatch {
  /** Reads the protections again. Call it before a batch is sent. */
  refresh(): Promise<void>;
  /** @throws RecordRejectedError if the account is protected, or a person has unlinked it from this user */
  refuse(account: Pick<TargetUser, "latticeId" | "userName">, objectId: string): void;
  /** The target, which refuses to write protected accounts with a `RecordRejectedError`. */
  readonly target: Target;
}

/** @param settings the accounts that the configuration protects */
export function watchProtections(
  target: Target,
  store: Protections & LinkDecisions,
  settings: Pick<ProtectedAccounts, "protectedAccounts">,
): ProtectionWatch {
  let protections: ReadonlyMap<string, Protection> = new Map();
  let unlinked: readonly LinkDecision[] = [];
  const refuseProtected = (account: Pick<TargetUser, "latticeId" | "userName">): void => {
    const protector = protectorOf(account, { ...settings, protections });
    if (protector === null) return;
    throw new RecordRejectedError(
      `the Lattice account ${account.latticeId} (${account.userName}) is ${protectorText(protector)}: nothing was sent to it`,
      { status: 409 },
    );
  };
  return {
    refuse: (account, objectId) => {
      refuseProtected(account);
      const { latticeId } = account;
      const decision = unlinked.find((one) => one.latticeId === latticeId && one.objectId === objectId);
      if (decision === undefined) return;
      throw new RecordRejectedError(
        `the Lattice account ${latticeId} (${account.userName}) was ${linkDecisionText(decision)}: it is not linked again`,
        { status: 409 },
      );
    },
    refresh: async () => {
      unlinked = (await store.linkDecisions()).filter(({ what }) => what === "unlinked");
      protections = new Map((await store.protections()).map((one) => [one.latticeId, one]));
    },
    target: {
      list: (signal) => target.list(signal),
      find: (attribute, value, signal) => target.find(attribute, value, signal),
      get: (latticeId, signal) => target.get(latticeId, signal),
      create: (writes, signal) => target.create(writes, signal),
      update: async (user, writes, signal, unshown) => {
        refuseProtected(user);
        return target.update(user, writes, signal, unshown);
      },
      reach: (signal) => target.reach(signal),
    },
  };
}
