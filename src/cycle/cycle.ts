import { randomUUID } from "node:crypto";
import { ConfigurationError, errorText } from "../domain/errors.ts";
import type { CycleKind, GuardVerdict, PlanHeader, PlanSummary } from "../domain/plan.ts";
import type { ScopePart } from "../domain/source.ts";
import type { Fence } from "../domain/state/change.ts";
import type { CandidateSelection, CycleOutcome, Meta } from "../domain/store.ts";
import { type CycleContext, cycleContext } from "./context.ts";
import { type Agreement, agreementOf } from "./guard/agreement.ts";
import { linkedWhenDone, noteEndOfFirstRun } from "./guard/first-run.ts";
import { weighAndHold } from "./guard/weigh.ts";
import { clockDoubt, clockDoubtNote, nobodySaid, shiftedClock } from "./health/clock-doubt.ts";
import { confirmCompany } from "./health/company.ts";
import type { Sending } from "./health/quarantine.ts";
import { confirmReach, watchAnswers } from "./health/reach.ts";
import { confirmTenant, refuseAnotherTenant } from "./health/tenant.ts";
import { heldOperations } from "./operations.ts";
import { tellActs, tellScopeAndMatch } from "./person/steps.ts";
import { endWaiting } from "./planning/awaited-managers.ts";
import { makePlan, summarise, withLaterRounds } from "./planning/plan.ts";
import { changeState, type Ports } from "./ports.ts";
import { isScopeFault, type ScopeFault, switchOffCertainLeavers } from "./reading/certain-leavers.ts";
import { compareTarget, type FailedComparison } from "./reading/comparison.ts";
import { confirmLeavers, confirmWeighedLeavers } from "./reading/confirm-leavers.ts";
import { markDue } from "./reading/due.ts";
import { ingestSource } from "./reading/ingest.ts";
import { ingestMembership, type Membership } from "./reading/membership.ts";
import { recheckMissing } from "./reading/missing-accounts.ts";
import { ingestPeople, type Wanted } from "./reading/person.ts";
import { readMarkedAccounts } from "./reading/read-again.ts";
import { ingestFilterGroups, ingestScope } from "./reading/scope.ts";
import { type Applied, applyPlan, interrupted } from "./sending/apply.ts";
import { recoverIntents } from "./sending/recover.ts";
import { refusalSentence, refusedKindsText } from "./sending/refused-kinds.ts";

export interface CycleRequest {
  /** Plan only. The store must be a scratch copy: the plan itself is written there. */
  readonly dryRun: boolean;
  /** Read both ends in full, whatever the watermark says. */
  readonly full: boolean;
  /** These people alone, by object id or user principal name. */
  readonly only?: readonly string[] | undefined;
  /**
   * What a person has agreed to (`CycleResult.onDemand.agreement`): where the plan has become another, nothing is sent.
   */
  readonly agreed?: string | undefined;
  /** Everything, unless the quarantine says otherwise. */
  readonly sending?: Sending;
  /** The lease that the caller holds; `private` where the store is a copy that nobody else writes to. */
  readonly fence: Fence;
  readonly signal: AbortSignal;
}

export interface CycleResult {
  readonly cycleId: number;
  readonly header: PlanHeader;
  readonly outcome: CycleOutcome;
  readonly done: number;
  readonly failed: number;
  /** Operations that the guard holds. */
  readonly heldOperations: number;
  /** Operations that were planned and not sent: put back, or not needed any more. */
  readonly notSent: number;
  /** Where so many operations failed that the whole job backs off: what happened, in words. */
  readonly mostFailed: string | null;
  readonly durationMs: number;
  /** The full comparison that could not be done in this cycle, which went on without. */
  readonly failedComparison: FailedComparison | null;
  /** Of a cycle on demand: the object ids of its people, and what stands for what it sends or would send. */
  readonly onDemand?: { readonly people: readonly string[]; readonly agreement: Agreement };
}

/** A later round sets managers whose accounts were made in the round before; rings need one, failures never more. */
const maxRounds = 3;

/**
 * One cycle: read both ends, plan, weigh, send, record. A dry run is the same up to sending.
 * The caller holds the lease.
 * @throws ConfigurationError, HostUnavailableError, InterruptedError, StateError; what was done is recorded
 */
