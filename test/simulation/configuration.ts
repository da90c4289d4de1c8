import type { EventActions } from "../../src/cycle/ports/settings.ts";

/** The configuration of the scope and of the leaving events. */
export interface Rules {
  readonly events: EventActions;
  /** No person is in scope before the first day. */
  readonly byDate: boolean;
}

/** A person who has left is deactivated at once, and dates do not matter. */
export const plainRules: Rules = {
  events: {
    outOfScope: { do: "deactivate", afterMs: 0 },
    deleted: { do: "deactivate", afterMs: 0 },
    disabled: { do: "deactivate", afterMs: 0 },
  },
  byDate: false,
};

/** The settings that a history may change while it runs. */
export interface Configuration {
  readonly rules: Rules;
  readonly drift: "correct" | "report";
  readonly actions: { readonly create: boolean; readonly update: boolean; readonly deactivate: boolean };
  readonly titleIsMapped: boolean;
  /** The source of the externalId. It is sent only with a create and an adoption. */
  readonly externalIds: "objectId" | "employeeId";
  /** The attributes by which accounts are found, in order. */
  readonly matching: "userNameFirst" | "externalIdFirst" | "externalIdAlone";
}

export const allActions: Configuration["actions"] = { create: true, update: true, deactivate: true };
