import { type ProtectionOutcome, protectAccount, unprotectAccount } from "../cycle/guard/protect.ts";
import { LeaseHeldError } from "../domain/errors.ts";
import type { StateStore } from "../domain/state/store.ts";
import { decideLink, type LinkResult } from "../job/decide-link.ts";
import type { Job } from "../job/job.ts";
import { sayEvent } from "../job/say-event.ts";
import type { JobView } from "./http/daemon-view.ts";
import type { Slot } from "./slot.ts";

/** People's decisions about single accounts while the daemon runs. */
export function accountDecisions({
  current,
  store,
  slot,
  signal,
}: {
  /** The job in force. */
  readonly current: () => Job;
  readonly store: StateStore;
  /** Everything that takes the lease is done in it. */
  readonly slot: Slot;
  readonly signal: AbortSignal;
}): Pick<JobView, "protect" | "unprotect" | "decideLink"> {
  const said = async (decision: Promise<ProtectionOutcome>): Promise<ProtectionOutcome> => {
    const outcome = await decision;
    if (outcome.event !== null) sayEvent(current().log, outcome.event);
    return outcome;
  };
  return {
    protect: (order) => said(protectAccount(store, order, current().settings)),
    unprotect: (order) => said(unprotectAccount(store, order, current().settings)),
    decideLink: async (request, dryRun) => {
      if (dryRun) return decideLink(current(), request, { dryRun, signal });
      let done: LinkResult | "busy" = "busy";
      const taken = slot.take(async () => {
        done = await decideLink(current(), request, { dryRun, signal });
      });
      try {
        await taken;
      } catch (error) {
        // Another daemon, or a command, is running a cycle.
        if (!(error instanceof LeaseHeldError)) throw error;
      }
      return done;
    },
  };
}