export async function runCycle(given: Ports, request: CycleRequest): Promise<CycleResult> {
  const watched = watchAnswers(given.target);
  const ports: Ports = { ...given, target: watched.target };
  const { store, clock, settings } = ports;
  const startedAt = clock.now();
  const meta = await store.meta();
  await refuseAnotherTenant(ports, meta, request.signal);
  const kind = chooseKind(ports, meta, request);
  const planId = randomUUID();
  const cycleId = await store.beginCycle({ planId, kind, startedAt });
  const firstRun = meta.establishedAt === undefined;
  const { signal, fence, sending = { kind: "everything" } } = request;
  const beginning = cycleContext(ports, { cycleId, kind, startedAt, signal, fence, firstRun, sending }, meta);
  // As the ends have the time, once that is known.
  let believed = clock;
  ports.log.info({ cycleId, planId, cycle: kind, dryRun: request.dryRun }, "cycle started");

  try {
    await confirmTenant(beginning, meta);
    // Where signing in told no time (managed identities), what is read of the directory does.
    const timed = ports.clocks === undefined || ports.clocks.entra() !== undefined;
    const reading = timed ? await withTrustedClock(beginning) : { ...beginning, clockDoubtMs: nobodySaid };
    believed = reading.clock;
    const directory = await readDirectory(reading, meta, request);
    const trusted = timed ? reading : await withTrustedClock(reading);
    believed = trusted.clock;
    if (directory.scopeFault !== null) {
      const certain = !request.dryRun && !directory.emptyDirectory;
      if (certain) await switchOffCertainLeavers(trusted, directory.scopeFault, { meta, startedAt });
      throw directory.scopeFault;
    }
    const read = await readTarget(trusted, meta, directory);
    const context: CycleContext = { ...trusted, listed: read.listed, lookUpFirst: read.lookUpFirst };
    const { select } = read;
    request.signal.throwIfAborted();
    await endWaiting(context);
    if (context.clockDoubtMs === 0) await markDue(context);
    const people = read.onDemand?.people ?? [];
    const decided =
      read.onDemand === null ? null : await tellScopeAndMatch(context, people, read.onDemand.membership);
    // From here on people have been looked at with one mapping or the other: whichever is in force next looks at everybody.
    const other = meta.mappingDigest !== undefined && meta.mappingDigest !== settings.mapping.digest;
    if (other && !read.emptyDirectory) await store.putMeta({ mappingDigest: "" });
    // Where Entra answered with nobody the picture is of an earlier day: nothing is planned on it.
    if (!read.emptyDirectory) await makePlan(context, select);
    // Only now has everybody been looked at with this mapping; a run that dies before does it all again.
    if (select === "everybody" && !read.emptyDirectory) {
      await store.putMeta({ mappingDigest: settings.mapping.digest });
    }
    const confirmed = await confirmLeavers(context);
    const only = read.onDemand === null ? undefined : people.map(({ objectId }) => objectId);
    // Before anything is held: an operation of which a part is held becomes two.
    const planned = await summarise(context, only);
    const weighing = { meta, startedAt, read, summary: planned };
    const { guard, held: heldOperations } = await weighAndHold(context, weighing);
    const withdrawn = confirmed ? { leavers: 0, reports: 0 } : await confirmWeighedLeavers(context);
    const weighed: PlanSummary = {
      ...planned,
      update: planned.update - withdrawn.reports,
      deactivate: planned.deactivate - withdrawn.leavers,
      unchanged: planned.unchanged + withdrawn.leavers + withdrawn.reports,
    };
    const { notShown } = await store.meta();
    if (notShown !== undefined && notShown !== "") context.notes.push(notShown);
    await store.setCyclePlan(cycleId, { summary: weighed, guard, notes: context.notes });
    const agreement = only === undefined ? null : await agreementOf(store, cycleId);
    if (request.agreed !== undefined && request.agreed !== agreement?.digest) {
      throw new ConfigurationError(
        "what is due has changed since it was shown: nothing was sent; look at it again",
      );
    }
    // One person's plan says nothing of what is held of the others.
    if (!request.dryRun && kind !== "on-demand")
      await tellGuard(context, meta, { planId, guard }, heldOperations);

    const upTo = await store.newestOperation();
    const whenDone = context.firstRun ? await linkedWhenDone(context) : 0;
    const applied = request.dryRun
      ? { done: 0, failed: 0, mostFailed: null }
      : await sendRounds(context, plannedWrites(weighed) - heldOperations);
    const summary = await withLaterRounds(context, weighed, upTo);
    if (!request.dryRun) await confirmReach(context, meta, watched);
    // Kinds that Lattice refuses are known to the next cycles by themselves (`refusedKinds`), and not kept with this one.
    const notes = [...context.notes, ...[...context.kinds.refused().values()].map(refusalSentence)];
    if (!request.dryRun) await rememberRefusals(context, meta);
    if (decided !== null) await tellActs(context, people, decided);
    else if (context.firstRun && !read.emptyDirectory) await noteEndOfFirstRun(context, whenDone);
    const failed = applied.failed + (read.onDemand?.unreadable ?? 0);
    const outcome = outcomeOf(guard, failed);
    await store.setCyclePlan(cycleId, { summary, guard, notes: context.notes });
    const finishedAt = context.clock.now();
    await store.finishCycle(cycleId, { finishedAt, outcome, error: null, keepPlan: request.dryRun });
    if (context.clockDoubtMs === 0) {
      await store.prune({
        before: startedAt - settings.retentionMs,
        countedSince: finishedAt - settings.guard.windowMs,
        maxRows: settings.maxLogRows,
      });
    }
    ports.log.info(
      { cycleId, outcome, ...summary, ...applied, held: heldOperations, notes },
      "cycle finished",
    );
    const ended = request.dryRun ? [] : ((await store.cycleOfPlan(planId))?.outcomes ?? []);
    const plan = { planId, cycle: kind, createdAt: startedAt, summary, guard };
    return {
      cycleId,
      header: { ...plan, notes },
      outcome,
      done: applied.done,
      failed,
      heldOperations,
      notSent: ended.reduce((sum, one) => (one.outcome === "cancelled" ? sum + one.count : sum), 0),
      mostFailed: sending.kind === "leavers" ? sending.reason : applied.mostFailed,
      durationMs: clock.now() - startedAt,
      failedComparison: read.failedComparison,
      ...(only === undefined || agreement === null ? {} : { onDemand: { people: only, agreement } }),
    };
  } catch (error) {
    const reason = request.signal.aborted ? interrupted(request.signal) : error;
    const end = {
      finishedAt: believed.now(),
      outcome: request.signal.aborted ? "interrupted" : "failed",
      error: errorText(reason),
    } as const;
    await store.finishCycle(cycleId, end).catch((second: unknown) => {
      // The first error says what went wrong; this one is most often its echo (a full disk).
      ports.log.warn({ error: String(second) }, "the end of the cycle could not be recorded");
    });
    throw reason;
  }
}

