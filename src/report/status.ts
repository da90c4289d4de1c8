import type { Config } from "../config/schema.ts";
import { type AskedPause, parsePause } from "../cycle/health/pause.ts";
import { parseQuarantine, probeDueAt, type Quarantine } from "../cycle/health/quarantine.ts";
import { parseRefusedKinds, type RefusedKind, refusalSentence } from "../cycle/health/refused-kinds.ts";
import { nextDueAt } from "../cycle/health/schedule.ts";
import { parseSendingPause, pauseText, type SendingPause } from "../cycle/health/sending-pause.ts";
import { heldOperations } from "../cycle/operations/pages.ts";
import { type KindCounts, parseKindCounts } from "../cycle/person/account-kinds.ts";
import { rejectedBy, rejectedWhat } from "../cycle/planning/reject.ts";
import { type FailedComparison, parseComparison } from "../cycle/reading/comparison.ts";
import { actorText } from "../domain/actor.ts";
import type { LoggedOperation } from "../domain/operation.ts";
import { isOfEverybody, type Skipped } from "../domain/plan.ts";
import { type Protection, protectionDocument } from "../domain/protection.ts";
import { withoutRedacted } from "../domain/redacted.ts";
import { iso } from "../domain/sentence.ts";
import type { AcknowledgedCount } from "../domain/state/accounts.ts";
import type { CycleRecord, Totals } from "../domain/state/cycles.ts";
import { lastOfEverybody } from "../domain/state/last-of-everybody.ts";
import type { LeaseHolder } from "../domain/state/lease.ts";
import type { Meta } from "../domain/state/meta.ts";
import type { StateStore } from "../domain/state/store.ts";
import { type CanaryStatus, canaryDocument, readCanary } from "./canary.ts";
import { evidenceDocument } from "./evidence.ts";
import {
  type ConfigurationNotes,
  type NewConfiguration,
  newConfigurationDocument,
} from "./new-configuration.ts";

/** The job's status according to the state database. Times are milliseconds since the epoch. */
export interface Status {
  readonly totals: Totals;
  /** The newest first, without looks for leavers between two cycles. */
  readonly cycles: readonly CycleRecord[];
  /** The newest cycle of everybody, which may be under way; `null` before the first. */
  readonly last: CycleRecord | null;
  /** The newest cycle of everybody that has ended, however many other cycles are newer; `null` if there is none. */
  readonly lastEnded: CycleRecord | null;
  /** The newest of them that was not interrupted: an interrupted one says nothing about the job. `null` if there is none. */
  readonly lastConclusive: CycleRecord | null;
  /** The newest cycle of leavers, if it is among the last of the log. */
  readonly lastOfLeavers: CycleRecord | null;
  /** When the daemon's next cycle is due; `null` if a cron expression decides. */
  readonly nextDueAt: number | null;
  readonly running: LeaseHolder | null;
  /** The last cycle that has ended, without cycles of leavers; `null` if there is none. */
  readonly ended: CycleRecord | null;
  /** The last cycle that weighed everybody; `null` if none did. */
  readonly weighed: CycleRecord | null;
  /** Held operations, at most `mostHeld`. */
  readonly held: readonly LoggedOperation[];
  readonly quarantine: Quarantine | null;
  /** When Lattice last answered a cycle; `null` before the first time. */
  readonly targetReachedAt: number | null;
  /** The full comparison that failed; `null` if the last one succeeded. */
  readonly comparison: FailedComparison | null;
  /** Linked accounts that keep another value than was sent, by attribute. */
  readonly acknowledged: readonly AcknowledgedCount[];
  /** Why the last listing of Lattice was incomplete; empty if it was complete. */
  readonly listingFault: string;
  /** Kinds of operations that Lattice refuses for every person. */
  readonly refusedKinds: readonly RefusedKind[];
  /** A pause that Entra or Lattice asked for. */
  readonly askedPause: AskedPause | null;
  /** A pause of sending that a person has ordered. */
  readonly sendingPause: SendingPause | null;
  /** Accounts by kind and state when the last cycle ended; `null` before. */
  readonly accounts: KindCounts | null;
  /** The note of the last cycle of everybody about its configuration. */
  readonly lastConfiguration: ConfigurationNotes;
  /** A new configuration is tried on a few people, and everything else is held. */
  readonly canary: CanaryStatus | null;
  /** Accounts that people have protected. */
  readonly protections: readonly Protection[];
  readonly retries: Awaited<ReturnType<StateStore["retries"]>>;
  /** People whose deactivation is delayed (`actions`), as far as they are shown. */
  readonly delayed: readonly Skipped[];
  readonly delayedCount: number;
  /** Rejected changes that are still due, the newest first, as far as they are shown. */
  readonly rejected: Awaited<ReturnType<StateStore["rejections"]>>;
  readonly rejectedPeople: number;
  /** Older rejections are not counted in `rejectedPeople`. */
  readonly rejectedMore: boolean;
}

