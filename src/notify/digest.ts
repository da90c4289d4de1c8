import type { Clock } from "../domain/clock.ts";
import type { FailingPerson, FailureChange, StateEvent } from "../domain/event.ts";
import type { StateStore } from "../domain/state/store.ts";

const mostPeople = 100;

/** A time of day in a time zone. */
export interface TimeOfDay {
  readonly hour: number;
  readonly minute: number;
  /** IANA. */
  readonly timezone: string;
}

/**
 * Once a day, after `digestAt`: makes one event of the people who began to fail and those who no longer fail. Without changes
 * there is no event.
 * @returns the event, if there was one
 */
export async function digestFailures(
  { store, clock }: { readonly store: StateStore; readonly clock: Clock },
  digestAt: TimeOfDay,
): Promise<StateEvent | null> {
  const now = clock.now();
  const last = Number((await store.meta()).digestedAt ?? Number.NaN);
  const due = lastOccurrence(digestAt, now);
  const notes = { digestedAt: String(now) };
  // A new database waits for the first time of day that it sees.
  if (Number.isNaN(last)) await store.noteTold(notes);
  if (!(last < due)) return null;
  const changes = await store.failureChanges();
  const event = digestOf(changes);
  if (event === null) {
    await store.noteTold(notes);
    return null;
  }
  const failuresThrough = Math.max(...changes.map(({ id }) => id));
  const added = await store.addEvent(event, {
    at: now,
    once: `failureDigest/${due}`,
    notes,
    failuresThrough,
  });
  return added ? event : null;
}

/** The changes in total; `null` if there are none. People who failed and recovered in between are only counted. */
function digestOf(changes: readonly FailureChange[]): Extract<StateEvent, { kind: "failureDigest" }> | null {
  const people = new Map<string, { failedBefore: boolean; last: FailureChange }>();
  for (const change of changes) {
    const known = people.get(change.objectId);
    people.set(change.objectId, {
      failedBefore: known?.failedBefore ?? change.change === "recovered",
      last: change,
    });
  }
  const began: FailingPerson[] = [];
  const recovered: FailingPerson[] = [];
  let passing = 0;
  for (const { failedBefore, last } of people.values()) {
    const { id: _, change, ...person } = last;
    // A person who recovered and failed again is reported, because the reason may be another one.
    if (change === "began") began.push(person);
    else if (failedBefore) recovered.push(person);
    else passing += 1;
  }
  if (people.size === 0) return null;
  return {
    kind: "failureDigest",
    began: began.length,
    recovered: recovered.length,
    passing,
    people: { began: began.slice(0, mostPeople), recovered: recovered.slice(0, mostPeople) },
  };
}

const minuteMs = 60_000;
const dayMinutes = 24 * 60;

/** Gives the minutes since midnight of a time. */
function minutesIn(timezone: string): (time: number) => number {
  // UTC is the default. Other time zones must be loaded, which takes as long as all other work of a notification.
  if (timezone === "UTC") return (time) => Math.floor(time / minuteMs) % dayMinutes;
  const format = new Intl.DateTimeFormat("en", {
    timeZone: timezone,
    hour: "numeric",
    minute: "numeric",
    hourCycle: "h23",
  });
  return (time) => {
    const parts = format.formatToParts(time);
    const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value);
    return part("hour") * 60 + part("minute");
  };
}

/** The last time that it was this time of day, at or before `now`; milliseconds since the epoch. */
export function lastOccurrence({ hour, minute, timezone }: TimeOfDay, now: number): number {
  const wanted = hour * 60 + minute;
  const minutesAt = minutesIn(timezone);
  const start = Math.floor(now / minuteMs) * minuteMs;
  const guess = start - ((minutesAt(start) - wanted + dayMinutes) % dayMinutes) * minuteMs;
  // Across a change of daylight saving time the guess is off by as much as the change.
  const error = (minutesAt(guess) - wanted + dayMinutes) % dayMinutes;
  const signed = error > dayMinutes / 2 ? error - dayMinutes : error;
  const corrected = guess - signed * minuteMs;
  return corrected > now ? guess : corrected;
}
