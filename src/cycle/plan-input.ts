import type { Operation, SkipCode } from "../domain/plan.ts";
import type { SourceUser } from "../domain/source.ts";
import type { Candidate, Decision, MatchAnswer } from "../domain/store.ts";
import type { MappedUser } from "../mapping/map-user.ts";
import type { CycleSettings } from "./settings.ts";

/** Everything known of one person when the plan is made. */
export interface PlanInput {
  readonly candidate: Candidate;
  readonly mapped: MappedUser;
  /** Lattice accounts that could be this person's; asked for where there is no link. */
  readonly matches: MatchAnswer | null;
  /** Other people who map to the same userName. */
  readonly sharedWith: readonly string[];
  /** User name of the manager that the account points to now. */
  readonly currentManagerName: string | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export type PlanSettings = Pick<
  CycleSettings,
  "mapping" | "actions" | "events" | "adoptForeignExternalId" | "drift"
>;

export function operation(
  input: PlanInput,
  parts: Pick<Operation, "action" | "latticeId" | "reason" | "changes" | "adopts" | "evidence" | "drift">,
): Operation {
  return { objectId: input.candidate.source.objectId, userName: nameOf(input), ...parts };
}

export function unchanged(input: PlanInput): Decision {
  return { kind: "unchanged", objectId: input.candidate.source.objectId, referencePending: false };
}

export function skip(input: PlanInput, code: SkipCode, reason: string): Decision {
  const { objectId } = input.candidate.source;
  return {
    kind: "skipped",
    skipped: { objectId, userName: nameOf(input), code, reason },
    referencePending: false,
  };
}

function nameOf({ mapped, candidate }: PlanInput): string {
  return (
    mapped.userName ?? sourceName(candidate.source) ?? candidate.link?.userName ?? candidate.source.objectId
  );
}

function sourceName(source: SourceUser): string | null {
  const name = source.attributes.userPrincipalName;
  return typeof name === "string" ? name : null;
}
