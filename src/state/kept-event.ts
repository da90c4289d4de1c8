import type { FailingPerson, StateEvent } from "../domain/event.ts";
import { withoutQuotations } from "../domain/quotation.ts";
import type { LogValues } from "./logged-values.ts";

/** An event as it is kept until it is told: it stays for as long as the log, and under the setting of the log. */
export function keptEvent(values: LogValues, event: StateEvent): StateEvent {
  return values === "keep" ? event : withoutErrors(event);
}

/** The event without Lattice's words about single people: they may quote values, and the event stays for as long as the log. */
function withoutErrors(event: StateEvent): StateEvent {
  if (event.kind === "quarantineEntered") return { ...event, reason: withoutQuotations(event.reason) };
  if (event.kind === "noGoodCycle" && event.lastError !== null) {
    return { ...event, lastError: withoutQuotations(event.lastError) };
  }
  if (event.kind !== "failureDigest") return event;
  const { began, recovered } = event.people;
  const silent = (person: FailingPerson): FailingPerson => ({ ...person, message: "" });
  return { ...event, people: { began: began.map(silent), recovered: recovered.map(silent) } };
}
