import { isDeepStrictEqual } from "node:util";
import type { Clock, EndClocks } from "../../domain/clock.ts";
import { ConfigurationError, HostUnavailableError } from "../../domain/errors.ts";
import type { LeavingEvent } from "../../domain/plan.ts";
import { durationText } from "../../domain/sentence.ts";
import type { Candidate, PersonPlan } from "../../domain/state/planning.ts";
import { leftForNextCycle } from "../pictures/marks.ts";

/**
 * The doubt while neither Entra nor Lattice has shown its time: neither 0 nor a number, so that nothing that depends on time
 * is believed.
 */
export const nobodySaid = Number.NaN;

/** Clocks that NTP keeps differ by far less, and Entra accepts no token beyond this. */
const toleratedMs = 5 * 60_000;

/**
 * How far our clock is behind those of Entra and Lattice, milliseconds (negative: ahead); 0 if ours is believed. One of them
 * alone proves nothing, nor do two that contradict each other. Lattice is asked only if Entra's clock differs from ours.
 */
export async function clockDoubt(clocks: EndClocks | undefined, signal: AbortSignal): Promise<number> {
  const entra = clocks?.entra();
  if (clocks === undefined || entra === undefined || Math.abs(entra) <= toleratedMs) return 0;
  const lattice = await clocks.lattice(signal).catch((error: unknown) => {
    // A host that does not answer says nothing about the time.
    if (error instanceof ConfigurationError || error instanceof HostUnavailableError) return undefined;
    throw error;
  });
  if (lattice === undefined || Math.abs(lattice) <= toleratedMs) return 0;
  if (Math.sign(lattice) !== Math.sign(entra)) return 0;
  return Math.abs(entra) < Math.abs(lattice) ? entra : lattice;
}

/** Our clock, corrected by what Entra and Lattice say: records get times that stay right when the clock is corrected. */
export function shiftedClock(clock: Clock, byMs: number): Clock {
  return byMs === 0
    ? clock
    : { now: () => clock.now() + byMs, sleep: (milliseconds, signal) => clock.sleep(milliseconds, signal) };
}

/** The sentence that reports such a cycle. */
export function clockDoubtNote(byMs: number): string {
  return `This machine's clock is ${durationText(Math.abs(byMs))} ${byMs > 0 ? "behind" : "ahead of"} those of Entra and Lattice. Correct it (NTP). Until then, changes that depend on the time are not planned, and the provisioning log is not trimmed.`;
}

/**
 * The plan of a person while our clock is in doubt: the part on which our clock and the corrected one agree. If both deactivate
 * the person, for whatever reason, that is done, with the other changes that both plan. Otherwise, if the two plans differ, the
 * person is skipped. The person is planned again in the next cycle. Such a cycle does not record when an event was first seen.
 */
export function planInDoubt(candidate: Candidate, ours: PersonPlan, theirs: PersonPlan): PersonPlan {
  const events = knownEvents(candidate.events, theirs.events);
  const lookAgainAt = earliest(ours.lookAgainAt, theirs.lookAgainAt);
  const kept = { ...(lookAgainAt === null ? {} : { lookAgainAt }), ...(events === null ? {} : { events }) };
  const { lookAgainAt: _ourLook, events: _ourEvents, ...plan } = ours;
  const { lookAgainAt: _theirLook, events: _theirEvents, ...other } = theirs;
  if (isDeepStrictEqual(plan, other)) return { ...plan, ...kept };
  const agreed = deactivationInBoth(plan, other);
  if (agreed !== null) return { ...agreed, ...kept, ...leftForNextCycle({}, 0) };
  const { objectId, attributes } = candidate.source;
  const name = attributes.userPrincipalName;
  return {
    kind: "skipped",
    skipped: {
      objectId,
      userName: typeof name === "string" ? name : (candidate.link?.userName ?? objectId),
      code: "clockInDoubt",
      reason:
        "the change depends on the time, and this machine's clock differs from those of Entra and Lattice; it is checked again in the next cycle",
    },
    referencePending: false,
    ...kept,
  };
}

/** Their deactivation with the changes that ours has too; `null` if one of the plans is no deactivation of the same account. */
function deactivationInBoth(ours: PersonPlan, theirs: PersonPlan): PersonPlan | null {
  if (ours.kind !== "operation" || theirs.kind !== "operation") return null;
  const [one, other] = [ours.operation, theirs.operation];
  if (one.action !== "deactivate" || other.action !== "deactivate") return null;
  if (one.latticeId !== other.latticeId || one.formerOwner !== other.formerOwner) return null;
  const changes = other.changes.filter((change) => one.changes.some((own) => isDeepStrictEqual(own, change)));
  if (!changes.some(({ attribute }) => attribute === "active")) return null;
  return { ...theirs, operation: { ...other, changes } };
}

/** Of the events seen now, those that were known before; `null` if nothing changes. */
function knownEvents(
  known: Candidate["events"],
  seen: PersonPlan["events"],
): ReadonlyMap<LeavingEvent, number> | null {
  if (seen === undefined) return null;
  const kept = new Map([...known].filter(([event]) => seen.has(event)));
  return kept.size === known.size ? null : kept;
}

function earliest(one: number | null | undefined, other: number | null | undefined): number | null {
  if (one == null || other == null) return one ?? other ?? null;
  return Math.min(one, other);
}
