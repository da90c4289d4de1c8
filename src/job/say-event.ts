import { actorText } from "../domain/actor.ts";
import type { StateEvent } from "../domain/event.ts";
import type { ProcessLog } from "../domain/logger.ts";

/** Logs a change of state. */
export function sayEvent(log: ProcessLog, event: StateEvent): void {
  const time = (at: number): string => new Date(at).toISOString();
  switch (event.kind) {
    case "guardHeld":
      log.warn(
        { event: event.kind, planId: event.planId, reasons: event.reasons, operations: event.operations },
        "changes are held by the guard: check them with status, then release or reject them",
      );
      return;
    case "guardCleared":
      log.info({ event: event.kind, planId: event.planId }, "the guard no longer holds anything");
      return;
    case "heldDecided": {
      const { kind, planId, by, reason, released, rejected, undone } = event;
      log.info(
        { event: kind, planId, by: actorText(by), reason: reason ?? undefined, released, rejected, undone },
        "a person decided about changes that the guard holds",
      );
      return;
    }
    case "quarantineEntered":
      log.error(
        { event: event.kind, reason: event.reason, nextProbeAt: time(event.nextProbeAt) },
        "quarantine: regular cycles stop until an attempt succeeds",
      );
      return;
    case "quarantineLeft":
      log.info({ event: event.kind, since: time(event.since) }, "the quarantine is over: a cycle succeeded");
      return;
    case "failureDigest": {
      const { kind, began, recovered, passing } = event;
      log.info({ event: kind, began, recovered, passing }, "failing people: changes since the last digest");
      return;
    }
    case "credentialExpiring": {
      const { kind, credential, name, expired } = event;
      log.warn(
        { event: kind, credential, name, expiresAt: time(event.expiresAt) },
        expired
          ? "a credential has expired: create a new one"
          : "a credential expires soon: create a new one",
      );
      return;
    }
    case "noGoodCycle":
      log.error({ event: event.kind, since: time(event.since) }, "no cycle has succeeded for too long");
      return;
    case "goodCycleAgain":
      log.info({ event: event.kind, since: time(event.since) }, "a cycle succeeded again");
      return;
    case "sendingPaused": {
      const { kind, by, reason, until, leaversToo } = event;
      log.warn(
        { event: kind, by: actorText(by), reason, until: until === null ? null : time(until), leaversToo },
        "a person paused sending: cycles read and plan, and send nothing",
      );
      return;
    }
    case "sendingResumed": {
      const { kind, since, by, reason } = event;
      log.info(
        {
          event: kind,
          since: time(since),
          by: by === null ? null : actorText(by),
          reason: reason ?? undefined,
        },
        by === null ? "the pause of sending is over" : "a person resumed sending",
      );
      return;
    }
    case "canaryBegun": {
      const { kind, planId, cause, people, operations } = event;
      log.warn(
        { event: kind, planId, cause, people, operations },
        "a canary has begun: the changes of a few people are sent, and everything else is held",
      );
      return;
    }
    case "canaryPassed": {
      const { kind, planId, done, failed, sent, goesOnAt } = event;
      log.info(
        { event: kind, planId, done, failed, goesOnAt: goesOnAt === null ? null : time(goesOnAt) },
        sent ? "the canary is over: everybody follows" : "the canary goes well; the rest is still held",
      );
      return;
    }
    case "canaryFailed": {
      const { kind, planId, done, failed, maxFailures } = event;
      log.error(
        { event: kind, planId, done, failed, maxFailures },
        "the canary has failed: the rest is held until a person decides",
      );
      return;
    }
    case "accountProtected": {
      const { kind, latticeId, by, reason } = event;
      log.warn(
        { event: kind, latticeId, by: actorText(by), reason },
        "a person protected a Lattice account: nothing is sent to it",
      );
      return;
    }
    case "nobodysAccounts": {
      const { kind, count, accounts } = event;
      log.warn(
        { event: kind, count, latticeIds: accounts.map(({ latticeId }) => latticeId) },
        "active accounts have appeared in Lattice that no user of the directory has",
      );
      return;
    }
    case "accountUnprotected": {
      const { kind, latticeId, by, reason, since } = event;
      log.info(
        { event: kind, latticeId, by: actorText(by), reason, since: time(since) },
        "a person ended the protection of a Lattice account",
      );
      return;
    }
    case "accountLinked":
    case "accountUnlinked": {
      const { kind, objectId, latticeId, by, reason } = event;
      log.info(
        { event: kind, objectId, latticeId, by: actorText(by), reason },
        kind === "accountLinked"
          ? "a person linked a user and a Lattice account"
          : "a person unlinked a user and a Lattice account",
      );
      return;
    }
    default:
      // Does not compile if a kind of event has no case: it would be in no log.
      event satisfies never;
  }
}