/**
 * Compares our clock with those of both ends. Times that lie in the future are moved, and old releases forgotten, only where
 * ours is believed.
 */
async function withTrustedClock(context: CycleContext): Promise<CycleContext> {
  const { store, clock, settings, notes } = context;
  const clockDoubtMs = await clockDoubt(context.clocks, context.signal);
  if (clockDoubtMs === 0) {
    await store.forgetTheFuture(clock.now());
    await store.dropReleases(clock.now() - settings.guard.windowMs);
    // Set back since the cycle began: it cannot have begun later than now.
    return { ...context, clockDoubtMs, startedAt: Math.min(context.startedAt, clock.now()) };
  }
  const note = clockDoubtNote(clockDoubtMs);
  notes.push(note);
  context.log.warn({ clockDoubtMs }, note);
  return { ...context, clock: shiftedClock(clock, clockDoubtMs), clockDoubtMs };
}

/** People are told when the guard begins to hold and when it holds nothing any more, not in every cycle between. */
async function tellGuard(
  context: CycleContext,
  meta: Partial<Meta>,
  { planId, guard }: Pick<PlanHeader, "planId" | "guard">,
  operations: number,
): Promise<void> {
  const before = meta.heldPlan ?? "";
  if (guard.held) {
    if (before === "") {
      const { reasons, notes } = guard;
      const costs = notes === undefined ? {} : { notes };
      const event = { kind: "guardHeld", planId, reasons, ...costs, operations } as const;
      await changeState(context, { heldPlan: planId }, event);
    } else {
      await context.store.putMeta({ heldPlan: planId });
    }
  } else if (before !== "") {
    await changeState(context, { heldPlan: "" }, { kind: "guardCleared", planId: before });
  }
}

function chooseKind(ports: Ports, meta: Partial<Meta>, request: CycleRequest): CycleKind {
  const { settings } = ports;
  if (request.only !== undefined) return "on-demand";
  const current = meta.watermark !== undefined && meta.mappingDigest === settings.mapping.digest;
  if (!current || meta.targetListedAt === undefined) return "initial";
  return request.full ? "reconcile" : "incremental";
}

/** What reading the directory came to. */
interface Directory {
  /** `null` where the scope was not read as a whole. */
  readonly scopeParts: readonly ScopePart[] | null;
  /** Groups that scoping filters name. */
  readonly filterParts: readonly ScopePart[];
  /** Why the scope could not be read, or a group of its filters: the cycle ends with it. */
  readonly scopeFault: ScopeFault | null;
  /** Everybody was read. */
  readonly full: boolean;
  readonly emptyDirectory: boolean;
  readonly onDemand: {
    readonly people: readonly Wanted[];
    /** Others whose account could not be read. */
    readonly unreadable: number;
    readonly membership: Membership;
  } | null;
}

