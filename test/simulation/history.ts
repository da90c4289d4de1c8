import { allActions, type Configuration, plainRules, type Rules } from "./configuration.ts";
import type { Fate, Moment, Requests } from "./fate.ts";
import type { Guarded, HidableProperty, Manners } from "./manners.ts";
import type { HistoryCanary } from "./trial.ts";

/** One event. People and names are numbers, so that a failing history shrinks to small ones. */
export type Step =
  | {
      readonly do: "hire";
      readonly who: number;
      readonly name: number;
      readonly manager: number | null;
      /** The person whose externalId this person has. Default: their own. */
      readonly as?: number;
    }
  /** From now on the person has another person's externalId in the directory, or their own again. */
  | { readonly do: "employeeId"; readonly who: number; readonly as: number }
  /** An administrator writes a person's externalId, another system's or none into a person's account. */
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
  /** The first day is this many hours from now. */
  | { readonly do: "starts"; readonly who: number; readonly hours: number }
  | { readonly do: "everybodyLeaves" }
  | { readonly do: "editInLattice"; readonly who: number; readonly active: boolean; readonly title: string }
  | { readonly do: "removeInLattice"; readonly who: number }
  | { readonly do: "stranger"; readonly name: number; readonly owner: "nobody" | "another" }
  /** No answer shows this property any more, for this person or for anyone; `null`: each answer shows everything again. */
  | {
      readonly do: "hide";
      readonly property: HidableProperty | null;
      readonly who: number | "everybody";
    }
  /** One person enters or leaves a group of the scope. */
  | { readonly do: "joinGroup" | "leaveGroup"; readonly who: number; readonly group: number }
  | { readonly do: "moveGroup"; readonly who: number; readonly group: number; readonly to: number }
  /** A whole group loses its members, is deleted, or is restored. */
  | { readonly do: "emptyGroup" | "deleteGroup" | "refillGroup"; readonly group: number }
  | { readonly do: "expireWatermarks" }
  | { readonly do: "loseDatabase" }
  /** From now on each request about this person's record meets this; `null`: none does. */
  | { readonly do: "trouble"; readonly who: number; readonly trouble: Trouble | null }
  /** The same happens to this many people, starting with this number. */
  | { readonly do: "crowd"; readonly from: number; readonly count: number; readonly step: CrowdStep }
  /** From now on Lattice has room for this many active accounts; `null`: no limit. */
  | { readonly do: "seats"; readonly count: number | null }
  /** An administrator changes the configuration. */
  | { readonly do: "configure"; readonly change: Partial<Configuration> }
  /** From now on the address answers as another company with this many accounts, to a new key or to the same one; `null`: as the right company. */
  | {
      readonly do: "company";
      readonly another: { readonly accounts: number; readonly key: "new" | "same" } | null;
    }
  /** Another tool also writes to Lattice, after each cycle; `null`: no longer. */
  | { readonly do: "otherTool"; readonly writes: OtherTool | null }
  /** A stranger's account is edited by hand: another userName, or a person's externalId. */
  | {
      readonly do: "editStranger";
      readonly name: number;
      readonly to: number;
      readonly owner: number | "another" | "nobody";
    }
  | { readonly do: "wait"; readonly hours: number }
  /** From now on this machine's clock is this many hours ahead of both ends' clocks (negative: behind). */
  | { readonly do: "clock"; readonly hours: number }
  | { readonly do: "release" | "reject"; readonly who: number | null }
  /** A person decides about this person's account (or the one with their first userName), as the commands of these names do. */
  | { readonly do: "protect" | "unprotect" | "link" | "unlink"; readonly who: number }
  /** A person pauses sending, for this many hours or until it is resumed (`null`); `leaversToo`: leavers are not switched off either. */
  | { readonly do: "pause"; readonly hours: number | null; readonly leaversToo: boolean }
  | { readonly do: "resume" }
  /** A person enters or leaves the group on which a canary tries. */
  | { readonly do: "canaryGroup"; readonly who: number; readonly member: boolean }
  /** A person takes back the cycle that is this far back among those that changed something; `created`: also the accounts that it made. */
  | { readonly do: "revert"; readonly back: number; readonly created: boolean; readonly fate: Fate }
  /** A person undoes all rejections. */
  | { readonly do: "undoRejections" }
  /** The daemon runs for this many hours: cycles on schedule, with quarantine, probes and earlier attempts after outages. */
  | { readonly do: "daemon"; readonly hours: number; readonly fate: Fate }
  /** A cycle and a look for leavers are under way in two processes, in turns: each has the lease, waits for it, or takes it over. */
  | {
      readonly do: "together";
      readonly cycle: Fate;
      readonly lane: Fate;
      /** How long each waits for the lease, milliseconds; `null`: not at all. */
      readonly waits: { readonly cycle: number | null; readonly lane: number | null };
      /** A process stands still at this moment until the other one has ended. */
      readonly stall: { readonly of: Worker; readonly at: Moment; readonly ms: number } | null;
      /** Decides who goes on. */
      readonly seed: number;
    }
  /**
   * The same, and then it asks who was removed from a group of the scope. If a person may have left, a cycle of everybody begins at
   * once.
   */
  | {
      readonly do: "watch";
      readonly look: Fate;
      readonly ask: Fate;
      readonly cycle: Fate;
      /** In that cycle. */
      readonly during: During;
    }
  /** The daemon looks for leavers, five minutes after whatever was before. */
  | { readonly do: "lane"; readonly fate: Fate; readonly during: During }
  | {
      readonly do: "cycle";
      readonly kind: "incremental" | "full";
      readonly dryRun: boolean;
      /** For one person alone. */
      readonly only: number | null;
      readonly fate: Fate;
      readonly during: During;
    };

