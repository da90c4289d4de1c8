import { ConfigurationError } from "../../domain/errors.ts";
import type { EvidenceKind } from "../../domain/plan.ts";
import { timeText } from "../../domain/sentence.ts";
import type { CycleOutcome } from "../../domain/state/cycles.ts";
import type { Meta } from "../../domain/state/meta.ts";
import { changeState, keepNotes, type Ports, type Writing } from "../ports/ports.ts";

/**
 * The whole job backs off, because the fault does not lie with single people. A try at every regular interval would only lock
 * accounts or fill logs.
 */
export interface Quarantine {
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly reason: string;
  /**
   * `failures`: many operations failed. Leavers are still deactivated in every cycle; everything else waits until the probe
   * is due.
   */
  readonly cause?: "failures" | "configuration";
  /** Cycles that ended with the fault, the first included. */
  readonly attempts: number;
  /** When the daemon tries again. A manual sync tries at once. */
  readonly nextProbeAt: number;
  /**
   * Of a fault of the configuration: a digest of the configuration and the credentials that were refused. A process that has others
   * need not wait.
   */
  readonly access?: string;
}

const dayMs = 24 * 60 * 60 * 1000;
const toleranceMs = 5_000;
/** From this share of failed operations on (of at least `leastOperations`), the fault is not with individual people. */
const failureShare = 0.4;
const leastOperations = 20;
/** A probe sends few operations, so a small number must be enough. */
const leastProbed = 5;

/** If at least this share fails, sending the rest of the plan is useless. */
const hopelessShare = 0.95;
const leastHopeless = 50;

/**
 * `true` if almost nothing succeeds, so that the rest of the plan waits. If more succeeds, the others are sent. Failures of
 * people who failed before are no news and are not counted, here and below.
 */
export function isHopeless(counts: { done: number; failed: number }): boolean {
  const all = counts.done + counts.failed;
  return all >= leastHopeless && counts.failed >= all * hopelessShare;
}

/** `true` if so many operations failed that the whole job backs off. */
export function mostFailed(counts: { done: number; failed: number }, probe: boolean): boolean {
  const all = counts.done + counts.failed;
  return all >= (probe ? leastProbed : leastOperations) && counts.failed >= all * failureShare;
}

export function parseQuarantine(meta: Partial<Meta>): Quarantine | null {
  if (meta.quarantine === undefined || meta.quarantine === "") return null;
  // Only this program writes it.
  return JSON.parse(meta.quarantine) as Quarantine;
}

/** The daemon starts no cycle before this time, milliseconds since the epoch; 0 if there is no quarantine. */
export function probeDueAt(quarantine: Quarantine | null, now: number): number {
  return quarantine === null || quarantine.cause === "failures" ? 0 : probeAt(quarantine, now);
}

/** Whether it was another process that was refused: one with another configuration, or with other credentials. */
export function refusedAnother(quarantine: Quarantine | null, access: string): boolean {
  return quarantine?.access !== undefined && quarantine.access !== access;
}

/** A probe is never more than a day away: if it seems to be, the clock was set back since. */
function probeAt({ nextProbeAt }: Quarantine, now: number): number {
  return nextProbeAt - now > dayMs ? 0 : nextProbeAt;
}

/** The part of its plan that a cycle may send. */
export type Sending =
  | { readonly kind: "everything" }
  /** A few operations first, and the others unless most of those failed. Leavers in any case. */
  | { readonly kind: "probe" }
  /**
   * Only leavers; everything else is put back, with the reason. If evidence is given: only leavers with that evidence, and
   * only their `active`.
   */
  | { readonly kind: "leavers"; readonly reason: string; readonly evidence?: ReadonlySet<EvidenceKind> };

/**
 * @param patient whether the cycle waits for the probe's time: a scheduled one does; one requested by a person is the probe
 */
function sendingIn(quarantine: Quarantine | null, now: number, patient: boolean): Sending {
  if (quarantine === null) return { kind: "everything" };
  // The schedule's tick and the quarantine's time fall on the same moment.
  const due = probeAt(quarantine, now) - now <= toleranceMs;
  if (!patient || due || quarantine.cause !== "failures") return { kind: "probe" };
  return {
    kind: "leavers",
    reason: `quarantine: ${quarantine.reason} in a cycle; the next automatic attempt is at ${timeText(quarantine.nextProbeAt)}`,
  };
}

