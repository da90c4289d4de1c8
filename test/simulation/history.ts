import { allActions, type Configuration, plainRules, type Rules } from "./configuration.ts";
import type { Fate, Moment, Requests } from "./fate.ts";
import type { Guarded, HidableProperty, Manners } from "./manners.ts";

/** One thing that happens; people and names are numbers, so that a failing history shrinks to small ones. */
export type Step =
  | {
      readonly do: "hire";
      readonly who: number;
      readonly name: number;
      readonly manager: number | null;
      /** Whose externalId the person has; default: one's own. */
      readonly as?: number;
    }
  /** The person has another one's externalId in the directory from now on, or one's own again. */
  | { readonly do: "employeeId"; readonly who: number; readonly as: number }
  /** An administrator writes a person's externalId, another system's or none into the account of a person. */
  | { readonly do: "giveId"; readonly who: number; readonly as: number | "another" | "nobody" }
  /** An administrator writes the externalId of each of two accounts into the other one. */
  | { readonly do: "swapIds"; readonly who: number; readonly other: number }
  | { readonly do: "title"; readonly who: number; readonly title: string | null }
  | { readonly do: "rename" | "disableAndRename"; readonly who: number; readonly name: number }
  | { readonly do: "manager"; readonly who: number; readonly manager: number | null }
  | {
      readonly do: "enable" | "disable" | "join" | "leave" | "softDelete" | "purge" | "restore";
      readonly who: number;
    }
  | { readonly do: "swapNames"; readonly who: number; readonly other: number }
  /** The first day is so many hours from now. */
  | { readonly do: "starts"; readonly who: number; readonly hours: number }
  | { readonly do: "everybodyLeaves" }
  | { readonly do: "editInLattice"; readonly who: number; readonly active: boolean; readonly title: string }
  | { readonly do: "removeInLattice"; readonly who: number }
  | { readonly do: "stranger"; readonly name: number; readonly owner: "nobody" | "another" }
  /** No answer shows this property any more, of this person or of anybody; `null`: each answer shows everything again. */
  | {
      readonly do: "hide";
      readonly property: HidableProperty | null;
      readonly who: number | "everybody";
    }
  /** One person comes into a group of the scope, or goes. */
  | { readonly do: "joinGroup" | "leaveGroup"; readonly who: number; readonly group: number }
  | { readonly do: "moveGroup"; readonly who: number; readonly group: number; readonly to: number }
  /** A whole group loses its members, is deleted, or is as it was before that. */
  | { readonly do: "emptyGroup" | "deleteGroup" | "refillGroup"; readonly group: number }
  | { readonly do: "expireWatermarks" }
  | { readonly do: "loseDatabase" }
  /** Each request about this person's record meets this from now on; `null`: nothing any more. */
  | { readonly do: "trouble"; readonly who: number; readonly trouble: Trouble | null }
  /** The same happens to so many people, from the one with this number on. */
  | { readonly do: "crowd"; readonly from: number; readonly count: number; readonly step: CrowdStep }
  /** From now on Lattice has room for so many active accounts; `null`: for any number. */
  | { readonly do: "seats"; readonly count: number | null }
  /** Somebody changes the configuration. */
  | { readonly do: "configure"; readonly change: Partial<Configuration> }
  /** From now on the address answers as another company with so many accounts, to a new key or to the same; `null`: as the right one. */
  | {
      readonly do: "company";
      readonly another: { readonly accounts: number; readonly key: "new" | "same" } | null;
    }
  /** Another tool writes to Lattice as well, after each cycle; `null`: no more. */
  | { readonly do: "otherTool"; readonly writes: OtherTool | null }
  /** A stranger's account is edited by hand: another userName, or the externalId of a person. */
  | {
      readonly do: "editStranger";
      readonly name: number;
      readonly to: number;
      readonly owner: number | "another" | "nobody";
    }
  | { readonly do: "wait"; readonly hours: number }
  /** From now on our machine's clock is so many hours ahead of both ends' (negative: behind). */
  | { readonly do: "clock"; readonly hours: number }
  | { readonly do: "release" | "reject"; readonly who: number | null }
  /** The daemon runs for so many hours: cycles on their schedule, with quarantine, probes and sooner tries after outages. */
  | { readonly do: "daemon"; readonly hours: number; readonly fate: Fate }
  | {
      readonly do: "cycle";
      readonly kind: "incremental" | "full";
      readonly dryRun: boolean;
      /** One person alone. */
      readonly only: number | null;
      readonly fate: Fate;
      /** Something that happens while the cycle runs. */
      readonly during: { readonly at: Moment; readonly step: Step } | null;
    };

