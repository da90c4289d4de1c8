import type { Json } from "../../src/domain/json.ts";

/** How a history tries a new configuration: on this many people, and whether the others go on by themselves. */
export interface HistoryCanary {
  readonly people: number;
  readonly goesOn: boolean;
  /** It also tries on the members of a group, whom the history adds and removes. Default: on no group. */
  readonly group?: boolean;
}

/** How long the others wait if they go on by themselves. */
export const goesOnAfterMs = 2 * 3_600_000;

/** Decides from the history alone whether a canary is under way, and counts whom it has written. It reads no note of the engine. */
export interface Trial {
  readonly people: number;
  readonly goesOn: boolean;
  /** Digest of the configuration that everybody has. */
  rolledOut: string | null;
  /**
   * People whose release was not sent yet. It is sent with another configuration too, but an account is made only as it was shown:
   * the values by attribute, `null` if no account is to be made.
   */
  readonly unsent: Map<string, ReadonlyMap<string, Json> | null>;
  /** A calm cycle has sent to everybody: the first run has ended. */
  everybodySent: boolean;
  current: CurrentTrial | null;
}

/** A canary that is under way. */
export interface CurrentTrial {
  readonly digest: string;
  /** People who were written, leavers excepted. */
  readonly written: Set<string>;
  /** Members of the group at some time until the first write: it was read by then. */
  readonly members: Set<string>;
  /** People whose held changes were released by name. */
  readonly released: Set<string>;
  /** When the first cycle that wrote began. */
  firstWriteAt: number | null;
  /** A cycle with this configuration has weighed its plan: the engine certainly knows of it. */
  weighed: boolean;
  /**
   * The trial in whose place this one came. If its configuration comes back before the engine has planned with this one, it may go on,
   * or begin again.
   */
  readonly before: CurrentTrial | null;
  /**
   * The first write that the engine may count although `firstWriteAt` does not: one of the trial that may go on in this one, or of a
   * person who was released or synced by name, and may also be one of the canary's. `null` if there is none.
   */
  mayCountFrom: number | null;
}

/** @param canary of the history; `undefined` if it has none */
export function createTrial(canary: HistoryCanary | undefined): Trial | null {
  return canary === undefined
    ? null
    : { ...canary, rolledOut: null, unsent: new Map(), everybodySent: false, current: null };
}
