import type { DecisionDocument } from "../../domain/decision.ts";
import type { Json } from "../../domain/json.ts";
import type { LinkDecisionDocument } from "../../domain/link-decision.ts";
import type { OperationStatus } from "../../domain/operation.ts";
import type { FoundPerson } from "../../domain/person-search.ts";
import type { Action, Change, CycleKind, Evidence, EvidenceKind, SkipCode } from "../../domain/plan.ts";
import type { Presence } from "../../domain/source.ts";
import type { TraceStep } from "../../mapping/language/trace.ts";
import type { ClauseVerdict, FilterVerdict, ScopeVerdict } from "../../mapping/rules/scoping-filter.ts";
import type { AccountProtection } from "./account-protection.ts";

/**
 * Everything known about one person and what would be done, as plain JSON. Times are ISO 8601; values that a mapping redacts
 * are `[Redact]`. New versions only add properties.
 */
export interface Explanation {
  readonly formatVersion: "1.0";
  /** As the person was named in the request. */
  readonly asked: string;
  /** The sides that know a person with this name or id. */
  readonly found: "both" | "entra" | "lattice" | "nobody";
  /** If several people have the text in their names: the closest of them; `found` is then `nobody`. */
  readonly candidates: readonly FoundPerson[];
  /** The number of further matches. */
  readonly moreCandidates: number;
  readonly pictures: PictureAges;
  /** The person in Entra; `null` if Entra's last known data has none. */
  readonly source: SourceExplanation | null;
  readonly scope: ScopeExplanation | null;
  /** In the order of the mapping; empty if there is no person to map. */
  readonly mappings: readonly MappingExplanation[];
  /** The linked account; without a link, the account that was asked for. */
  readonly account: AccountExplanation | null;
  readonly decision: PlanExplanation | null;
  readonly standing: Standing | null;
  /** The first things to know, in whole sentences. */
  readonly summary: readonly string[];
  /** The last entries of the provisioning log, the newest first. */
  readonly history: readonly HistoryEntry[];
  /** Decisions about changes held for the person, the newest first; absent if there are none. */
  readonly decisions?: readonly DecisionDocument[];
  /** Which accounts people have linked to the person, or unlinked; absent if there are none. */
  readonly linkDecisions?: readonly LinkDecisionDocument[];
}

/** How old this information is. */
export interface PictureAges {
  /** The person was read from Entra and Lattice for this explanation. */
  readonly live: boolean;
  readonly explainedAt: string;
  /** When all people, or everything that changed, was last read from Entra. */
  readonly entraReadAt: string | null;
  /** When all accounts were last listed. Writes since then are confirmed one by one. */
  readonly latticeListedAt: string | null;
  readonly lastCycle: {
    readonly cycle: CycleKind;
    readonly startedAt: string;
    readonly finishedAt: string | null;
    readonly outcome: string | null;
  } | null;
  /** The configuration has changed since everyone was last planned; this shows its effect now. */
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
    /** `null`: the manager is not in Entra's last known data. */
    readonly presence: Presence | null;
    readonly latticeId: string | null;
  } | null;
}

export interface ScopeExplanation {
  /** The person exists, is a member, and passes the filters. */
  readonly inScope: boolean;
  readonly mode: "assigned" | "groups" | "all";
  /** The application or the groups that make up the scope; empty for everyone. */
  readonly configured: readonly string[];
  readonly nested: boolean;
  readonly member: boolean;
  /** The assignments and groups that make the person a member; `null` if they were not read (`live` reads them). */
  readonly through: readonly string[] | null;
  readonly guest: boolean;
  readonly guestsAllowed: boolean;
  /** The part of the scope's configuration that decides, apart from membership. */
  readonly decidedBy: ScopeVerdict["decidedBy"];
  /** `null` if the person passes, else why not, in words. */
  readonly rejection: string | null;
  /** A person passes if one filter passes, or if there are none. */
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
  /** The source of the value, as configured. */
  readonly origin: string;
  readonly apply: "always" | "onCreate";
  readonly onNull: "clear" | "keep";
  /** The owner of the attribute, who decides about a value that was edited in Lattice; `null`: as the setting `drift` says. */
  readonly owner: "entra" | "lattice" | "report" | null;
  /** Lattice owns the attribute and has a value, or a person removed it there: the mapped value is not sent. */
  readonly leftToLattice: boolean;
  /** The value that Lattice should have; `null` for none. For the manager: the user name, else the object id. */
  readonly value: Json;
  /** The attribute keeps its value: IgnoreFlowIfNullOrEmpty met an empty value, or there is a problem. */
  readonly leftAsIs: boolean;
  /** Why there is no value, in words. */
  readonly problem: string | null;
  readonly current: Json;
  /** Of the manager: the user name of the account whose id is `current`, if known. */
  readonly currentUserName?: string;
  readonly steps: TraceStep | null;
}

export interface AccountExplanation {
  readonly latticeId: string;
  readonly userName: string;
  readonly externalId: string | null;
  /** `null`: Lattice does not show it, and no value was confirmed. */
  readonly active: boolean | null;
  /** Object id of the person who has the account. */
  readonly linkedTo: string | null;
  /** The one who protects it, so that it is neither linked nor written; `null` if it is not protected. */
  readonly protection: AccountProtection | null;
  /** If the account belongs to no person: object ids of people in Entra to whom the mapping gives this userName. */
  readonly namesakes: readonly string[];
  readonly values: readonly {
    readonly attribute: string;
    readonly value: Json;
    /** The value confirmed last, if Lattice was edited by hand afterwards. */
    readonly confirmed?: Json;
    /** The value that was sent and accepted; Lattice keeps it in the form of `value`. */
    readonly sent?: Json;
  }[];
}

export interface PlanExplanation {
  /** The next cycle does an operation; or nothing, because everything is in order, or for the given reason. */
  readonly kind: "operation" | "unchanged" | "skipped" | "ignored";
  readonly action: Action | null;
  readonly code: SkipCode | null;
  readonly reason: string;
  readonly evidence: Evidence | null;
  readonly changes: readonly Change[];
  /** Work that is due and not done now: it waits for a retry, or was rejected. */
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

/** The part of the work that waits, and why. */
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
  /** When a change of this person was last rejected; `null` if none is rejected. */
  readonly rejectedAt: string | null;
  /** The rejected changes. They are not sent as long as the same changes are due. */
  readonly rejected: readonly {
    /** In words. */
    readonly what: string;
    readonly attribute: string;
    readonly evidence: EvidenceKind | null;
    readonly planId: string;
    readonly rejectedAt: string;
    /** The person who rejected it, and why; absent if unknown. */
    readonly by?: string;
    readonly reason?: string;
  }[];
  /** Since when Lattice does not find the linked account; `null` if it is found. */
  readonly accountMissingSince: string | null;
  /** Links that were dissolved because their accounts were gone, the newest first. */
  readonly lostLinks: readonly {
    readonly latticeId: string;
    readonly missingSince: string;
    readonly dissolvedAt: string;
    readonly reason: string;
  }[];
  /** Why the last cycle left the person to a later one, for a reason that is not the person's; `null` if it did not. */
  readonly putBack: string | null;
  /** Attributes whose change was released and has not been sent yet. */
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
  /** The decision that released it, or rejected it while it was held; absent if there is none. */
  readonly decision?: DecisionDocument;
}
