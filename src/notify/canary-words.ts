import type { StateEvent } from "../domain/event.ts";
import { count, durationText, timeText } from "../domain/sentence.ts";

type CanaryEvent = Extract<StateEvent, { kind: "canaryBegun" | "canaryPassed" | "canaryFailed" }>;

/** The subject of a trial, as a canary's cause says. */
const triedWords = {
  firstRun: "The first run",
  configuration: "A new configuration",
  requested: "The plan",
} as const;

/**
 * A canary's event in words.
 * @param release the command line that releases a plan
 * @param status the command line that shows what is held
 */
export function canaryWords(
  event: CanaryEvent,
  release: (planId: string) => string,
  status: string,
): {
  readonly title: string;
  readonly severity: "problem" | "good" | "note";
  readonly text: string;
  readonly lists: readonly never[];
  readonly action: string;
} {
  switch (event.kind) {
    case "canaryBegun": {
      const { cause, people, operations, afterMs, planId } = event;
      const end =
        afterMs === null
          ? "until you release the plan"
          : `until it has gone well for ${durationText(afterMs)}, or you release the plan`;
      return {
        title: "A canary has begun",
        severity: "note",
        text: `${triedWords[cause]} is tried on ${count(people, "person", "people")} first. ${count(operations, "other operation")} ${operations === 1 ? "waits" : "wait"} ${end}. Only people who are disabled or deleted in Entra are deactivated meanwhile. Plan ${planId}.`,
        lists: [],
        action: `Look at these people in Lattice. To see what waits: ${status}`,
      };
    }
    case "canaryPassed":
      return passedWords(event, release);
    case "canaryFailed": {
      const { done, failed, maxFailures, planId } = event;
      return {
        title: "The canary has failed",
        severity: "problem",
        text: `${ofCanary(done, failed)} ${maxFailures === 0 ? "No one" : `At most ${count(maxFailures, "person", "people")}`} may fail. The other operations wait. Plan ${planId}.`,
        lists: [],
        action: `See the reasons with "${status}". Correct the configuration (the canary then begins again) or put the previous one back; or send the rest anyway: ${release(planId)}`,
      };
    }
  }
}

function passedWords(
  { done, failed, sent, goesOnAt, planId }: Extract<CanaryEvent, { kind: "canaryPassed" }>,
  release: (planId: string) => string,
): ReturnType<typeof canaryWords> {
  const next = sent
    ? "The other operations are sent now, as far as the guard does not hold them."
    : goesOnAt === null
      ? "The other operations wait for your decision."
      : `The other operations are sent at ${timeText(goesOnAt)} if it goes on well.`;
  return {
    title: sent ? "The canary is over: everybody follows" : "The canary goes well",
    severity: "good",
    text: `${ofCanary(done, failed)} ${next}`,
    lists: [],
    action: sent
      ? ""
      : `Look at these people in Lattice. To send the rest${goesOnAt === null ? "" : " now"}: ${release(planId)}`,
  };
}

function ofCanary(done: number, failed: number): string {
  return `${count(done, "person", "people")} of the canary got their changes, and ${failed === 0 ? "none" : failed.toLocaleString("en")} failed.`;
}
