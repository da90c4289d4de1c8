import type { Hold } from "../../../domain/plan.ts";
import { count, durationText } from "../../../domain/sentence.ts";
import { type Canary, failuresAllowed } from "./standing.ts";

/** The hold of the operations that wait for a canary, and its reason in a sentence. */
export interface CanaryHold {
  readonly hold: Hold;
  readonly reason: string;
}

/**
 * @param canary `null` if this cycle cannot choose the people, for example because it sends leavers at most; a sentence if the choice failed
 * @param plan `waiting`: operations that wait, in whole or in part; `except`: object ids of the people whose operations do not
 */
export function canaryHold(
  canary: Canary | string | null,
  { waiting, except }: { readonly waiting: number; readonly except: readonly string[] },
): CanaryHold {
  const operations = `${count(waiting, "operation")} ${waiting === 1 ? "waits" : "wait"}`;
  if (canary === null || typeof canary === "string") {
    const why = canary ?? "they are not chosen yet";
    return {
      hold: { kind: "canary", except },
      reason: `canary: ${operations}, because a new configuration is tried on a few people first, and ${why}`,
    };
  }
  return {
    hold: { kind: "canary", except },
    reason: `canary: ${operations}, because ${triedText(canary)}; ${endText(canary)}`,
  };
}

function triedText({ cause, people }: Canary): string {
  const what = {
    firstRun: "the first run",
    configuration: "a new configuration",
    requested: "the plan",
  }[cause];
  return `${what} is tried on ${count(people.length, "person", "people")} first`;
}

function endText(canary: Canary): string {
  const released = "until a person releases the plan";
  const { goesOn, told } = canary;
  if (goesOn === null) return `they wait ${released}`;
  const most = count(failuresAllowed(canary), "person", "people");
  if (told === "failed") return `more than ${most} failed, so they wait ${released}`;
  return `they are sent ${durationText(goesOn.afterMs)} after the first write if no more than ${most} ${failuresAllowed(canary) === 1 ? "fails" : "fail"}`;
}
