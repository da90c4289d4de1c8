import type { DecisionDocument } from "../../domain/decision.ts";
import type { Json } from "../../domain/json.ts";
import type { FoundPerson } from "../../domain/person-search.ts";
import type { Action, Change, CycleKind, Evidence, EvidenceKind, SkipCode } from "../../domain/plan.ts";
import type { Presence } from "../../domain/source.ts";
import type { OperationStatus } from "../../domain/store.ts";
import type { TraceStep } from "../../mapping/language/trace.ts";
import type { ClauseVerdict, FilterVerdict, ScopeVerdict } from "../../mapping/rules/scoping-filter.ts";

/**
 * Everything known of one person and what would be done, as plain JSON: times are ISO 8601, and what a mapping redacts
 * stands as `[Redact]`. Grows by new properties alone.
 */
export interface Explanation {
  readonly formatVersion: "1.0";
  /** As it was asked for. */
  readonly asked: string;
  /** Which picture has somebody of this name or id. */
  readonly found: "both" | "entra" | "lattice" | "nobody";
  /** Several people have the text in their names: the closest of them; `found` is `nobody` then. */
  readonly candidates: readonly FoundPerson[];
  /** How many there are besides. */
  readonly moreCandidates: number;
  readonly pictures: PictureAges;
  /** The person in Entra; `null` where the picture has nobody. */
  readonly source: SourceExplanation | null;
  readonly scope: ScopeExplanation | null;
  /** In the order of the mapping; empty where nobody is mapped. */
  readonly mappings: readonly MappingExplanation[];
  /** The linked account; where there is none, the one that was asked for. */
  readonly account: AccountExplanation | null;
  readonly decision: DecisionExplanation | null;
  readonly standing: Standing | null;
  /** What to know first, in whole sentences. */
  readonly summary: readonly string[];
  /** The last entries of the provisioning log, the newest first. */
  readonly history: readonly HistoryEntry[];
  /** Who decided about what was held of the person, the newest first; absent where nobody has. */
  readonly decisions?: readonly DecisionDocument[];
}

/** How old what is told is. */
export interface PictureAges {
  /** The person was read from both ends for this explanation. */
  readonly live: boolean;
  readonly explainedAt: string;
  /** When everybody, or everything that changed, was last read from Entra. */
  readonly entraReadAt: string | null;
  /** When all accounts were last listed. What is written in between is confirmed one by one. */
  readonly latticeListedAt: string | null;
  readonly lastCycle: {
    readonly cycle: CycleKind;
    readonly startedAt: string;
    readonly finishedAt: string | null;
    readonly outcome: string | null;
  } | null;
  /** The configuration has changed since everybody was last planned: this tells what it does now. */
  readonly configurationChanged: boolean;
}

export interface SourceExplanation {
  readonly objectId: string;
  readonly userPrincipalName: string | null;
  readonly displayName: string | null;
  readonly presence: Presence;
  /** Graph properties as last read. */
  readonly attributes: readonly { readonly name: string; readonly value: Json }[];
  readonly manager: {
    readonly objectId: string;
    readonly userPrincipalName: string | null;
    /** `null`: the picture does not have the manager. */
    readonly presence: Presence | null;
    readonly latticeId: string | null;
  } | null;
}

export interface ScopeExplanation {
  /** Present, a member, and passing the filters. */
  readonly inScope: boolean;
  readonly mode: "assigned" | "groups" | "all";
  /** The application, or the groups, that the scope is made of; empty for everybody. */
  readonly configured: readonly string[];
  readonly nested: boolean;
  readonly member: boolean;
  /** The assignments and groups that make the person a member; `null` where that was not read (it is with `live`). */
  readonly through: readonly string[] | null;
  readonly guest: boolean;
  readonly guestsAllowed: boolean;
  /** What decided beside membership. */
  readonly decidedBy: ScopeVerdict["decidedBy"];
  /** `null` where the person passes, else why not, in words. */
  readonly rejection: string | null;
  /** Any of them suffices; none lets everybody pass. */
  readonly filters: readonly FilterExplanation[];
  /** The next moment at which time alone may change the outcome. */
  readonly lookAgainAt: string | null;
}

export interface FilterExplanation extends Pick<FilterVerdict, "name" | "passes"> {
  readonly clauses: readonly (Omit<ClauseVerdict, "changesAt" | "property"> & {
    readonly changesAt: string | null;
  })[];
}

