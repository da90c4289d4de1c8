import type { SourceUser } from "../source.ts";
import type { Meta } from "../store.ts";
import type { Mark } from "./mark.ts";

/** Who writes. A commit of a run that does not hold the lease any more is refused. */
export type Fence =
  | {
      /** As it was acquired: another for each run. */
      readonly owner: string;
    }
  /** The state is this run's own copy: nobody else writes to it. */
  | "private";

/** What is kept of a person of the directory. */
export interface PersonRow {
  readonly source: SourceUser;
  /** The mapped userName in lower case, by which people who share one are found; `null` for a person without. */
  readonly userNameKey: string | null;
  /** The mapped externalId, where people can share one. */
  readonly externalIdKey: string | null;
  /** The configuration names the person as one who is in scope, whatever the scope says. */
  readonly alwaysInScope: boolean;
}

/** A person who entered or left the scope, or a group that scoping filters name. */
export interface Move {
  readonly objectId: string;
  readonly entered: boolean;
  /** Name or id of the group as the filters have it; the scope where absent. */
  readonly group?: string;
}

/**
 * What is to be remembered, as one commit. Pure functions of the engine make it; a store writes it as it is, adds nothing
 * and decides nothing. The parts are written in the order in which they stand here.
 */
export interface StateChange {
  /** People of the directory as they are known now. A person who is new is planned. */
  readonly people?: {
    /** The cycle that read them. */
    readonly readIn: number;
    readonly put?: readonly PersonRow[];
    /** Object ids of people who were read again and are as they were. */
    readonly seen?: readonly string[];
  };
  /** Object ids of people who are not known any more; what is kept of their failures and decisions goes with them. */
  readonly forgotten?: readonly string[];
  readonly moves?: readonly Move[];
  /** Object ids of people whose time to be looked at again has come. */
  readonly lookedAt?: readonly string[];
  /** Who is planned again. Sharers of a key are those who share it after the parts above. */
  readonly marks?: readonly Mark[];
  readonly notes?: Partial<Meta>;
}
