import type { StateStore } from "../../domain/state/store.ts";
import type { Environment } from "../../mapping/language/functions/definition.ts";
import type { KnownManagers } from "./manager-ring.ts";
import type { Namesakes } from "./namesakes.ts";
import type { PlanSettings } from "./plan-input.ts";

/** Everything that planning needs apart from the people themselves. */
export interface Surroundings {
  readonly store: Pick<
    StateStore,
    | "sharing"
    | "matches"
    | "nameHolders"
    | "identitiesOf"
    | "managerIds"
    | "candidates"
    | "protections"
    | "linkDecisions"
  >;
  /** Without what people have decided (`protections`, `linkDecisions`), planning reads it. */
  readonly settings: PlanSettings;
  readonly everyoneInScope: boolean;
  readonly environment: Environment;
  /** People on the retry schedule are planned as if they did not wait. */
  readonly ignoreRetrySchedule: boolean;
  /** People whose values are sent again if Lattice keeps others than were sent. Default: none. */
  readonly triesAgain?: ReadonlySet<string>;
  /** People whose leaving was not confirmed, and why. Default: none. */
  readonly unconfirmed?: ReadonlyMap<string, string>;
  /** The directory was read for these people only. So nothing is known of other people who are not in the stored data. */
  readonly partial?: boolean;
  /** It is only asked whether these people get an account. Their managers are not worked out. */
  readonly expecting?: boolean;
  /** Leavers are planned as if the userNames of their accounts were needed. */
  readonly asIfNeeded?: boolean;
  /** UserNames, in lower case, that this plan gives to leavers' accounts, as far as it is made. Default: none. */
  readonly namesGiven?: ReadonlySet<string> | undefined;
  /** Remembers shared userNames for all pages of one plan. Default: they are looked up for these people only. */
  readonly namesakes?: Namesakes | undefined;
  /** Remembers managers for all pages of one plan. Default: they are looked up for these people only. */
  readonly knownManagers?: KnownManagers | undefined;
}