/** What reading both ends came to. */
interface BothEnds extends Directory {
  /** Whom to plan. */
  readonly select: CandidateSelection;
  /** Every account of Lattice was read. */
  readonly listed: boolean;
  /** The last listing of Lattice did not show everybody. */
  readonly lookUpFirst: boolean;
  readonly failedComparison: FailedComparison | null;
}

/** Reads the directory, after what earlier runs left open; of a cycle on demand these people's accounts as well. */
async function readDirectory(
  context: CycleContext,
  meta: Partial<Meta>,
  request: CycleRequest,
): Promise<Directory> {
  await confirmCompany(context, meta);
  await recoverIntents(context);
  if (request.only !== undefined) {
    const { people, unreadable } = await ingestPeople(context, request.only);
    const only = people.map(({ objectId }) => objectId);
    const membership = await ingestMembership(context, only);
    const filterParts = await ingestFilterGroups(context);
    const onDemand = { people, unreadable, membership };
    const onlyThese = { full: false, emptyDirectory: false, scopeFault: null };
    return { scopeParts: membership.parts, filterParts, ...onlyThese, onDemand };
  }
  const { full, empty } = await ingestSource(context, meta, context.kind === "incremental");
  const read = { full, emptyDirectory: empty, onDemand: null };
  try {
    const scopeParts = await ingestScope(context);
    return { scopeParts, filterParts: await ingestFilterGroups(context), scopeFault: null, ...read };
  } catch (error) {
    if (!isScopeFault(context, error)) throw error;
    return { scopeParts: null, filterParts: [], scopeFault: error, ...read };
  }
}

/** Reads what is to be known of Lattice's accounts before the plan. */
async function readTarget(
  context: CycleContext,
  meta: Partial<Meta>,
  directory: Directory,
): Promise<BothEnds> {
  const { full, emptyDirectory, onDemand } = directory;
  if (onDemand !== null) {
    const only = onDemand.people.map(({ objectId }) => objectId);
    // Each of these people was searched for.
    return { ...directory, select: { only }, lookUpFirst: false, listed: false, failedComparison: null };
  }
  const everything = context.kind !== "incremental";
  const failedComparison = everything ? await compareTarget(context, meta) : null;
  const compared = everything && failedComparison === null;
  if (!compared) {
    await recheckMissing(context);
    await readMarkedAccounts(context);
  }
  if (compared && full && !emptyDirectory) {
    await context.store.putMeta({ reconciledAt: String(context.clock.now()) });
  }
  const listingFault = (await context.store.meta()).listingFault ?? "";
  return {
    ...directory,
    select: everything ? "everybody" : "marked",
    listed: compared && listingFault === "",
    lookUpFirst: listingFault !== "",
    failedComparison,
  };
}

function plannedWrites(summary: PlanSummary): number {
  return summary.create + summary.update + summary.deactivate + summary.reactivate + summary.link;
}

async function sendRounds(context: CycleContext, planned: number): Promise<Omit<Applied, "halfRenamed">> {
  const totals: { done: number; failed: number; mostFailed: string | null } = {
    done: 0,
    failed: 0,
    mostFailed: null,
  };
  for (let round = 1; round <= maxRounds; round += 1) {
    const applied = await applyPlan(context, {
      total: planned,
      probe: context.sending.kind === "probe" && round === 1,
    });
    totals.done += applied.done;
    totals.failed += applied.failed;
    totals.mostFailed = applied.mostFailed;
    if (applied.mostFailed !== null) break;
    // On demand these people are written, never those who waited for them.
    if (context.kind === "on-demand") break;
    const resolved = await endWaiting(context);
    const halfRenamed = await withoutUnfinished(context, applied.halfRenamed);
    if (resolved === 0 && halfRenamed.length === 0) break;
    if (resolved > 0) await makePlan(context, { resolvedIn: context.cycleId });
    if (halfRenamed.length > 0) await makePlan(context, { only: halfRenamed });
  }
  return totals;
}

/** People of whom the guard holds something are left to the next cycle: what follows is not weighed again. */
async function withoutUnfinished(
  { store, cycleId }: CycleContext,
  people: readonly string[],
): Promise<readonly string[]> {
  if (people.length === 0) return [];
  const held = new Set<string>();
  for await (const { objectId } of heldOperations(store, cycleId)) held.add(objectId);
  return people.filter((objectId) => !held.has(objectId));
}

/** What is refused whomever it is about is kept for the next cycle, which tries a few people first. */
async function rememberRefusals({ store, kinds }: CycleContext, meta: Partial<Meta>): Promise<void> {
  const text = refusedKindsText(kinds.refused());
  if (text !== (meta.refusedKinds ?? "")) await store.putMeta({ refusedKinds: text });
}

function outcomeOf(guard: GuardVerdict, failed: number): CycleOutcome {
  if (guard.held) return "held";
  return failed > 0 ? "someFailed" : "done";
}