/**
 * Asked when Entra or Lattice refuses this process as a whole, before the job is quarantined because of it. `true`: another process goes on
 * with the job. It never throws.
 */
export type StandAside = (fault: ConfigurationError) => Promise<boolean>;

/**
 * Starts the quarantine, and reports it; or lengthens the one that is in force.
 * @param before the quarantine in force; `null` if there is none
 */
async function enterQuarantine(
  ports: Writing & Pick<Ports, "clock" | "settings" | "onEvent">,
  before: Quarantine | null,
  {
    reason,
    cause,
    access,
    ...of
  }: Pick<Quarantine, "reason" | "access"> & {
    readonly cause: NonNullable<Quarantine["cause"]>;
    readonly cycleId?: number;
  },
): Promise<void> {
  const now = ports.clock.now();
  const attempts = (before?.attempts ?? 0) + 1;
  const next: Quarantine = {
    since: before?.since ?? now,
    reason,
    cause,
    attempts,
    nextProbeAt: now + Math.min(ports.settings.intervalMs * 2 ** (attempts - 1), dayMs),
    ...(access === undefined ? {} : { access }),
  };
  const meta = { quarantine: JSON.stringify(next) };
  if (before !== null) return keepNotes(ports, meta);
  const { nextProbeAt } = next;
  await changeState(ports, meta, { kind: "quarantineEntered", reason, nextProbeAt, ...of });
}

/**
 * Runs a cycle and keeps the quarantine: a configuration fault or many failures start or lengthen it (from the regular
 * interval up to a day). Any other end of a cycle ends it, unless it was caused by failures and sending is paused.
 * @param run receives what it may send
 * @param how `standAside`: asked before a fault of the configuration quarantines the job; `true` if another process goes on with it
 * @throws what `run` throws
 */
export async function withQuarantine<
  T extends { readonly mostFailed: string | null; readonly cycleId: number; readonly outcome: CycleOutcome },
>(
  ports: Writing & Pick<Ports, "clock" | "settings" | "onEvent">,
  run: (sending: Sending) => Promise<T>,
  {
    patient = false,
    standAside = async () => false,
    access,
  }: {
    readonly patient?: boolean;
    readonly standAside?: StandAside;
  } & Pick<Quarantine, "access"> = {},
): Promise<T> {
  const { store, clock } = ports;
  const before = parseQuarantine(await store.meta());
  const sending = sendingIn(before, clock.now(), patient);
  const enter = (
    reason: string,
    cause: NonNullable<Quarantine["cause"]>,
    of: { readonly cycleId?: number; readonly access?: string } = {},
  ): Promise<void> => enterQuarantine(ports, before, { reason, cause, ...of });
  try {
    const result = await run(sending);
    if (sending.kind === "leavers") return result;
    // A cycle in a pause of sending did not try whether operations succeed again.
    if (result.outcome === "paused" && before?.cause === "failures" && result.mostFailed === null)
      return result;
    if (result.mostFailed !== null) {
      await enter(result.mostFailed, "failures", { cycleId: result.cycleId });
    } else if (before !== null) {
      await changeState(ports, { quarantine: "" }, { kind: "quarantineLeft", since: before.since });
    }
    return result;
  } catch (error) {
    if (error instanceof ConfigurationError && !(await standAside(error))) {
      await enter(error.message, "configuration", access === undefined ? {} : { access });
    }
    throw error;
  }
}

/**
 * Runs what is less than a cycle of everybody, for example a look for leavers: a fault of the configuration starts a quarantine. None is
 * ended or lengthened.
 * @param how as of `withQuarantine`
 * @throws what `run` throws
 */
export async function withQuarantineStarted<T>(
  ports: Writing & Pick<Ports, "clock" | "settings" | "onEvent">,
  run: () => Promise<T>,
  { standAside, access }: { readonly standAside: StandAside; readonly access: string },
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const before = parseQuarantine(await ports.store.meta());
    // A quarantine after failures is the cycles' own: they go on trying whether operations succeed.
    if (error instanceof ConfigurationError && before === null && !(await standAside(error))) {
      await enterQuarantine(ports, before, { reason: error.message, cause: "configuration", access });
    }
    throw error;
  }
}
