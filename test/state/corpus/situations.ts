import type { JsonObject } from "../../../src/domain/json.ts";
import type { TargetUser } from "../../../src/domain/target.ts";

/**
 * `company`: a held plan, a rejection, a delayed deactivation, people on the retry schedule, values that Lattice keeps in
 * another form and that were edited by hand, and a run that was killed while it was sending. `firstRun`: the first run,
 * killed halfway. `decisions`: what people have decided, and what is under way because of it: a canary, a protected account, an unlinked one, a pause
 * of sending, and a run that was killed as it deactivated a leaver in the pause.
 */
export const situations = ["company", "firstRun", "decisions"] as const;
export type Situation = (typeof situations)[number];

export interface Person {
  readonly objectId: string;
  readonly attributes: JsonObject;
  readonly managerId: string | null;
}

/** Entra and Lattice when the run was killed, and what its version could do. */
export interface Ends {
  /** The clock, milliseconds since the epoch. */
  readonly now: number;
  readonly scope: readonly string[];
  readonly people: readonly Person[];
  readonly accounts: readonly TargetUser[];
  /** The version knows delayed deactivations: `dora`'s is due a week after she left the scope. */
  readonly delays: boolean;
  /** The version knows rejections: `rita`'s deactivation is rejected. */
  readonly rejects: boolean;
  /** The version knows drift: `lars`'s title was edited by hand. */
  readonly drift: boolean;
}

function person(objectId: string, displayName: string, jobTitle: string): Person {
  return { objectId, attributes: { displayName, jobTitle }, managerId: objectId === "mara" ? null : "mara" };
}

/** The company of all situations, in the order in which it was hired. Everybody reports to `mara`. */
export const cast: readonly Person[] = [
  person("mara", "Mara Hill", "Director"),
  person("anna", "Anna Brook", "Clerk"),
  person("bela", "Bela Ford", "Clerk"),
  person("dora", "Dora Field", "Clerk"),
  person("ines", "Ines Lake", "Clerk"),
  person("karl", "Karl Stone", "Clerk"),
  person("kurt", "Kurt Wood", "Driver"),
  person("lars", "Lars Mill", "Baker"),
  person("nina", "Nina Marsh", "Nurse"),
  person("otto", "Otto Ridge", "Clerk"),
  person("paul", "Paul Dale", "Clerk"),
  person("rita", "Rita Glen", "Clerk"),
  person("udo", "Udo Heath", "Clerk"),
];

/** People who were disabled, more at once than `limit` allows. */
export const leavers = ["ines", "otto", "paul"] as const;
/** Disabled together with them; a version that knows rejections had this deactivation rejected. */
export const rejected = "rita";

/** The guard's limits in these situations, besides a version's own lenient limits. */
export const limit = { maxDeactivations: 1, deactivationFloor: 1 } as const;
/** The situation `decisions`: on whom the new title is tried, whose account is protected, who is unlinked, and who is disabled in the pause. */
export const decided = {
  triedOn: ["dora", "lars"],
  protected: "anna",
  unlinked: "bela",
  left: "otto",
  title: "Colleague",
} as const;

/** The delay of a deactivation after the scope was left, in milliseconds. */
export const delayMs = 7 * 24 * 3_600_000;
