import type { Logger } from "pino";
import { actorText } from "../domain/actor.ts";
import type { StateEvent } from "../domain/event.ts";

/** Says a change of state in the log, once. */
export function sayEvent(log: Logger, event: StateEvent): void {
  const time = (at: number): string => new Date(at).toISOString();
  switch (event.kind) {
    case "guardHeld":
      log.warn(
        { event: event.kind, planId: event.planId, reasons: event.reasons, operations: event.operations },
        "held by the guard: look at status, then release what is right",
      );
      return;
    case "guardCleared":
      log.info({ event: event.kind, planId: event.planId }, "the guard holds nothing any more");
      return;
    case "heldDecided": {
      const { kind, planId, by, reason, released, rejected, undone } = event;
      log.info(
        { event: kind, planId, by: actorText(by), reason: reason ?? undefined, released, rejected, undone },
        "a person decided about what the guard holds",
      );
      return;
    }
    case "quarantineEntered":
      log.error(
        { event: event.kind, reason: event.reason, nextProbeAt: time(event.nextProbeAt) },
        "quarantine: the schedule backs off until a probe succeeds",
      );
      return;
    case "quarantineLeft":
      log.info({ event: event.kind, since: time(event.since) }, "quarantine is over: the probe succeeded");
      return;
    case "failureDigest": {
      const { kind, began, recovered, passing } = event;
      log.info(
        { event: kind, began, recovered, passing },
        "people who fail: what changed since the last digest",
      );
      return;
    }
    case "credentialExpiring": {
      const { kind, credential, name, expired } = event;
      log.warn(
        { event: kind, credential, name, expiresAt: time(event.expiresAt) },
        expired ? "a credential has expired: make a new one" : "a credential expires soon: make a new one",
      );
      return;
    }
    case "noGoodCycle":
      log.error({ event: event.kind, since: time(event.since) }, "no cycle has ended well for too long");
      return;
    case "goodCycleAgain":
      log.info({ event: event.kind, since: time(event.since) }, "a cycle ended well again");
  }
}
