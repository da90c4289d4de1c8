import { type Json, type JsonObject, jsonEquals } from "./json.ts";

/** The type of an attribute of an account; a `reference` is another account. */
export type AttributeType =
  | "text"
  | "number"
  | "boolean"
  /** A day: `yyyy-MM-dd`. */
  | "date"
  /** A moment, in UTC. */
  | "dateTime"
  /** An Olson name, such as `America/Los_Angeles`. */
  | "timezone"
  | "email"
  | "reference";

/**
 * One Lattice account as last confirmed. `values` holds the mapped attributes only, by SCIM path as written in
 * the mapping (`title`, `name.givenName`, `emails[type eq "work"].value`, `urn:…:enterprise:2.0:User:department`);
 * an attribute without a value is absent. A reference (manager) is the Lattice id it points to.
 */
export interface TargetUser {
  readonly latticeId: string;
  readonly userName: string;
  readonly externalId: string | null;
  /** `null`: unknown, because Lattice does not show it. Treat it as neither true nor false. */
  readonly active: boolean | null;
  readonly values: JsonObject;
}

/** The value that an account holds at a SCIM path of the mapping; `null` for nothing. */
export function valueAt(user: TargetUser, path: string): Json {
  if (path === "userName") return user.userName;
  if (path === "externalId") return user.externalId;
  if (path === "active") return user.active;
  return Object.hasOwn(user.values, path) ? (user.values[path] ?? null) : null;
}

/**
 * `true` if two values mean the same at a path. Letter case matters everywhere, also in an externalId, with two exceptions:
 * a userName (RFC 7643, section 4.1.1) and an e-mail address (section 8.7.1: `emails.value` is not `caseExact`).
 */
export function sameAt(path: string, left: Json, right: Json): boolean {
  if (jsonEquals(left, right)) return true;
  const foldsCase = path === "userName" || path.startsWith("emails[");
  return (
    foldsCase &&
    typeof left === "string" &&
    typeof right === "string" &&
    left.toLowerCase() === right.toLowerCase()
  );
}

/** One attribute to set; `null` clears it. */
export interface AttributeWrite {
  /** SCIM path as in the mapping. */
  readonly path: string;
  readonly value: Json;
}

/** The target's answer to one write. */
export interface WriteReceipt {
  /** The account after the write as the target reported it; after an empty 204, as it was requested. */
  readonly user: TargetUser;
  readonly status: number;
  /** The target's request id, if it sends one. */
  readonly requestId: string | undefined;
}

/**
 * Lattice. Methods that are about one record (`find`, `get`, `create`, `update`) throw
 * `RecordRejectedError` (this record only), `AlreadyExistsError` (create met an existing account),
 * `RecordGoneError` (update met a missing one), `RecordForbiddenError` (403: this record, or the key), `UnknownOutcomeError` (sent, not answered),
 * `RecordUnavailableError` (no usable answer for this record: retries ran out, or a proxy answered),
 * `HostUnavailableError` or `ConfigurationError` (everybody is affected: stop). The engine judges whether several failing
 * records mean more than themselves.
 */
export interface Target {
  /**
   * Reads every account, in pages.
   * @throws ListingIncompleteError at the end, if the listing did not show every account; ConfigurationError,
   * HostUnavailableError
   */
  list(signal: AbortSignal): AsyncGenerator<readonly TargetUser[], void>;
  /** Accounts whose `attribute` equals `value`. */
  find(
    attribute: "userName" | "externalId",
    value: string,
    signal: AbortSignal,
  ): Promise<readonly TargetUser[]>;
  /** One account; `null` if the target itself says that there is none (a SCIM 404, not one of a proxy). */
  get(latticeId: string, signal: AbortSignal): Promise<TargetUser | null>;
  /** Creates one account. Sends exactly once; a dropped connection is an `UnknownOutcomeError`. */
  create(writes: readonly AttributeWrite[], signal: AbortSignal): Promise<WriteReceipt>;
  /**
   * Changes one account. It is safe to repeat, so transient errors are retried inside.
   * @param unshown values that the account has and never shows; they are sent too if the account is replaced as a whole
   */
  update(
    user: TargetUser,
    writes: readonly AttributeWrite[],
    signal: AbortSignal,
    unshown?: readonly AttributeWrite[],
  ): Promise<WriteReceipt>;
  /** Sends one small request that requires the key. @throws ConfigurationError, HostUnavailableError */
  reach(signal: AbortSignal): Promise<void>;
}
