import { protectAccount, unprotectAccount } from "../../src/cycle/guard/protect.ts";
import { linkAccount, unlinkAccount } from "../../src/cycle/person/link.ts";
import { UsageError } from "../../src/domain/errors.ts";
import type { Stage } from "./cycles.ts";
import { createTarget } from "./ends.ts";
import { personId, userName } from "./events.ts";
import { createDoom } from "./fate.ts";
import { calm } from "./fates.ts";
import type { Step } from "./history.ts";
import { settingsOf } from "./settings.ts";

/** A decision of a person about an account. */
export type AccountDecision = Extract<Step, { do: "protect" | "unprotect" | "link" | "unlink" }>;

const decisions: ReadonlySet<string> = new Set<AccountDecision["do"]>([
  "protect",
  "unprotect",
  "link",
  "unlink",
]);

export function isAccountDecision(step: Step): step is AccountDecision {
  return decisions.has(step.do);
}

/** Carries a decision out between two cycles, as the commands do. A decision that they refuse changes nothing. */
export async function decideAboutAccount(stage: Stage, step: AccountDecision): Promise<void> {
  try {
    await decide(stage, step);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
  }
}

async function decide({ history, world, store }: Stage, { do: what, who }: AccountDecision): Promise<void> {
  const settings = settingsOf(history, world.configuration);
  const by = { kind: "local" } as const;
  const order = { user: personId(who), by, reason: "as decided", at: world.now + world.skewMs };
  const fence = "private";
  switch (what) {
    case "protect": {
      const account = (await store.linkOf(personId(who)))?.latticeId ?? userName(who);
      const { latticeId } = await protectAccount(store, { ...order, account }, settings);
      world.protectedAccounts.add(latticeId);
      return;
    }
    case "unprotect": {
      const all = await store.protections();
      const chosen = all[who % Math.max(1, all.length)];
      if (chosen === undefined) return;
      await unprotectAccount(store, { ...order, account: chosen.latticeId }, settings);
      world.protectedAccounts.delete(chosen.latticeId);
      return;
    }
    case "unlink": {
      const { latticeId, objectId } = await unlinkAccount({ store, fence }, order);
      world.unlinked.set(latticeId, objectId);
      return;
    }
    case "link": {
      const account = [...world.unlinked].find(([, objectId]) => objectId === personId(who))?.[0];
      if (account === undefined) return;
      const doom = createDoom(calm, () => {}, null);
      const target = createTarget(world, doom, { stopped: () => false, concurrency: 1 });
      const { signal } = new AbortController();
      await linkAccount({ store, target, settings, fence, signal }, { ...order, account });
      world.unlinked.delete(account);
    }
  }
}

/** Takes all of it back, so that Lattice can be made what the directory makes it. */
export async function takeDecisionsBack(stage: Stage): Promise<void> {
  const { world } = stage;
  while (world.protectedAccounts.size > 0) {
    const before = world.protectedAccounts.size;
    await decideAboutAccount(stage, { do: "unprotect", who: 0 });
    if (world.protectedAccounts.size === before) throw new Error("a protection cannot be ended");
  }
  for (const [latticeId, objectId] of [...world.unlinked]) {
    await decideAboutAccount(stage, { do: "link", who: Number(objectId.replace(/\D/g, "")) });
    // One that cannot be linked is gone from Lattice, or its person is not known any more, or has another account.
    world.unlinked.delete(latticeId);
  }
}

/** A promise about such decisions that is broken; `null` if none is. */
export async function brokenDecision({ world, store }: Stage): Promise<string | null> {
  for (const [latticeId, objectId] of world.unlinked) {
    if ((await store.ownerOf(latticeId)) === objectId) {
      return `the account ${latticeId} is linked to ${objectId} again, although a person has unlinked it`;
    }
  }
  return null;
}
