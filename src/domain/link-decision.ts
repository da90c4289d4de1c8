import { type Actor, actorText } from "./actor.ts";
import { timeText, withoutStop } from "./sentence.ts";

/** A person's decision about a user and a Lattice account. */
export interface LinkDecision {
  /** The user. */
  readonly objectId: string;
  readonly latticeId: string;
  /**
   * `linked`: the next plan links them, whatever matching says. `unlinked`: they are never linked again by matching, until a
   * person links them.
   */
  readonly what: "linked" | "unlinked";
  /** The account's userName when it was decided. */
  readonly userName: string;
  readonly by: Actor;
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** `linked by cli:kim@host on 2026-01-31 08:30 UTC (the reason)` */
export function linkDecisionText({
  what,
  by,
  at,
  reason,
}: Omit<LinkDecision, "objectId" | "latticeId">): string {
  return `${what} by ${actorText(by)} on ${timeText(at)} (${withoutStop(reason)})`;
}

/** A decision about a link in JSON. */
export interface LinkDecisionDocument {
  readonly what: LinkDecision["what"];
  readonly latticeId: string;
  readonly userName: string;
  /** As `actorText` has it. */
  readonly by: string;
  readonly reason: string;
  /** ISO 8601. */
  readonly at: string;
}

export function linkDecisionDocument({
  what,
  latticeId,
  userName,
  by,
  reason,
  at,
}: LinkDecision): LinkDecisionDocument {
  return { what, latticeId, userName, by: actorText(by), reason, at: new Date(at).toISOString() };
}
