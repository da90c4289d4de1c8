import type { Environment } from "../../mapping/language/functions/definition.ts";
import type { PlanSettings } from "../planning/plan-input.ts";

/** The configuration that an explanation needs. */
export interface ExplainSettings extends PlanSettings {
  readonly scope: {
    readonly mode: "assigned" | "groups" | "all";
    /** The application, or the groups, as configured. */
    readonly configured: readonly string[];
    readonly nested: boolean;
    readonly guests: boolean;
  };
}

export interface ExplainOptions {
  readonly environment: Environment;
  /**
   * The read for this explanation, if there was one: the store is then a private copy, and the read is not part of its
   * history.
   */
  readonly live?: { readonly cycleId: number; readonly through: readonly string[] | null };
}
