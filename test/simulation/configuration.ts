import type { EventActions } from "../../src/cycle/ports/settings.ts";

/** What is configured of who is in scope and of who goes. */
export interface Rules {
  readonly events: EventActions;
  /** Nobody is in scope before the first day. */
  readonly byDate: boolean;
}

/** Whoever is gone is deactivated at once, and dates are nobody's concern. */
export const plainRules: Rules = {
  events: {
    outOfScope: { do: "deactivate", afterMs: 0 },
    deleted: { do: "deactivate", afterMs: 0 },
    disabled: { do: "deactivate", afterMs: 0 },
  },
  byDate: false,
};

/** What a history may set otherwise while it goes on. */
export interface Configuration {
  readonly rules: Rules;
  readonly drift: "correct" | "report";
  readonly actions: { readonly create: boolean; readonly update: boolean; readonly deactivate: boolean };
  readonly titleIsMapped: boolean;
  /** What the externalId is mapped from; it is sent with a create and an adoption alone. */
  readonly externalIds: "objectId" | "employeeId";
  /** By what accounts are found, and in which order. */
  readonly matching: "userNameFirst" | "externalIdFirst" | "externalIdAlone";
}

export const allActions: Configuration["actions"] = { create: true, update: true, deactivate: true };
