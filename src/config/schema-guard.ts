import { z } from "zod";
import { duration, flag, percent, SECTION_MESSAGE, wholeNumber } from "./fields.ts";

const MINUTE_MS = 60_000;

/** `guard`: what a plan may do without a person's leave. Each kind of change has the same three keys where they apply. */
export const guardSchema = z
  .strictObject(
    {
      enabled: flag().prefault(true).describe("Whether a plan beyond these limits waits for a release."),
      maxDeactivations: wholeNumber(0).prefault(50).describe("Deactivations in the window, at most."),
      maxDeactivationPercent: percent()
        .prefault(10)
        .describe("Deactivations in the window as a share of the active accounts, at most."),
      deactivationFloor: wholeNumber(0)
        .prefault(3)
        .describe("Up to this many deactivations always pass the percentage."),
      maxReactivations: wholeNumber(0).prefault(50).describe("Reactivations in the window, at most."),
      maxReactivationPercent: percent()
        .prefault(10)
        .describe("Reactivations in the window as a share of the active accounts, at most."),
      reactivationFloor: wholeNumber(0)
        .prefault(3)
        .describe("Up to this many reactivations always pass the percentage."),
      maxCreates: wholeNumber(0)
        .nullable()
        .prefault(null)
        .describe("New accounts in the window, at most; null for any number. A first run is not limited."),
      maxCreatePercent: percent()
        .prefault(25)
        .describe(
          "New accounts in the window as a share of the linked accounts, at most. A first run is not limited.",
        ),
      createFloor: wholeNumber(0)
        .prefault(25)
        .describe("Up to this many new accounts always pass the percentage."),
      maxLinks: wholeNumber(0)
        .nullable()
        .prefault(null)
        .describe(
          "Existing accounts that are linked in the window, at most; null for any number. A first run is not limited.",
        ),
      maxLinkPercent: percent()
        .prefault(25)
        .describe(
          "Existing accounts that are linked in the window as a share of the linked accounts, at most. A first run is not limited.",
        ),
      linkFloor: wholeNumber(0).prefault(25).describe("Up to this many links always pass the percentage."),
      maxDoubtfulLinks: wholeNumber(0)
        .prefault(0)
        .describe(
          "Links in the window to accounts whose other values tell of another person, at most; in a first run too.",
        ),
      maxLostLinks: wholeNumber(0)
        .prefault(50)
        .describe("Linked accounts that Lattice no longer has, in the window, at most."),
      maxLostLinkPercent: percent()
        .prefault(10)
        .describe("Linked accounts that Lattice no longer has as a share of the linked accounts, at most."),
      lostLinkFloor: wholeNumber(0)
        .prefault(3)
        .describe("Up to this many lost links always pass the percentage."),
      maxClearsPercent: percent()
        .prefault(20)
        .describe("Share of the accounts for which one attribute may be cleared, at most."),
      clearFloor: wholeNumber(0)
        .prefault(10)
        .describe("Up to this many clears of one attribute always pass the percentage."),
      maxReplacementPercent: percent()
        .prefault(20)
        .describe(
          "Share of the accounts for which one attribute may get another value in the window, at most.",
        ),
      replacementFloor: wholeNumber(0)
        .prefault(10)
        .describe("Up to this many replacements of one attribute always pass the percentage."),
      maxRenames: wholeNumber(0).prefault(50).describe("Changes of userName in the window, at most."),
      maxRenamePercent: percent()
        .prefault(10)
        .describe("Changes of userName in the window as a share of the active accounts, at most."),
      renameFloor: wholeNumber(0)
        .prefault(3)
        .describe("Up to this many changes of userName always pass the percentage."),
      maxManagerChanges: wholeNumber(0)
        .prefault(200)
        .describe("People who lose their manager or get another in the window, at most."),
      maxManagerChangePercent: percent()
        .prefault(20)
        .describe(
          "People who lose their manager or get another in the window as a share of the accounts with a manager, at most.",
        ),
      managerChangeFloor: wholeNumber(0)
        .prefault(10)
        .describe("Up to this many changes of manager always pass the percentage."),
      maxEmailChanges: wholeNumber(0)
        .prefault(50)
        .describe("Changes of an account's e-mail address in the window, at most."),
      maxEmailChangePercent: percent()
        .prefault(10)
        .describe("Changes of e-mail addresses in the window as a share of the active accounts, at most."),
      emailChangeFloor: wholeNumber(0)
        .prefault(3)
        .describe("Up to this many changes of e-mail addresses always pass the percentage."),
      window: duration({ minimumMs: MINUTE_MS })
        .prefault("24h")
        .describe("Time over which is counted, so that a slow leak is met as well."),
    },
    { error: SECTION_MESSAGE },
  )
  .transform(({ window, ...guard }) => ({ ...guard, windowMs: window }));
