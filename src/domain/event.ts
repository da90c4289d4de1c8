import type { Actor } from "./actor.ts";

/** A change of state that people are notified of once, not in every cycle. Times are milliseconds since the epoch. */
export type StateEvent =
  | {
      readonly kind: "guardHeld";
      readonly planId: string;
      readonly reasons: readonly string[];
      /** The cost inside Lattice, in sentences. */
      readonly notes?: readonly string[];
      /** Operations that wait for a release. */
      readonly operations: number;
    }
  /** The guard holds nothing any more: released, rejected, or no longer due. */
  | { readonly kind: "guardCleared"; readonly planId: string }
  /** A person decided about what the guard held of this plan. In numbers of people. */
  | {
      readonly kind: "heldDecided";
      readonly planId: string;
      readonly by: Actor;
      readonly reason: string | null;
      readonly released: number;
      readonly rejected: number;
      /** People whose rejections were undone. */
      readonly undone: number;
    }
  | {
      readonly kind: "quarantineEntered";
      readonly reason: string;
      readonly nextProbeAt: number;
      /** The cycle, if operations of a cycle failed. */
      readonly cycleId?: number;
    }
  | { readonly kind: "quarantineLeft"; readonly since: number }
  /** People who began to fail and people who no longer fail, gathered over a day. */
  | {
      readonly kind: "failureDigest";
      readonly began: number;
      readonly recovered: number;
      /** People who began to fail and recovered since the last digest; counted in neither of the other two numbers. */
      readonly passing: number;
      /** The first hundred of each. */
      readonly people: {
        readonly began: readonly FailingPerson[];
        readonly recovered: readonly FailingPerson[];
      };
    }
  | {
      readonly kind: "credentialExpiring";
      readonly credential: CredentialKind;
      /** Which credential, if there are several: its name in Entra, or the file. */
      readonly name: string;
      readonly expiresAt: number;
      readonly expired: boolean;
    }
  | { readonly kind: "noGoodCycle"; readonly since: number; readonly lastError: string | null }
  | { readonly kind: "goodCycleAgain"; readonly since: number }
  /** A person paused sending. `until`: when it ends by itself; `null` if a person ends it. */
  | {
      readonly kind: "sendingPaused";
      readonly by: Actor;
      readonly reason: string;
      readonly until: number | null;
      /** People who are disabled or deleted are not deactivated either. */
      readonly leaversToo: boolean;
    }
  /** A person protected an account: nothing is sent to it from then on. */
  | {
      readonly kind: "accountProtected";
      readonly latticeId: string;
      readonly userName: string;
      readonly by: Actor;
      readonly reason: string;
    }
  /** A person ended the protection of an account. */
  | {
      readonly kind: "accountUnprotected";
      readonly latticeId: string;
      readonly userName: string;
      readonly by: Actor;
      readonly reason: string;
      /** When it was protected. */
      readonly since: number;
    }
  /** A person decided that an account is a user's: the next cycle links them. */
  | {
      readonly kind: "accountLinked";
      readonly objectId: string;
      readonly latticeId: string;
      readonly by: Actor;
      readonly reason: string;
    }
  /** A person decided that an account is not a user's: they are not linked any more, nor again by matching. */
  | {
      readonly kind: "accountUnlinked";
      readonly objectId: string;
      readonly latticeId: string;
      readonly by: Actor;
      readonly reason: string;
    }
  /** Active accounts have appeared that are nobody's: no user of the directory has them. */
  | {
      readonly kind: "nobodysAccounts";
      readonly count: number;
      /** The first twenty. */
      readonly accounts: readonly { readonly latticeId: string; readonly userName: string }[];
    }
  /** A new configuration, or a first run, is tried on a few people; the other operations of the plan wait. */
  | {
      readonly kind: "canaryBegun";
      readonly planId: string;
      readonly cause: CanaryCause;
      /** The number of people on whom it is tried. */
      readonly people: number;
      /** Operations that wait. */
      readonly operations: number;
      /** How long it lasts if it goes well, milliseconds; `null` if a person releases it. */
      readonly afterMs: number | null;
    }
  /** Enough was written for the people of the canary, and not too many failed. `sent`: the others are sent from now on. */
  | {
      readonly kind: "canaryPassed";
      readonly planId: string;
      /** In people. */
      readonly done: number;
      readonly failed: number;
      readonly sent: boolean;
      /** When the others are sent, if it goes on well; `null` if a person releases them. */
      readonly goesOnAt: number | null;
    }
  /** More people of the canary failed than are allowed: the others wait until a person decides. */
  | {
      readonly kind: "canaryFailed";
      readonly planId: string;
      readonly done: number;
      readonly failed: number;
      readonly maxFailures: number;
    }
  /** Sending goes on: a person resumed it, or (`by` is `null`) the pause ended by itself. */
  | {
      readonly kind: "sendingResumed";
      readonly since: number;
      readonly by: Actor | null;
      readonly reason: string | null;
    };

/** Why a canary began. `requested`: by a person, with the configuration that is in force. */
export type CanaryCause = "firstRun" | "configuration" | "requested";

/** Every kind of event, in the order of their description. */
export const eventKinds = [
  "guardHeld",
  "guardCleared",
  "heldDecided",
  "quarantineEntered",
  "quarantineLeft",
  "failureDigest",
  "credentialExpiring",
  "noGoodCycle",
  "goodCycleAgain",
  "sendingPaused",
  "sendingResumed",
  "accountProtected",
  "accountUnprotected",
  "accountLinked",
  "accountUnlinked",
  "nobodysAccounts",
  "canaryBegun",
  "canaryPassed",
  "canaryFailed",
] as const satisfies readonly StateEvent["kind"][];

export type EventKind = StateEvent["kind"];

export interface FailingPerson {
  readonly objectId: string;
  /** `null` if the person is no longer in the last known data of Entra. */
  readonly userName: string | null;
  /** When the person began to fail. */
  readonly since: number;
  /** Of the error class, such as `ALREADY_EXISTS`. */
  readonly code: string;
  /** The failure, in a sentence that may quote values of the person. */
  readonly message: string;
}

export type CredentialKind = "clientSecret" | "certificate" | "latticeToken";

/** When a credential expires, if known. */
export interface CredentialExpiry {
  readonly credential: CredentialKind;
  /** Distinguishes the credential from its successor. */
  readonly id: string;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** An event, kept until every receiver has it. */
export interface KeptEvent {
  /** Unique; the same each time the event is sent. */
  readonly id: string;
  /** When it happened, milliseconds since the epoch. */
  readonly at: number;
  readonly event: StateEvent;
}

/** An event on its way to one receiver. */
export interface Delivery {
  readonly kept: KeptEvent;
  readonly receiver: string;
  /** Attempts that failed. */
  readonly attempts: number;
}

/** A person began to fail, or no longer fails. */
export interface FailureChange extends FailingPerson {
  /** Grows with time. */
  readonly id: number;
  readonly change: "began" | "recovered";
}
