import type { Move } from "./change.ts";

/** The scope, and the groups that scoping filters name, as they are read: compared with those in force before they replace them. */
export interface Staging {
  /** Empties the staging area of the scope. */
  beginScope(): Promise<void>;
  stageScope(objectIds: readonly string[]): Promise<void>;
  /** Compares the staged scope with the one in force; the event loop runs in between. */
  compareScope(): Promise<{ readonly members: number }>;
  /** What `compareScope` found, in pages by object id. */
  movedInScope(after: string, limit: number): Promise<readonly Move[]>;
  /** Empties the staging area of the groups that scoping filters name. */
  beginFilterGroups(): Promise<void>;
  stageFilterGroup(group: string, objectIds: readonly string[]): Promise<void>;
  /** Who is in a staged group and not in the one in force, or the other way round. */
  movedInGroups(): Promise<readonly Move[]>;
}
