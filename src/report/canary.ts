import { type Canary, parseCanary } from "../cycle/guard/canary/standing.ts";
import { count, durationText, timeText } from "../domain/sentence.ts";
import type { Meta } from "../domain/state/meta.ts";
import type { StateStore } from "../domain/state/store.ts";

/** A canary under way, with the people on whom the configuration is tried. */
export interface CanaryStatus extends Omit<Canary, "people" | "digest"> {
  readonly people: readonly { readonly objectId: string; readonly userName: string | null }[];
}

/** Reads the canary under way; `null` if there is none. */
export async function readCanary(
  store: Pick<StateStore, "personRows">,
  meta: Partial<Meta>,
): Promise<CanaryStatus | null> {
  const canary = parseCanary(meta);
  if (canary === null) return null;
  const { digest: _, people, ...rest } = canary;
  const rows = await store.personRows(people);
  return {
    ...rest,
    people: people.map((objectId) => {
      const name = rows.get(objectId)?.source.attributes.userPrincipalName;
      return { objectId, userName: typeof name === "string" ? name : null };
    }),
  };
}

const tried = {
  firstRun: "the first run",
  configuration: "a new configuration",
  requested: "the plan",
} as const;

const shown = {
  nothing: "nothing was written for them yet",
  begun: "nothing was written for them yet",
  passed: "it goes well",
  failed: "too many of them failed",
} as const;

/** The canary in two sentences, for people. */
export function canaryText({ at, cause, people, goesOn, told }: CanaryStatus): string {
  const end =
    goesOn === null || told === "failed"
      ? "Everything else waits until a person releases the plan."
      : `Everything else is sent ${durationText(goesOn.afterMs)} after the first write if no more than ${count(goesOn.maxFailures, "person fails", "people fail")}.`;
  return `Since ${timeText(at)}, ${tried[cause]} is tried on ${count(people.length, "person", "people")} first: ${shown[told]}. ${end}`;
}

/** The canary for programs (`status --format json`, `GET /api/now`); times are ISO 8601. */
export function canaryDocument(canary: CanaryStatus | null) {
  if (canary === null) return null;
  const { at, cause, people, goesOn, told } = canary;
  return {
    since: new Date(at).toISOString(),
    cause,
    state: told === "nothing" ? "begun" : told,
    people,
    release: goesOn === null ? "manual" : "automatic",
    ...(goesOn === null ? {} : { afterMs: goesOn.afterMs, maxFailures: goesOn.maxFailures }),
    text: canaryText(canary),
  };
}
