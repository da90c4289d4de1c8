import { createHmac } from "node:crypto";
import { actorText } from "../domain/actor.ts";
import type { FailingPerson } from "../domain/event.ts";
import type { Secret } from "../domain/secret.ts";
import { jsonText } from "../domain/visible.ts";
import { personUrl } from "./links.ts";
import type { Notice } from "./notice.ts";
import { messageOf, reasonOf, shownEvent, type Wording } from "./words.ts";

/** The body (docs/notifications.md). `formatVersion` follows the same rules as that of the JSON plan. */
export function webhookBody(notice: Notice, how: Wording): string {
  const { title, text, link } = messageOf(notice, how);
  return jsonText({
    formatVersion: "1.0",
    event: notice.event.kind,
    id: notice.id,
    at: new Date(notice.at).toISOString(),
    instance: how.instance,
    ...(how.job === undefined ? {} : { job: how.job }),
    summary: `${title}. ${text}`,
    ...(link === null ? {} : { url: link.url }),
    data: dataOf(shownEvent(notice.event, how.people), how),
  });
}

/**
 * Headers that prove to the receiver that a body is ours and recent (Standard Webhooks, version 1).
 * @param now the time of sending, milliseconds since the epoch
 */
export function signatureHeaders(
  id: string,
  body: string,
  secret: Secret,
  now: number,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1000));
  const key = Buffer.from(secret.reveal().replace(/^whsec_/, ""), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}

function dataOf(event: Notice["event"], how: Wording): object {
  const { people } = how;
  const time = (at: number): string => new Date(at).toISOString();
  switch (event.kind) {
    case "guardHeld":
      return {
        planId: event.planId,
        operations: event.operations,
        reasons: event.reasons,
        ...(event.notes === undefined ? {} : { notes: event.notes }),
      };
    case "guardCleared":
      return { planId: event.planId };
    case "heldDecided":
      return {
        planId: event.planId,
        by: actorText(event.by),
        ...(event.reason === null ? {} : { reason: event.reason }),
        released: event.released,
        rejected: event.rejected,
        undone: event.undone,
      };
    case "quarantineEntered":
      return {
        reason: event.reason,
        nextProbeAt: time(event.nextProbeAt),
        ...(event.cycleId === undefined ? {} : { cycleId: event.cycleId }),
      };
    case "quarantineLeft":
    case "goodCycleAgain":
      return { since: time(event.since) };
    case "failureDigest": {
      const person = (one: FailingPerson) => ({
        objectId: one.objectId,
        ...(people === "names" ? { userName: one.userName } : {}),
        since: time(one.since),
        code: one.code,
        reason: reasonOf(one, people),
        url: personUrl(one.objectId, how),
      });
      return {
        began: event.began,
        recovered: event.recovered,
        passing: event.passing,
        people: {
          began: event.people.began.map(person),
          recovered: event.people.recovered.map(person),
        },
      };
    }
    case "credentialExpiring":
      return {
        credential: event.credential,
        name: event.name,
        expiresAt: time(event.expiresAt),
        expired: event.expired,
      };
    case "noGoodCycle":
      return { since: time(event.since), lastError: event.lastError };
    case "sendingPaused":
      return {
        by: actorText(event.by),
        reason: event.reason,
        until: event.until === null ? null : time(event.until),
        leaversToo: event.leaversToo,
      };
    case "canaryBegun": {
      const { planId, cause, people: chosen, operations, afterMs } = event;
      return { planId, cause, people: chosen, operations, afterMs };
    }
    case "canaryPassed": {
      const { planId, done, failed, sent, goesOnAt } = event;
      return { planId, done, failed, sent, goesOnAt: goesOnAt === null ? null : time(goesOnAt) };
    }
    case "canaryFailed": {
      const { planId, done, failed, maxFailures } = event;
      return { planId, done, failed, maxFailures };
    }
    case "sendingResumed":
      return {
        since: time(event.since),
        by: event.by === null ? null : actorText(event.by),
        ...(event.reason === null ? {} : { reason: event.reason }),
      };
    case "accountProtected":
    case "accountUnprotected":
      return {
        latticeId: event.latticeId,
        ...(how.people === "names" ? { userName: event.userName } : {}),
        by: actorText(event.by),
        reason: event.reason,
        ...(event.kind === "accountUnprotected" ? { since: time(event.since) } : {}),
      };
    case "accountLinked":
    case "accountUnlinked":
      return {
        objectId: event.objectId,
        latticeId: event.latticeId,
        by: actorText(event.by),
        reason: event.reason,
      };
    case "nobodysAccounts":
      return {
        count: event.count,
        accounts: event.accounts.map(({ latticeId, userName }) => ({
          latticeId,
          ...(how.people === "names" ? { userName } : {}),
        })),
      };
    case "test":
      return {};
  }
}