/** Far enough back to reach a cycle that covered everybody and was weighed. */
const readCycles = 200;
const shownRetries = 50;
const shownDelayed = 50;
const shownRejected = 50;
/** More than the changes that a person rejects one by one. */
const countedRejections = 10_000;

/**
 * Reads from the state database: the last cycles, the next one, what is held, who waits for a retry.
 * @param limits the most cycles and held operations that are returned
 */
export async function readStatus(
  store: StateStore,
  schedule: Config["schedule"],
  now: number,
  limits: { readonly cycles: number; readonly mostHeld: number },
): Promise<Status> {
  const [totals, recent, running, retries, delayed, leftAlone, meta, rejected, acknowledged, protections] =
    await Promise.all([
      store.totals(),
      store.recentCycles(readCycles),
      store.leaseHolder(now),
      store.retries(shownRetries),
      store.skipped({ after: "", limit: shownDelayed, code: "deactivationDelayed" }),
      store.countSkipped(),
      store.meta(),
      store.rejections(countedRejections + 1),
      store.countAcknowledged(),
      store.protections(),
    ]);
  // Looks for leavers are many, and would push the cycles out of a short list.
  const cycles = recent.filter(({ kind }) => kind !== "leavers");
  const scheduled = cycles.filter((cycle) => isOfEverybody(cycle.kind));
  // There may be many newer cycles of some people.
  const [newest = await lastOfEverybody(store)] = scheduled;
  const hasEnded = ({ outcome }: CycleRecord): boolean => outcome !== null;
  const lastEnded = scheduled.find(hasEnded) ?? (await lastOfEverybody(store, hasEnded)) ?? null;
  const concludes = (cycle: CycleRecord): boolean => hasEnded(cycle) && cycle.outcome !== "interrupted";
  const lastConclusive = scheduled.find(concludes) ?? (await lastOfEverybody(store, concludes)) ?? null;
  const isWeighed = ({ guard }: CycleRecord): boolean => guard !== null;
  const weighed = scheduled.find(isWeighed) ?? (await lastOfEverybody(store, isWeighed)) ?? null;
  const quarantine = parseQuarantine(meta);
  const askedPause = parsePause(meta, now);
  const due = nextDueAt(newest?.startedAt ?? null, schedule.kind === "every" ? schedule.everyMs : 0, now);
  const held: LoggedOperation[] = [];
  if (weighed?.guard?.held === true && limits.mostHeld > 0) {
    for await (const operation of heldOperations(store, weighed.id)) {
      if (held.length >= limits.mostHeld) break;
      held.push(withoutRedacted(operation));
    }
  }
  return {
    totals,
    cycles: cycles.slice(0, limits.cycles),
    last: newest ?? null,
    lastEnded,
    lastConclusive,
    lastOfLeavers: recent.find(({ kind }) => kind === "leavers") ?? null,
    nextDueAt:
      schedule.kind === "every" ? Math.max(due, probeDueAt(quarantine, now), askedPause?.until ?? 0) : null,
    running,
    ended: cycles.find(({ finishedAt }) => finishedAt !== null) ?? null,
    weighed,
    held,
    quarantine,
    targetReachedAt: meta.targetReachedAt === undefined ? null : Number(meta.targetReachedAt),
    comparison: parseComparison(meta),
    acknowledged,
    listingFault: meta.listingFault ?? "",
    refusedKinds: [...parseRefusedKinds(meta).values()],
    askedPause,
    sendingPause: parseSendingPause(meta, now),
    accounts: parseKindCounts(meta),
    lastConfiguration: notesOf(meta),
    canary: await readCanary(store, meta),
    protections,
    retries,
    delayed,
    delayedCount: leftAlone.get("deactivationDelayed") ?? 0,
    rejected: rejected.slice(0, shownRejected),
    rejectedPeople: new Set(rejected.slice(0, countedRejections).map(({ objectId }) => objectId)).size,
    rejectedMore: rejected.length > countedRejections,
  };
}

function notesOf({ configuration, mappingDigest }: Partial<Meta>): ConfigurationNotes {
  return {
    ...(configuration === undefined ? {} : { configuration }),
    ...(mappingDigest === undefined ? {} : { mappingDigest }),
  };
}

