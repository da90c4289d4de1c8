import { z } from "zod";
import { duration, flag, percent, sectionMessage, wholeNumber } from "./fields.ts";

const minuteMs = 60_000;

/** `guard`: what a plan may do without a release by a person. Each kind of change has the same three keys, as far as they apply. */
export const guardSchema = z
  .strictObject(
    {
      enabled: flag()
        .prefault(true)
        .describe("Whether a plan that exceeds one of these limits waits until a person releases it."),
      maxDeactivations: wholeNumber(0).prefault(50).describe("Most deactivations in the window."),
      maxDeactivationPercent: percent()
        .prefault(10)
        .describe("Most deactivations in the window, as a share of the active accounts."),
      deactivationFloor: wholeNumber(0)
        .prefault(3)
        .describe("Up to this many deactivations are always allowed, whatever the percentage."),
      maxReactivations: wholeNumber(0).prefault(50).describe("Most reactivations in the window."),
      maxReactivationPercent: percent()
        .prefault(10)
        .describe("Most reactivations in the window, as a share of the active accounts."),
      reactivationFloor: wholeNumber(0)
        .prefault(3)
        .describe("Up to this many reactivations are always allowed, whatever the percentage."),
      maxCreates: wholeNumber(0)
        .nullable()
        .prefault(null)
        .describe("Most new accounts in the window; null for no limit. A first run is not limited."),
      maxCreatePercent: percent()
        .prefault(25)
        .describe(
          "Most new accounts in the window, as a share of the linked accounts. A first run is not limited.",
        ),
      createFloor: wholeNumber(0)
        .prefault(25)
        .describe("Up to this many new accounts are always allowed, whatever the percentage."),
      maxLinks: wholeNumber(0)
        .nullable()
        .prefault(null)
        .describe(
          "Most existing accounts that are linked in the window; null for no limit. A first run is not limited.",
        ),
      maxLinkPercent: percent()
        .prefault(25)
        .describe(
          "Most existing accounts that are linked in the window, as a share of the linked accounts. A first run is not limited.",
        ),
      linkFloor: wholeNumber(0)
        .prefault(25)
        .describe("Up to this many links are always allowed, whatever the percentage."),
      maxDoubtfulLinks: wholeNumber(0)
        .prefault(0)
        .describe(
          "Most links in the window to accounts whose other values point to another person. A first run is limited too.",
        ),
      maxLostLinks: wholeNumber(0)
        .prefault(50)
        .describe("Most linked accounts in the window that Lattice no longer has."),
      maxLostLinkPercent: percent()
        .prefault(10)
        .describe(
          "Most linked accounts in the window that Lattice no longer has, as a share of the linked accounts.",
        ),
      lostLinkFloor: wholeNumber(0)
        .prefault(3)
        .describe("Up to this many lost links are always allowed, whatever the percentage."),
      maxClearsPercent: percent()
        .prefault(20)
        .describe("Largest share of the accounts that may lose the value of one attribute."),
      clearFloor: wholeNumber(0)
        .prefault(10)
        .describe("Up to this many clears of one attribute are always allowed, whatever the percentage."),
      maxReplacementPercent: percent()
        .prefault(20)
        .describe(
          "Largest share of the accounts in which the value of one attribute may be replaced in the window.",
        ),
      replacementFloor: wholeNumber(0)
        .prefault(10)
        .describe(
          "Up to this many replacements of one attribute are always allowed, whatever the percentage.",
        ),
      maxRenames: wholeNumber(0).prefault(50).describe("Most changes of userName in the window."),
      maxRenamePercent: percent()
        .prefault(10)
        .describe("Most changes of userName in the window, as a share of the active accounts."),
      renameFloor: wholeNumber(0)
        .prefault(3)
        .describe("Up to this many changes of userName are always allowed, whatever the percentage."),
      maxManagerChanges: wholeNumber(0)
        .prefault(200)
        .describe("Most people who lose their manager or get another one in the window."),
      maxManagerChangePercent: percent()
        .prefault(20)
        .describe(
          "Most people who lose their manager or get another one in the window, as a share of the accounts with a manager.",
        ),
      managerChangeFloor: wholeNumber(0)
        .prefault(10)
        .describe("Up to this many changes of manager are always allowed, whatever the percentage."),
      maxEmailChanges: wholeNumber(0)
        .prefault(50)
        .describe("Most changes of e-mail addresses in the window."),
      maxEmailChangePercent: percent()
        .prefault(10)
        .describe("Most changes of e-mail addresses in the window, as a share of the active accounts."),
      emailChangeFloor: wholeNumber(0)
        .prefault(3)
        .describe("Up to this many changes of e-mail addresses are always allowed, whatever the percentage."),
      window: duration({ minimumMs: minuteMs })
        .prefault("24h")
        .describe(
          "Period over which the guard counts, so that many small cycles cannot slip past the limits.",
        ),
    },
    { error: sectionMessage },
  )
  .transform(({ window, ...guard }) => ({ ...guard, windowMs: window }));
