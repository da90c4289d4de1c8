import type { JsonObject } from "./json.ts";

/** The presence of a person in the directory: in use, in the recycle bin, or gone for good. */
export type Presence = "present" | "softDeleted" | "deleted";

/** One person of the directory as last read. */
export interface SourceUser {
  /** Graph `id`. */
  readonly objectId: string;
  /** The Graph properties that were selected, by Graph name; a property without a value is absent. */
  readonly attributes: JsonObject;
  /** Object id of the manager. */
  readonly managerId: string | null;
  readonly presence: Presence;
  /** Selected properties that no answer has shown yet: unknown, not empty. Absent if there is none. */
  readonly unshown?: readonly string[];
}

/** The content of one read about one person. */
export type SourceChange =
  | {
      readonly kind: "upsert";
      readonly objectId: string;
      /** Graph properties; `null` clears one. */
      readonly attributes: JsonObject;
      /** `true`: an absent property has no value. `false` (delta rounds): an absent property is unchanged. */
      readonly complete: boolean;
      /** `undefined`: unchanged (or, if `complete`, not requested). */
      readonly managerId: string | null | undefined;
      /**
       * Selected properties (`manager` among them) that this answer lacks although Graph shows them with or without a value:
       * the answer says nothing about them.
       */
      readonly unshown?: readonly string[];
      /** Properties that Graph leaves out if they have no value, and that no other person in the same answer has either. */
      readonly perhapsNone?: readonly string[];
    }
  | { readonly kind: "removed"; readonly objectId: string; readonly presence: "softDeleted" | "deleted" };

/** One assignment or group that makes up the scope. */
export interface ScopePart {
  /** Object id of the group; `direct` for the people who are assigned one by one. */
  readonly id: string;
  /** For people: the group's name. */
  readonly name: string;
  /** People that this part leads to. A person whom several parts lead to counts in each. */
  readonly members: number;
  /** Present if it is a group that scoping filters or expressions name. */
  readonly usedBy?: "filters";
}

/** The directory. Each read reaches its end or throws; a partial read is never reported as complete. */
export interface Source {
  /**
   * Signs in. @returns the id of the tenant (a GUID in lower case) that the token contains; `null` if it contains none
   * @throws ConfigurationError, HostUnavailableError
   */
  readTenant(signal: AbortSignal): Promise<string | null>;

  /**
   * The id of the tenant that owns a verified domain name; `null` if there is none.
   * @throws ConfigurationError, HostUnavailableError
   */
  tenantOf(domain: string, signal: AbortSignal): Promise<string | null>;

  /**
   * Reads all users. The watermark that it returns was taken before the first page, so the next `readChanges` reports
   * changes made during this read again.
   * @throws ConfigurationError, HostUnavailableError
   */
  readAll(signal: AbortSignal): AsyncGenerator<readonly SourceChange[], { readonly watermark: string }>;

  /**
   * Reads what changed since `watermark`. The same person may come more than once, in any order of rounds.
   * @throws WatermarkExpiredError, ConfigurationError, HostUnavailableError
   */
  readChanges(
    watermark: string,
    signal: AbortSignal,
  ): AsyncGenerator<readonly SourceChange[], { readonly watermark: string }>;

  /** The application permissions that the token in use contains; `null` if it does not show them. @throws as `readTenant` */
  readPermissions(signal: AbortSignal): Promise<readonly string[] | null>;

  /** Reads one person by object id or user principal name; `null` if the directory answers 404. */
  readUser(idOrUserPrincipalName: string, signal: AbortSignal): Promise<SourceChange | null>;

  /**
   * Object ids of the people in scope, in pages, possibly repeated, and at the end the parts that they came from;
   * `null` if everybody is (mode `all`).
   * @throws ConfigurationError if a group or application of the scope is missing, HostUnavailableError
   */
  readScope(signal: AbortSignal): AsyncGenerator<readonly string[], readonly ScopePart[]> | null;

  /**
   * A watermark of the scope that was just read, for `readScopeRemovals`. `null` if the source cannot tell who left without
   * reading the scope again.
   * @param parts as `readScope` returned them
   * @throws ConfigurationError, HostUnavailableError
   */
  scopeWatermark(parts: readonly ScopePart[], signal: AbortSignal): Promise<string | null>;

  /**
   * Object ids of people who were removed from a group of the scope since the watermark, in pages. No evidence that they left the
   * scope: they may be in another group, or in the same again.
   * @throws WatermarkExpiredError, ConfigurationError, HostUnavailableError
   */
  readScopeRemovals(watermark: string, signal: AbortSignal): AsyncGenerator<readonly string[], void>;

  /**
   * Object ids of the members of a group that the configuration names, in pages, possibly repeated.
   * @param group object id or display name
   * @param setting names the setting in messages. Default: scoping filters and expressions
   * @throws ConfigurationError if the group is missing or its name is ambiguous, HostUnavailableError
   */
  readNamedGroup(
    group: string,
    signal: AbortSignal,
    setting?: string,
  ): AsyncGenerator<readonly string[], ScopePart>;

  /**
   * The parts of the scope, by name, that each of a few people is a member of; empty for a person in no part. Cheaper than
   * reading the whole scope, but no evidence that a person left it. Must not be called if the scope is mode `all`.
   * @throws ConfigurationError if the permission to ask is missing, HostUnavailableError
   */
  readMembership(
    objectIds: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, readonly string[]>>;

  /**
   * Which of these groups (object ids or display names that scoping filters have) each of a few people is a member of.
   * @throws ConfigurationError if a group, or the permission to ask, is missing; HostUnavailableError
   */
  readNamedMembership(
    groups: readonly string[],
    objectIds: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, ReadonlySet<string>>>;
}