/**
 * The status for programs (`status --format json`, `GET /api/now`); times are ISO 8601.
 * @param changes of the configuration since the last cycle; `null` if there are none
 */
export function statusDocument(current: Status, changes: NewConfiguration | null = null) {
  const { weighed, quarantine, comparison, last, lastOfLeavers } = current;
  const [newest] = current.cycles;
  const held = weighed?.guard?.held === true;
  return {
    lastCycle: newest === undefined ? null : cycleDocument(newest),
    lastOfEverybody: last === null ? null : cycleDocument(last),
    lastLeavers: lastOfLeavers === null ? null : cycleDocument(lastOfLeavers),
    nextDueAt: iso(current.nextDueAt),
    latticeReachedAt: iso(current.targetReachedAt),
    running:
      current.running === null
        ? null
        : { owner: current.running.owner, since: iso(current.running.acquiredAt) },
    guard: {
      held,
      ...(held ? { planId: weighed.planId } : {}),
      reasons: weighed?.guard?.reasons ?? [],
      notes: held ? (weighed.guard?.notes ?? []) : [],
      operations: current.held.map(heldDocument),
    },
    quarantine:
      quarantine === null
        ? null
        : {
            since: iso(quarantine.since),
            reason: quarantine.reason,
            attempts: quarantine.attempts,
            nextProbeAt: iso(quarantine.nextProbeAt),
            leaversOnly: quarantine.cause === "failures",
          },
    comparison:
      comparison === null
        ? null
        : {
            failedSince: iso(comparison.failedSince),
            attempts: comparison.attempts,
            error: comparison.error,
            nextTryAt: iso(comparison.nextTryAt),
          },
    acknowledged: current.acknowledged,
    listingFault: current.listingFault === "" ? null : current.listingFault,
    refusedKinds: current.refusedKinds.map((kind) => ({
      action: kind.action,
      status: kind.status,
      since: iso(kind.since),
      message: refusalSentence(kind),
    })),
    askedPause:
      current.askedPause === null
        ? null
        : { until: iso(current.askedPause.until), reason: current.askedPause.reason },
    pause:
      current.sendingPause === null
        ? null
        : {
            since: iso(current.sendingPause.at),
            until: iso(current.sendingPause.until),
            by: actorText(current.sendingPause.by),
            reason: current.sendingPause.reason,
            leaversToo: current.sendingPause.leaversToo,
            text: pauseText(current.sendingPause),
          },
    accounts: current.accounts,
    protected: current.protections.map(protectionDocument),
    canary: canaryDocument(current.canary),
    newConfiguration: newConfigurationDocument(changes),
    people: current.totals,
    retries: current.retries.map((retry) => ({
      objectId: retry.objectId,
      userName: retry.userName,
      attempts: retry.attempts,
      firstFailedAt: iso(retry.firstFailedAt),
      nextTryAt: iso(retry.nextTryAt),
      code: retry.code,
      message: retry.message,
    })),
    delayed: {
      count: current.delayedCount,
      people: current.delayed.map(({ objectId, userName, reason }) => ({ objectId, userName, reason })),
    },
    rejected: {
      people: current.rejectedPeople,
      ...(current.rejectedMore ? { more: true } : {}),
      changes: current.rejected.map(rejectedDocument),
    },
    cycles: current.cycles.map(cycleDocument),
  };
}

/** A held operation for programs. */
export function heldDocument(operation: LoggedOperation) {
  const { action, objectId, userName, latticeId, reason, evidence, changes } = operation;
  return {
    action,
    objectId,
    userName,
    latticeId,
    reason,
    evidence: evidence === null ? null : evidenceDocument(evidence),
    changes,
  };
}

/** A rejected change for programs. */
export function rejectedDocument(change: Status["rejected"][number]) {
  const { objectId, userName, planId, rejectedAt } = change;
  return {
    objectId,
    userName,
    what: rejectedWhat(change),
    planId,
    rejectedAt: iso(rejectedAt),
    ...rejectedBy(change),
  };
}

/** A cycle for programs. */
export function cycleDocument(cycle: CycleRecord) {
  const { id, planId, kind, outcome, error, summary, notes, done, failed } = cycle;
  return {
    id,
    planId,
    cycle: kind,
    startedAt: iso(cycle.startedAt),
    finishedAt: iso(cycle.finishedAt),
    outcome,
    error,
    summary,
    notes,
    done,
    failed,
  };
}
