import type { CanaryCause } from "../../../domain/event.ts";
import type { Meta } from "../../../domain/state/meta.ts";
import type { StateStore } from "../../../domain/state/store.ts";
import type { CanarySettings } from "../../ports/settings.ts";

/** A canary that is under way. Kept as a note. */
export interface Canary {
  /** Digest of the configuration that is tried. Another one ends the canary. */
  readonly digest: string;
  readonly cause: CanaryCause;
  /** When it began, milliseconds since the epoch. */
  readonly at: number;
  /** The cycle that chose the people. */
  readonly cycleId: number;
  /** Object ids of the people on whom it is tried. */
  readonly people: readonly string[];
  readonly goesOn: CanarySettings["goesOn"];
  /** The last news that was reported. */
  readonly told: "nothing" | "begun" | "passed" | "failed";
}

/** The canary under way; `null` if there is none. */
export function parseCanary({ canary = "" }: Partial<Meta>): Canary | null {
  // Only this program writes it.
  return canary === "" ? null : (JSON.parse(canary) as Canary);
}

/** The outcomes of a canary's operations. */
export interface CanaryResult {
  /** People for whom something was written. */
  readonly done: number;
  /** People for whom something failed, even if a later try succeeded. */
  readonly failed: number;
  /** The end of the first write, milliseconds since the epoch; `null` if nothing was written. */
  readonly firstDoneAt: number | null;
}

/** More log entries than a person has from one canary. */
const entriesOfPerson = 200;

/** Reads the outcomes of the operations of a canary's people from the provisioning log. */
export async function resultOf(
  store: Pick<StateStore, "history">,
  { people, cycleId }: Pick<Canary, "people" | "cycleId">,
): Promise<CanaryResult> {
  let done = 0;
  let failed = 0;
  let firstDoneAt: number | null = null;
  for (const person of people) {
    const log = await store.history({ person, outcomes: ["done", "failed"], limit: entriesOfPerson });
    const own = log.filter((entry) => entry.objectId === person && entry.cycleId >= cycleId);
    const written = own.filter(({ status }) => status === "done");
    if (written.length > 0) done += 1;
    if (own.some(({ status }) => status === "failed")) failed += 1;
    for (const { at } of written) firstDoneAt = Math.min(at, firstDoneAt ?? at);
  }
  return { done, failed, firstDoneAt };
}

/** The number of the canary's people who may fail: none if a person decides when the others follow, so that the first failure is reported. */
export function failuresAllowed({ goesOn }: Pick<Canary, "goesOn">): number {
  return goesOn === null ? 0 : goesOn.maxFailures;
}

/**
 * When the others are sent if no more people fail, milliseconds since the epoch; `null` if a person decides, nothing was written
 * yet, or too many have failed.
 */
export function goesOnAt({ goesOn }: Pick<Canary, "goesOn">, result: CanaryResult): number | null {
  if (goesOn === null || result.firstDoneAt === null || result.failed > goesOn.maxFailures) return null;
  return result.firstDoneAt + goesOn.afterMs;
}

/** The notes after a person has released the whole plan of a cycle: the canary that holds it is over. */
export function canaryReleased(meta: Partial<Meta>, cycleId: number): Partial<Meta> {
  const canary = parseCanary(meta);
  // An older plan was held before this canary began.
  return canary === null || cycleId < canary.cycleId ? {} : { canary: "", rolledOut: canary.digest };
}
