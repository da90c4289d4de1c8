import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../domain/clock.ts";
import { ConfigurationError, HostUnavailableError } from "../../domain/errors.ts";
import type { LeavingEvent } from "../../domain/plan.ts";
import type { Candidate, Decision } from "../../domain/store.ts";

/** What the answers of both ends say of their clocks (the `Date` header, RFC 9110 section 6.6.1). */
export interface EndClocks {
  /** How far Entra's clock is ahead of ours, milliseconds; `undefined` where no answer said. */
  entra(): number | undefined;
  /** The same of Lattice, which is asked where it was not asked for anything else. */
  lattice(signal: AbortSignal): Promise<number | undefined>;
}

/** The doubt while no end has told the time yet: neither 0 nor any number, so that nothing which time decides is believed. */
export const nobodySaid = Number.NaN;

/** Clocks that are kept by NTP differ by far less, and Entra accepts no token beyond. */
const toleratedMs = 5 * 60_000;

/**
 * How far our clock is behind both ends', milliseconds (negative: ahead); 0 where it is believed. One end alone proves
 * nothing, and two that contradict each other do not either. Lattice is asked only where Entra's clock differs.
 */
export async function clockDoubt(clocks: EndClocks | undefined, signal: AbortSignal): Promise<number> {
  const entra = clocks?.entra();
  if (clocks === undefined || entra === undefined || Math.abs(entra) <= toleratedMs) return 0;
  const lattice = await clocks.lattice(signal).catch((error: unknown) => {
    // An end that does not answer says nothing of the time.
    if (error instanceof ConfigurationError || error instanceof HostUnavailableError) return undefined;
    throw error;
  });
  if (lattice === undefined || Math.abs(lattice) <= toleratedMs) return 0;
  if (Math.sign(lattice) !== Math.sign(entra)) return 0;
  return Math.abs(entra) < Math.abs(lattice) ? entra : lattice;
}

/** Our clock as the ends have it: what is recorded gets a time that will not be wrong once the clock is set right. */
export function shiftedClock(clock: Clock, byMs: number): Clock {
  return byMs === 0
    ? clock
    : { now: () => clock.now() + byMs, sleep: (milliseconds, signal) => clock.sleep(milliseconds, signal) };
}

/** What a person is told of such a cycle. */
export function clockDoubtNote(byMs: number): string {
  return `This machine's clock is ${durationText(Math.abs(byMs))} ${byMs > 0 ? "behind" : "ahead of"} those of Entra and Lattice. Correct it (NTP). Until then, changes that depend on the time are not planned, and the provisioning log is not trimmed.`;
}

function durationText(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 120) return `${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  return hours < 72 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
}

/**
 * What to do about a person while our clock is in doubt: what is decided by our clock and by the ends' alike. A person for
 * whom the two differ is skipped and looked at again in the next cycle. When an event was first seen is not remembered from
 * such a cycle.
 */
export function decisionInDoubt(candidate: Candidate, ours: Decision, theirs: Decision): Decision {
  const events = knownEvents(candidate.events, theirs.events);
  const lookAgainAt = earliest(ours.lookAgainAt, theirs.lookAgainAt);
  const kept = { ...(lookAgainAt === null ? {} : { lookAgainAt }), ...(events === null ? {} : { events }) };
  const { lookAgainAt: _ourLook, events: _ourEvents, ...decision } = ours;
  const { lookAgainAt: _theirLook, events: _theirEvents, ...other } = theirs;
  if (isDeepStrictEqual(decision, other)) return { ...decision, ...kept };
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

/** Of the events that are seen now those that were known before; `null` where nothing of it changes. */
function knownEvents(
  known: Candidate["events"],
  seen: Decision["events"],
): ReadonlyMap<LeavingEvent, number> | null {
  if (seen === undefined) return null;
  const kept = new Map([...known].filter(([event]) => seen.has(event)));
  return kept.size === known.size ? null : kept;
}

function earliest(one: number | null | undefined, other: number | null | undefined): number | null {
  if (one == null || other == null) return one ?? other ?? null;
  return Math.min(one, other);
}
