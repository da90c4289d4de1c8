import type { LinkDecision } from "../../domain/link-decision.ts";
import type { Evidence, Operation, SkipCode } from "../../domain/plan.ts";
import type { SourceUser } from "../../domain/source.ts";
import type { MatchAnswer, PersonPlan } from "../../domain/state/planning.ts";
import type { ProtectedAccounts } from "../operations/protected-account.ts";
import type { CycleSettings } from "../ports/settings.ts";
import type { IdHolder } from "./carried-ids.ts";
import { isInScope } from "./in-scope.ts";
import { believedEvents, judgeLeaving, type Leaving, type SeenEvent, seenEvents } from "./leaving.ts";
import type { ManagerStanding } from "./managers.ts";
import type { Others } from "./others.ts";
import type { Owner } from "./owners.ts";
import type { MappedPerson } from "./planned-person.ts";

/** Everything known of one person when the plan is made. */
export interface PlanInput extends MappedPerson {
  /** Lattice accounts that could be this person's. They are looked up for a person without a link, or with a lost one. */
  readonly matches: MatchAnswer | null;
  /** The people whose accounts `matches` contains, by object id. */
  readonly owners: ReadonlyMap<string, Owner>;
  /** Other people whose externalId is carried by this person's account, or by one that matches by userName; by externalId. */
  readonly idHolders: ReadonlyMap<string, IdHolder>;
  /** Other people who map to the same userName. */
  readonly sharedWith: Others;
  /** Other people who map to the same externalId. */
  readonly sharedIdWith: Others;
  /**
   * A person in scope maps to the userName that this person's account has, or another leaver does, whose own userName is
   * needed in turn; or the account has a temporary userName.
   */
  readonly nameWanted: boolean;
  readonly managers: ManagerStanding;
  /** Why it is not believed for now that the person has left; `null` if it is believed, or Entra was not asked. */
  readonly unconfirmed: string | null;
  /** Values are sent once more if Lattice keeps others than were sent. */
  readonly triesAgain: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Evidence for which the deactivation was rejected. The plan is made as if it had not been seen. */
  readonly leftOut?: readonly Evidence[];
}

/** A person who is being planned: the input, and what is worked out from it once. */
export interface Person extends PlanInput {
  readonly inScope: boolean;
  /** Every leaving event that was seen of the person. */
  readonly seen: readonly SeenEvent[];
  /** The outcome of the events that are believed. */
  readonly leaving: Leaving;
}

export function personOf(input: PlanInput, { events }: Pick<PlanSettings, "events">): Person {
  const seen = seenEvents(input);
  const believed = believedEvents(seen, {
    leftOut: input.leftOut ?? [],
    unconfirmed: input.unconfirmed !== null,
  });
  return {
    ...input,
    inScope: isInScope(input.candidate, input.mapped),
    seen,
    leaving: judgeLeaving(believed, events, input.now),
  };
}

/** People's decisions about accounts: `planPeople` reads them. */
export type PlanSettings = Pick<
  CycleSettings,
  | "mapping"
  | "actions"
  | "events"
  | "adoptForeignExternalId"
  | "formerOwner"
  | "doubtful"
  | "protectedAccounts"
  | "missingManager"
  | "managerRings"
  | "renameRings"
  | "drift"
> &
  Pick<ProtectedAccounts, "protections"> & {
    /** Decisions about links, by object id. Absent: none. */
    readonly linkDecisions?: ReadonlyMap<string, readonly LinkDecision[]> | undefined;
    /** Decisions that link an account, by Lattice id. Absent: none. */
    readonly promised?: ReadonlyMap<string, LinkDecision> | undefined;
  };

export function operation(input: PlanInput, parts: Omit<Operation, "objectId" | "userName">): Operation {
  return { objectId: input.candidate.source.objectId, userName: nameOf(input), ...parts };
}

export function unchanged(input: PlanInput): PersonPlan {
  return { kind: "unchanged", objectId: input.candidate.source.objectId, referencePending: false };
}

export function skip(input: PlanInput, code: SkipCode, reason: string): PersonPlan {
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
