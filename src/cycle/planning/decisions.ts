import type { LinkDecision } from "../../domain/link-decision.ts";
import type { Protection } from "../../domain/protection.ts";
import type { LinkDecisions } from "../../domain/state/link-decisions.ts";
import type { Protections } from "../../domain/state/protections.ts";

/** People's decisions about accounts, as planning uses them. */
export interface AccountDecisions {
  /** By Lattice id. */
  readonly protections: ReadonlyMap<string, Protection>;
  /** By object id. */
  readonly linkDecisions: ReadonlyMap<string, readonly LinkDecision[]>;
  /** Decisions that link an account, by Lattice id. */
  readonly promised: ReadonlyMap<string, LinkDecision>;
}

/** These settings, and what people have decided. Code that plans, or asks whose an account is, needs both. */
export async function withDecisions<Settings extends object>(
  settings: Settings,
  store: Protections & LinkDecisions,
): Promise<Settings & AccountDecisions> {
  const [protections, decisions] = await Promise.all([store.protections(), store.linkDecisions()]);
  return {
    ...settings,
    protections: new Map(protections.map((one) => [one.latticeId, one])),
    promised: new Map(decisions.filter(({ what }) => what === "linked").map((one) => [one.latticeId, one])),
    linkDecisions: Map.groupBy(decisions, ({ objectId }) => objectId),
  };
}
