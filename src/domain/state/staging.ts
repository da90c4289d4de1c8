import type { Move } from "./change.ts";

/** The staging area of the scope and of the groups that scoping filters name: they are compared before they replace the current ones. */
export interface Staging {
  /** Empties the staging area of the scope. */
  beginScope(): Promise<void>;
  stageScope(objectIds: readonly string[]): Promise<void>;
  /** Compares the staged scope with the current one, in steps between which the event loop runs. */
  compareScope(): Promise<{ readonly members: number }>;
  /** The differences that `compareScope` found, in pages by object id. */
  movedInScope(after: string, limit: number): Promise<readonly Move[]>;
  /** Empties the staging area of the groups that scoping filters name. */
  beginFilterGroups(): Promise<void>;
  stageFilterGroup(group: string, objectIds: readonly string[]): Promise<void>;
  /** People who are in a staged group and not in the current one, or the other way round. */
  movedInGroups(): Promise<readonly Move[]>;
}
