import { type DecisionDocument, decisionDocument } from "../../domain/decision.ts";
import { type LinkDecisionDocument, linkDecisionDocument } from "../../domain/link-decision.ts";
import type { LogEntry } from "../../domain/log.ts";
import { withoutRedacted } from "../../domain/redacted.ts";
import { iso } from "../../domain/sentence.ts";
import type { Candidate } from "../../domain/state/planning.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { itsValues } from "../operations/fingerprint.ts";
import type { PlanSettings } from "../planning/plan-input.ts";
import { rejectedBy, rejectedWhat } from "../planning/reject.ts";
import type { HistoryEntry, Standing } from "./explanation.ts";

/**
 * The state of the person next to the last known data of Entra and Lattice: retry, hold, rejections, releases.
 */
export async function standingOf(store: StateStore, candidate: Candidate): Promise<Standing> {
  const { retry, rejected, released, accountMissingSince, lostLinks } = candidate;
  return {
    retry:
      retry === null
        ? null
        : {
            attempts: retry.attempts,
            firstFailedAt: new Date(retry.firstFailedAt).toISOString(),
            nextTryAt: new Date(retry.nextTryAt).toISOString(),
            code: retry.code,
            message: retry.message,
          },
    heldBy: await heldBy(store, candidate.source.objectId),
    rejectedAt: rejected.length === 0 ? null : iso(Math.max(...rejected.map((one) => one.rejectedAt))),
    rejected: rejected.map((one) => ({
      what: rejectedWhat(one),
      attribute: one.attribute,
      evidence: one.evidence,
      planId: one.planId,
      rejectedAt: new Date(one.rejectedAt).toISOString(),
      ...rejectedBy(one),
    })),
    accountMissingSince: iso(accountMissingSince),
    lostLinks: lostLinks.map(({ latticeId, missingSince, dissolvedAt, reason }) => ({
      latticeId,
      missingSince: new Date(missingSince).toISOString(),
      dissolvedAt: new Date(dissolvedAt).toISOString(),
      reason,
    })),
    putBack: await putBackBecause(store, candidate.source.objectId),
    released: [...released.keys()].filter((attribute) => attribute !== itsValues),
  };
}

async function putBackBecause(store: StateStore, objectId: string): Promise<string | null> {
  const [skipped] = await store.skipped({ after: "", limit: 1, only: [objectId], code: "putBack" });
  return skipped?.reason ?? null;
}

/** The part of the held plan that concerns this person. */
async function heldBy(store: StateStore, objectId: string): Promise<Standing["heldBy"]> {
  const planId = (await store.meta()).heldPlan ?? "";
  const cycle = planId === "" ? null : await store.cycleOfPlan(planId);
  if (cycle === null) return null;
  const entries = await store.history({ person: objectId, limit: 100 });
  const held = entries.filter((entry) => entry.cycleId >= cycle.id && entry.status === "held");
  if (held.length === 0) return null;
  return {
    planId,
    reasons: cycle.guard?.reasons ?? [],
    changes: held.flatMap((entry) => withoutRedacted(entry).changes),
  };
}

/** Entries of the provisioning log in the form that an explanation shows. */
export function historyOf(entries: readonly LogEntry[]): readonly HistoryEntry[] {
  return entries.map(withoutRedacted).map((entry) => ({
    at: new Date(entry.at).toISOString(),
    planId: entry.planId,
    cycle: entry.cycle,
    action: entry.action,
    status: entry.status,
    reason: entry.reason,
    error: entry.error,
    attempt: entry.attempt,
    httpStatus: entry.httpStatus,
    requestId: entry.requestId,
    changes: entry.changes,
    ...(entry.decision === undefined ? {} : { decision: decisionDocument(entry.decision) }),
  }));
}

/** Decisions about changes held for a person, in the form that an explanation shows. */
export async function decisionsOf(
  store: StateStore,
  objectId: string,
): Promise<{ readonly decisions?: readonly DecisionDocument[] }> {
  const found = await store.decisionsOf(objectId, shownDecisions);
  return found.length === 0 ? {} : { decisions: found.map(decisionDocument) };
}

/** People's decisions about a user's account, in the form that an explanation shows. */
export function linkDecisionsOf(
  objectId: string,
  { linkDecisions }: Pick<PlanSettings, "linkDecisions">,
): { readonly linkDecisions?: readonly LinkDecisionDocument[] } {
  const found = linkDecisions?.get(objectId) ?? [];
  return found.length === 0 ? {} : { linkDecisions: found.map(linkDecisionDocument) };
}

const shownDecisions = 10;