/** What befalls requests about the record of one person, as long as it lasts. */
export interface Trouble {
  readonly on: "everything" | "reads" | "writes";
  /** `gone` and `hidden`: 404 although the account is there; where it is hidden no list and no search shows it either. */
  readonly answer: "forbidden" | "unavailable" | "rejected" | "webPage" | "lost" | "gone" | "hidden";
}

/** What can happen to a crowd. */
export type CrowdStep =
  | "hire"
  | "refusedTitle"
  | "title"
  | "clearTitle"
  | "enable"
  | "disable"
  | "trouble"
  | "noTrouble";

/** What another tool does to all accounts that it finds. */
export type OtherTool = "titles" | "reactivates" | "removesManagers";

export interface History {
  readonly manners: Manners;
  /** So many of one kind pass in a day without a release; `null` for a guard that holds nothing. */
  readonly guard: { readonly what: Guarded; readonly most: number } | null;
  readonly drift: "correct" | "report";
  /** Lost links are limited as by default; default: any number may be dissolved. */
  readonly limitsLostLinks?: boolean;
  /** Default: `report`. */
  readonly renameRings?: "report" | "temporaryName";
  /** Default: `send`. */
  readonly managerRings?: "report" | "send";
  /** Default: `plainRules`. */
  readonly rules?: Rules;
  /** Default: both, the userName first. */
  readonly matching?: Configuration["matching"];
  /** Default: `objectId`. */
  readonly externalIds?: Configuration["externalIds"];
  readonly concurrency: number;
  /** People who are there before anything else happens, and what befalls the first cycle. */
  readonly founders: number;
  /** People that it may have. Default: `mostPeople`. */
  readonly people?: number;
  readonly founding: Fate;
  readonly steps: readonly Step[];
}

/** People that a history may have, unless its family says otherwise. */
export const mostPeople = 6;

/** What is configured when a history begins. */
export function configurationOf({ rules, drift, matching, externalIds }: History): Configuration {
  return {
    rules: rules ?? plainRules,
    drift,
    matching: matching ?? "userNameFirst",
    actions: allActions,
    titleIsMapped: true,
    externalIds: externalIds ?? "objectId",
  };
}

/** What has been configured once nothing goes wrong any more. */
export function finalConfigurationOf(history: History): Configuration {
  return { ...configurationOf(history), drift: "correct" };
}

/** One line for each step, to be read. */
export function describeHistory(history: History): string {
  const { steps, ...rest } = history;
  return [JSON.stringify(rest), ...steps.map((step, index) => `${index + 1}. ${describeStep(step)}`)].join(
    "\n",
  );
}

function describeStep(step: Step): string {
  if (step.do !== "cycle") {
    const { do: what, ...details } = step;
    return `${what} ${JSON.stringify(details)}`;
  }
  const { fate: befalls, during, kind, only, dryRun } = step;
  const parts = [
    `${dryRun ? "dry run of a " : ""}cycle ${kind}${only === null ? "" : ` of person ${only} alone`}`,
    ...(befalls.store ?? []).map(({ from, length }) => `the store refuses ${length} calls ${momentIn(from)}`),
    ...(befalls.answers ?? []).map((odd) => `answer ${odd.kind} to ${requestsIn({ ...odd, on: "write" })}`),
    ...(befalls.readAnswers ?? []).map((odd) => `answer ${odd.kind} to ${requestsIn({ ...odd, on: "get" })}`),
    ...befalls.faults.map(
      ({ times, kind: which, ...on }) => `fault ${which} of ${requestsIn(on)}, ${times} times`,
    ),
    ...befalls.deaths.map((death) => `death ${death.after ? "after it, " : ""}${momentIn(death)}`),
    ...(befalls.abortAt === null ? [] : [`abort ${momentIn(befalls.abortAt)}`]),
    ...(during === null ? [] : [`${momentIn(during.at)}: ${describeStep(during.step)}`]),
  ];
  return `${parts.join("; ")} (seed ${befalls.seed})`;
}

function requestsIn({ on, who, attempt }: Requests): string {
  return `${on} ${who.join(",")} try ${attempt}`;
}

function momentIn({ on, who, attempt, commits }: Moment): string {
  const at = on === "begin" ? "the beginning" : requestsIn({ on, who: [who], attempt });
  return commits === 0 ? `at ${at}` : `${commits} commits after ${at}`;
}