/** One of two runs under way: a cycle of everybody, and a look for leavers. */
export type Worker = "cycle" | "lane";

/** An event while a cycle runs. */
type During = { readonly at: Moment; readonly step: Step } | null;

/** A fault that requests about one person's record meet, as long as it lasts. */
export interface Trouble {
  readonly on: "everything" | "reads" | "writes";
  /** `gone` and `hidden`: 404 although the account exists; if it is hidden, no list and no search shows it either. */
  readonly answer: "forbidden" | "unavailable" | "rejected" | "webPage" | "lost" | "gone" | "hidden";
}

/** The events that can happen to a crowd. */
export type CrowdStep =
  | "hire"
  | "refusedTitle"
  | "title"
  | "clearTitle"
  | "enable"
  | "disable"
  | "trouble"
  | "noTrouble";

/** The changes that another tool writes to all accounts that it finds. */
export type OtherTool = "titles" | "reactivates" | "removesManagers";

export interface History {
  readonly manners: Manners;
  /** This many of one kind may pass in a day without a release; `null` for a guard that holds nothing. */
  readonly guard: { readonly what: Guarded; readonly most: number } | null;
  readonly drift: "correct" | "report";
  /** A first run and each new configuration are tried on a few people first. Default: they are not. */
  readonly canary?: HistoryCanary;
  /** Lost links are limited as by default. Default: any number may be removed. */
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
  /** If a process dies, the machine has lost its power. Default: it goes on. */
  readonly losesPower?: boolean;
  /** People who exist from the beginning, and what happens to the first cycle. */
  readonly founders: number;
  /** The most people that it may have. Default: `mostPeople`. */
  readonly people?: number;
  readonly founding: Fate;
  readonly steps: readonly Step[];
}

/** The most people in a history, unless its family says otherwise. */
export const mostPeople = 6;

/** The configuration at the start of a history. */
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

/** The configuration once there are no more faults. */
export function finalConfigurationOf(history: History): Configuration {
  return { ...configurationOf(history), drift: "correct" };
}

/** The fates of the cycles of a history, and of its looks for leavers. */
export function fatesOf({ founding, steps }: History): readonly Fate[] {
  return [
    founding,
    ...steps.flatMap((step) => {
      if (step.do === "together") return [step.cycle, step.lane];
      if (step.do === "watch") return [step.look, step.cycle];
      return step.do === "cycle" || step.do === "lane" ? [step.fate] : [];
    }),
  ];
}

/** One line for each step, for readers. */
export function describeHistory(history: History): string {
  const { steps, ...rest } = history;
  return [JSON.stringify(rest), ...steps.map((step, index) => `${index + 1}. ${describeStep(step)}`)].join(
    "\n",
  );
}

function describeStep(step: Step): string {
  if (step.do === "lane") return describeFate("look for leavers", step);
  if (step.do === "watch") {
    const { look, ask, cycle, during } = step;
    return [
      describeFate("look for leavers", { fate: look, during: null }),
      describeFate("ask who was removed", { fate: ask, during: null }),
      describeFate("if somebody may have left the scope, a cycle", { fate: cycle, during }),
    ].join(" / ");
  }
  if (step.do !== "cycle") {
    const { do: what, ...details } = step;
    return `${what} ${JSON.stringify(details)}`;
  }
  const { kind, only, dryRun } = step;
  const whose = only === null ? "" : ` of person ${only} alone`;
  return describeFate(`${dryRun ? "dry run of a " : ""}cycle ${kind}${whose}`, step);
}

function describeFate(
  what: string,
  { fate: befalls, during }: { readonly fate: Fate; readonly during: During },
): string {
  const parts = [
    what,
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
