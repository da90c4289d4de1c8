import { type Actor, actorText } from "./actor.ts";
import { timeText, withoutStop } from "./sentence.ts";

/** A person's decision that a Lattice account is never written, whatever the plan says. */
export interface Protection {
  readonly latticeId: string;
  /** The account's userName when it was protected. */
  readonly userName: string;
  readonly by: Actor;
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** `protected by cli:kim@host since 2026-01-31 08:30 UTC (the reason)` */
export function protectionText({ by, at, reason }: Pick<Protection, "by" | "at" | "reason">): string {
  return `protected by ${actorText(by)} since ${timeText(at)} (${withoutStop(reason)})`;
}

/** A protection in JSON. */
export interface ProtectionDocument {
  readonly latticeId: string;
  readonly userName: string;
  /** As `actorText` has it. */
  readonly by: string;
  readonly reason: string;
  /** ISO 8601. */
  readonly at: string;
}

export function protectionDocument({ by, at, ...rest }: Protection): ProtectionDocument {
  return { ...rest, by: actorText(by), at: new Date(at).toISOString() };
}
