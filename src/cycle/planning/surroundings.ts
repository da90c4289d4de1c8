import type { StateStore } from "../../domain/state/store.ts";
import type { Environment } from "../../mapping/language/functions/definition.ts";
import type { KnownManagers } from "./manager-ring.ts";
import type { Namesakes } from "./namesakes.ts";
import type { PlanSettings } from "./plan-input.ts";

/** What people are planned with, next to what is known of each. */
export interface Surroundings {
  readonly store: Pick<
    StateStore,
    "sharing" | "matches" | "nameHolders" | "identitiesOf" | "managerIds" | "candidates"
  >;
  readonly settings: PlanSettings;
  readonly everyoneInScope: boolean;
  readonly environment: Environment;
  /** People who wait for a retry are planned as if they did not. */
  readonly ignoreRetrySchedule: boolean;
  /** People to whom is sent again what their accounts keep otherwise. Default: nobody. */
  readonly triesAgain?: ReadonlySet<string>;
  /** People whose leaving was not confirmed, and why. Default: none. */
  readonly unconfirmed?: ReadonlyMap<string, string>;
  /** The directory was read for these people alone: of others whom the picture does not have nothing is known. */
  readonly partial?: boolean;
  /** Asked only whether these people get an account: nothing is worked out of their managers. */
  readonly expecting?: boolean;
  /** Remembers shared userNames over the pages of one plan. Default: looked up for these people alone. */
  readonly namesakes?: Namesakes | undefined;
  /** Remembers managers over the pages of one plan. Default: looked up for these people alone. */
  readonly knownManagers?: KnownManagers | undefined;
}
