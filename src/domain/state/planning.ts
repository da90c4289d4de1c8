import type { LeavingEvent, Operation, Skipped } from "../plan.ts";
import type { Presence, SourceUser } from "../source.ts";
import type { Weight } from "../weight.ts";
import type { LinkedTarget, LostLink } from "./account.ts";
import type { MatchedTarget } from "./accounts.ts";
import type { RejectedChange } from "./decided-change.ts";
import type { RetryRecord } from "./retry.ts";

/** One person to look at, with all that the store knows. */
export interface Candidate {
  readonly source: SourceUser;
  /** Member of the scope as last read in full (always true where everybody is), or in scope whatever it says. */
  readonly member: boolean;
  /** Groups that scoping filters name, and that the person is a member of. */
  readonly groups: ReadonlySet<string>;
  readonly userNameKey: string | null;
  /** The mapped externalId, where people can share one. */
  readonly externalIdKey: string | null;
  /** Whether the directory's picture has anybody else with this key, whatever their standing: `sharing` tells who counts. */
  readonly sharesName: boolean;
  /** The same of `externalIdKey`. */
  readonly sharesExternalId: boolean;
  readonly link: LinkedTarget | null;
  /** The linked account was found to be gone from the target, and no other has been linked since. */
  readonly accountRemoved: boolean;
  /** Since when the linked account cannot be found in the target, milliseconds since the epoch; `null` while it is there. */
  readonly accountMissingSince: number | null;
  /** Links of this person that were dissolved because the account was gone, and that did not come back. */
  readonly lostLinks: readonly LostLink[];
  readonly retry: RetryRecord | null;
  /** A write of an earlier cycle is neither confirmed nor looked up yet. */
  readonly unconfirmed: boolean;
  /** Operations of earlier plans that the guard holds of the person, by id. */
  readonly held: readonly number[];
  /** What a person has rejected of this person: not sent as long as it is planned as it was. */
  readonly rejected: readonly RejectedChange[];
  /** Since when something was seen that may cost the person the account, milliseconds since the epoch. */
  readonly events: ReadonlyMap<LeavingEvent, number>;
  /** Fingerprints of released changes by attribute. */
  readonly released: ReadonlyMap<string, string>;
  /** The manager's own standing; `null` where the person has no manager. */
  readonly manager: {
    readonly objectId: string;
    /** `null`: the directory's picture does not have this person. */
    readonly presence: Presence | null;
    readonly userName: string | null;
    readonly latticeId: string | null;
    /** As last read; `null` where the directory's picture does not have this person. */
    readonly source: SourceUser | null;
  } | null;
}

/** What people can share and accounts cannot; `userNameOfAnybody` counts those too who are disabled and have no account. */
export type SharedKey = "userName" | "userNameOfAnybody" | "externalId";

/**
 * Whom to plan: those whose picture changed, everybody, some people by name, or those who got no manager earlier in this
 * cycle because the manager had no account yet.
 */
export type CandidateSelection =
  | "marked"
  | "everybody"
  | { readonly only: readonly string[] }
  | { readonly resolvedIn: number };

export interface MatchRequest {
  readonly objectId: string;
  readonly userName: string | null;
  readonly externalId: string | null;
  /** Accounts that were the person's before the link was lost. */
  readonly lost: readonly string[];
}

/** Accounts in the target's picture that could be a person's. */
export interface MatchAnswer {
  readonly byUserName: readonly MatchedTarget[];
  readonly byExternalId: readonly MatchedTarget[];
  /** Accounts whose link was lost, and that the picture has again. */
  readonly byLostLink: readonly MatchedTarget[];
}

/** A linked account with a certain userName, and the name that its person is to have. */
export interface NameHolder {
  readonly objectId: string;
  readonly userName: string;
  /** The person's mapped userName in lower case; `null` for one who is to have none. */
  readonly wanted: string | null;
  /** Why the person is on the retry schedule, and until when; `null` for one who is not. */
  readonly failure: Pick<RetryRecord, "code" | "nextTryAt"> | null;
}

/** What a plan does about one person. */
export type PersonPlan = (
  | {
      readonly kind: "operation";
      readonly operation: Operation;
      readonly referencePending: boolean;
      /** What the guard counts of it; nothing where absent. */
      readonly weights?: readonly Weight[];
      /** Attributes whose releases are still for what is planned; other releases of the person end. */
      readonly releasesInUse?: readonly string[];
    }
  | { readonly kind: "unchanged"; readonly objectId: string; readonly referencePending: boolean }
  | { readonly kind: "skipped"; readonly skipped: Skipped; readonly referencePending: boolean }
  /** Out of scope and without an account: nothing to say. */
  | { readonly kind: "ignored"; readonly objectId: string }
) & {
  /** Drift that is reported and not corrected: written into the log, never sent. */
  readonly reported?: Operation;
  /** People on whose plans this one rests, and who are to be looked at next: object ids. */
  readonly alsoLookAt?: readonly string[];
  /** When time alone may change the plan, milliseconds since the epoch: the person is looked at again by then. */
  readonly lookAgainAt?: number | null;
  /** Rejections that are still for what is planned; others of the person end. Where absent of somebody skipped, all stay. */
  readonly rejected?: readonly RejectedChange[];
  /** What is to be remembered as `Candidate.events`; left as it is where absent. */
  readonly events?: ReadonlyMap<LeavingEvent, number>;
};

/** What the planner reads of users and of those around them. */
export interface Planning {
  /** People to plan, in pages by object id. */
  candidates(query: {
    select: CandidateSelection;
    everyoneInScope: boolean;
    after: string;
    limit: number;
  }): Promise<readonly Candidate[]>;
  /** For each key: people in scope, present, and (but for `userNameOfAnybody`) enabled or linked, who map to it. @param by default: `userName` */
  sharing(
    keys: readonly string[],
    everyoneInScope: boolean,
    by?: SharedKey,
  ): Promise<ReadonlyMap<string, readonly string[]>>;
  matches(requests: readonly MatchRequest[]): Promise<ReadonlyMap<string, MatchAnswer>>;
  /** Linked accounts of people who are not gone for good, by userName in lower case. */
  nameHolders(keys: readonly string[]): Promise<ReadonlyMap<string, NameHolder>>;
  /** Object ids of people who wait for their manager's account, where that is there by now, in pages by object id. */
  managersFound(after: string, limit: number): Promise<readonly string[]>;
  /** People with an active account of whom this was first seen at `since` or later. */
  countLeaving(event: LeavingEvent, since: number): Promise<number>;
}