export interface MappingExplanation {
  readonly attribute: string;
  /** Where the value comes from, as the configuration has it. */
  readonly origin: string;
  readonly apply: "always" | "onCreate";
  readonly onNull: "clear" | "keep";
  /** What Lattice shall hold; `null` for nothing. For the manager: the user name, else the object id. */
  readonly value: Json;
  /** The attribute is left as it is: IgnoreFlowIfNullOrEmpty met an empty value, or there is a problem. */
  readonly leftAsIs: boolean;
  /** Why there is no value, in words. */
  readonly problem: string | null;
  readonly current: Json;
  /** Of the manager: the user name of the account whose id is `current`, where it is known. */
  readonly currentUserName?: string;
  readonly steps: TraceStep | null;
}

export interface AccountExplanation {
  readonly latticeId: string;
  readonly userName: string;
  readonly externalId: string | null;
  /** `null`: Lattice does not show it, and nothing was confirmed. */
  readonly active: boolean | null;
  /** Object id of the person whose account it is. */
  readonly linkedTo: string | null;
  /** Where it is nobody's: object ids of people in Entra to whom the mapping gives this userName. */
  readonly namesakes: readonly string[];
  readonly values: readonly {
    readonly attribute: string;
    readonly value: Json;
    /** Confirmed last, where Lattice was then edited by hand. */
    readonly confirmed?: Json;
    /** Sent and accepted, and kept by Lattice in the form of `value`. */
    readonly sent?: Json;
  }[];
}

export interface DecisionExplanation {
  /** What the next cycle does: an action; nothing, because all is in order; or nothing, for the reason given. */
  readonly kind: "operation" | "unchanged" | "skipped" | "ignored";
  readonly action: Action | null;
  readonly code: SkipCode | null;
  readonly reason: string;
  readonly evidence: Evidence | null;
  readonly changes: readonly Change[];
  /** What is due and not done now: it waits for a retry, or was rejected. */
  readonly deferred: {
    readonly action: Action;
    readonly reason: string;
    readonly changes: readonly Change[];
  } | null;
  /** Edited or removed by hand in Lattice, and only reported. */
  readonly reported: readonly Change[] | null;
  /** The manager has no account yet and is set as soon as there is one. */
  readonly waitsForManager: boolean;
}

/** What waits of this person, and why. */
export interface Standing {
  readonly retry: {
    readonly attempts: number;
    readonly firstFailedAt: string;
    readonly nextTryAt: string;
    readonly code: string;
    readonly message: string;
  } | null;
  readonly heldBy: {
    readonly planId: string;
    readonly reasons: readonly string[];
    readonly changes: readonly Change[];
  } | null;
  /** When something of this person was rejected last; `null` where nothing is. */
  readonly rejectedAt: string | null;
  /** What is rejected, and not sent as long as it is due as it was. */
  readonly rejected: readonly {
    /** In words. */
    readonly what: string;
    readonly attribute: string;
    readonly evidence: EvidenceKind | null;
    readonly planId: string;
    readonly rejectedAt: string;
    /** Who rejected it, and why; absent where it is not known. */
    readonly by?: string;
    readonly reason?: string;
  }[];
  /** Since when Lattice does not find the linked account; `null` while it does. */
  readonly accountMissingSince: string | null;
  /** Links that were dissolved because the accounts were gone, the newest first. */
  readonly lostLinks: readonly {
    readonly latticeId: string;
    readonly missingSince: string;
    readonly dissolvedAt: string;
    readonly reason: string;
  }[];
  /** Why the last cycle left the person to a later one, for a reason that is not the person's; `null` where it did not. */
  readonly putBack: string | null;
  /** Attributes whose change was released and not sent yet. */
  readonly released: readonly string[];
}

export interface HistoryEntry {
  readonly at: string;
  readonly planId: string;
  readonly cycle: CycleKind;
  readonly action: Action;
  readonly status: OperationStatus;
  readonly reason: string;
  readonly error: string | null;
  readonly attempt: number;
  readonly httpStatus: number | null;
  readonly requestId: string | null;
  readonly changes: readonly Change[];
  /** Who let it go, or rejected it while it was held; absent where nobody did. */
  readonly decision?: DecisionDocument;
}
