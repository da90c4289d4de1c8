import { type Actor, actorText } from "./actor.ts";
import { timeText } from "./sentence.ts";

/** A person's decision about a user of whom something was held. */
export type DecidedWhat = "released" | "rejected" | "undone";

/** The person who decided about a held plan, and the reason if one was given. */
export interface DecisionBy {
  readonly by: Actor;
  readonly reason: string | null;
}

/** A decision about a held plan, with the object ids of the people it is about. */
export interface HeldPlanDecision extends DecisionBy {
  readonly planId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly people: { readonly [W in DecidedWhat]: readonly string[] };
}

/** The part of a decision that concerns one person. */
export interface PersonDecision extends DecisionBy {
  readonly what: DecidedWhat;
  readonly planId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The longest accepted reason, in characters. */
export const longestReason = 500;

/** A decision about one person in JSON. */
export interface DecisionDocument {
  readonly what: DecidedWhat;
  /** As `actorText` has it. */
  readonly by: string;
  /** ISO 8601. */
  readonly at: string;
  readonly planId: string;
  /** Absent if none was given. */
  readonly reason?: string;
}

export function decisionDocument({ what, by, at, planId, reason }: PersonDecision): DecisionDocument {
  return {
    what,
    by: actorText(by),
    at: new Date(at).toISOString(),
    planId,
    ...(reason === null ? {} : { reason }),
  };
}

const words: { readonly [W in DecidedWhat]: string } = {
  released: "released",
  rejected: "rejected",
  undone: "rejection undone",
};

/** `released by cli:kim@host on 2026-01-31 08:30 UTC (plan …): the reason` */
export function decisionText({ what, by, at, planId, reason }: DecisionDocument): string {
  return `${words[what]} by ${by} on ${timeText(at)} (plan ${planId})${reason === undefined ? "" : `: ${reason}`}`;
}
