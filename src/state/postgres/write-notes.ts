import { randomUUID } from "node:crypto";
import type { StateEvent } from "../../domain/event.ts";
import type { StateChange } from "../../domain/state/change.ts";
import type { Meta } from "../../domain/state/meta.ts";
import { keptEvent } from "../kept-event.ts";
import { keptSentence, type LogValues } from "../logged-values.ts";
import { asJson, type Session } from "./connection/database.ts";

const setPlan =
  "UPDATE cycle SET summary = $3::json, guard = $4::json, notes = $5::json WHERE job = $1 AND id = $2";
const putNotes = `INSERT INTO meta (job, key, value) SELECT $1, * FROM unnest($2::text[], $3::text[])
  ON CONFLICT (job, key) DO UPDATE SET value = excluded.value`;
const putEvent = `WITH newest AS (UPDATE job SET last_event = last_event + 1 WHERE id = $1 RETURNING last_event AS seq)
  INSERT INTO event (job, seq, id, once, at, kind, data) SELECT $1, newest.seq, $2, $3, $4, $5, $6::json FROM newest
  ON CONFLICT (job, once) WHERE once IS NOT NULL DO NOTHING`;

/** Writes the plan of a cycle, within a commit. */
export async function writeCyclePlan(
  session: Session,
  { cycleId, summary, guard, notes }: NonNullable<StateChange["cyclePlan"]>,
  values: LogValues,
): Promise<void> {
  const kept = notes.length === 0 ? null : asJson(notes.map((note) => keptSentence(values, note)));
  await session.run(setPlan, cycleId, asJson(summary), asJson(guard), kept);
}

/** Writes what a run remembers, within a transaction. */
export async function writeNotes(session: Session, notes: Partial<Meta>): Promise<void> {
  const entries = Object.entries(notes);
  if (entries.length === 0) return;
  const [keys, values] = [entries.map(([key]) => key), entries.map(([, value]) => value)];
  await session.run(putNotes, keys, values);
}

/**
 * Writes an event, within a transaction.
 * @returns whether it is new: if an event with the same `once` is kept already, nothing is written
 */
export async function writeEvent(
  session: Session,
  event: StateEvent,
  { at, once }: { readonly at: number; readonly once?: string | undefined },
  values: LogValues,
): Promise<boolean> {
  const kept = keptEvent(values, event);
  return (await session.run(putEvent, randomUUID(), once ?? null, at, event.kind, asJson(kept))) > 0;
}
