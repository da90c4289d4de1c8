import type { Move } from "./change.ts";

/**
 * The scope, and the groups that scoping filters or expressions name, as they are read: compared with those in force, which stay until a commit
 * changes them (`Move`). Staged rows belong to this process: others neither see nor change them, and they are lost when the process ends.
 */
export interface Staging {
  /** Forgets the staged scope and what was found to differ. */
  beginScope(): Promise<void>;
  /** Adds members to the staged scope. One who is named twice counts once. */
  stageScope(objectIds: readonly string[]): Promise<void>;
  /**
   * Compares the staged scope with the one in force.
   * @returns `members`: how many are staged
   */
  compareScope(): Promise<{ readonly members: number }>;
  /**
   * People who differed when `compareScope` compared, in pages by object id: a staged one has entered, one who is in force alone has
   * left.
   */
  movedInScope(after: string, limit: number): Promise<readonly Move[]>;
  /** Forgets the staged groups. */
  beginNamedGroups(): Promise<void>;
  /** Adds members to a staged group. One who is named twice counts once. */
  stageNamedGroup(group: string, objectIds: readonly string[]): Promise<void>;
  /**
   * A person in a staged group and not in that group in force has entered, one who is in one in force alone has left; a group that
   * is not staged loses all members.
   */
  movedInGroups(): Promise<readonly Move[]>;
}
