import type fc from "fast-check";
import type { History } from "./history.ts";
import { names, passedOnNames } from "./names.ts";
import { reportingLines } from "./reporting-lines.ts";
import { histories, inDueTime, lostDatabases } from "./steps.ts";
import { anotherCompany, hidingAccount, lyingNotFound, oddAnswers } from "./steps-of-answers.ts";
import { canaries } from "./steps-of-canaries.ts";
import { clocks } from "./steps-of-clocks.ts";
import { missingProperties, scopeGroups } from "./steps-of-directory.ts";
import { sharedExternalIds } from "./steps-of-ids.ts";
import { leaverLane, scopeLeavers } from "./steps-of-leavers.ts";
import { canaryGroups, orders } from "./steps-of-orders.ts";
import {
  accountDecisions,
  changingSettings,
  changingStrangers,
  matchingOrders,
  secondOwner,
} from "./steps-of-others.ts";
import { releases } from "./steps-of-releases.ts";
import { reverts } from "./steps-of-reverts.ts";
import {
  manyPeople,
  noSeats,
  oneBadRecord,
  powerCuts,
  refusedCrowd,
  refusingStore,
  schedule,
} from "./steps-of-trouble.ts";

import { twoRuns } from "./steps-of-two-runs.ts";

/** Families of histories. The test, the script and the documents use this list. */
export interface Family {
  /** The name for `npm run simulate -- --family`. */
  readonly name: string;
  /** The events in them, for readers of the list. */
  readonly about: string;
  readonly histories: fc.Arbitrary<History>;
  /** The number of histories that `npm test` plays. They are always the same, so that a result does not depend on chance. */
  readonly runs: number;
}

export const families: readonly Family[] = [
  {
    name: "everyday",
    about: "edits, faults of either end, deaths, decisions about what is held",
    histories,
    runs: 500,
  },
  {
    name: "power-cuts",
    about: "the machine loses its power, and with it the pages and plans that need not be on the disk",
    histories: powerCuts,
    runs: 120,
  },
  {
    name: "leaver-lane",
    about: "leavers are looked for between cycles, some of which are killed, as are some of the looks",
    histories: leaverLane,
    runs: 200,
  },
  {
    name: "releases",
    about: "what is held is released or rejected, and the same people leave in another way, or leave again",
    histories: releases,
    runs: 120,
  },
  {
    name: "in-due-time",
    about: "delays, ignored events, and first days that come and are put off",
    histories: inDueTime,
    runs: 100,
  },
  {
    name: "lost-database",
    about: "the database is lost, now and then in the middle of things",
    histories: lostDatabases,
    runs: 100,
  },
  {
    name: "names",
    about: "people get one another's userNames, in rows and in rings, and the rings are reported or broken",
    histories: names,
    runs: 200,
  },
  {
    name: "passed-on-names",
    about:
      "new people get the userNames of people whose names change, and accounts are matched by externalId alone",
    histories: passedOnNames,
    runs: 100,
  },
  {
    name: "reporting-lines",
    about:
      "Lattice takes people who are switched off out of the reporting lines by itself, and may not take them as managers",
    histories: reportingLines,
    runs: 100,
  },
  {
    name: "one-bad-record",
    about: "the record of one or two people answers every request with a fault",
    histories: oneBadRecord,
    runs: 80,
  },
  {
    name: "lying-404",
    about: "the accounts of some people answer 404 for a while although they are there",
    histories: lyingNotFound,
    runs: 60,
  },
  {
    name: "hiding-account",
    about: "accounts are missing from lists, searches and reads for hours or days, and come back",
    histories: hidingAccount,
    runs: 60,
  },
  {
    name: "another-company",
    about: "the address answers as another Lattice company for some cycles, to a new key or to the same",
    histories: anotherCompany,
    runs: 60,
  },
  {
    name: "odd-answers",
    about: "answers to writes and reads show an account as it was, less than the account, or another one",
    histories: oddAnswers,
    runs: 120,
  },
  {
    name: "refused-crowd",
    about: "titles of many are refused while others come and go, with the daemon's quarantine and probes",
    histories: refusedCrowd,
    runs: 15,
  },
  {
    name: "no-seats",
    about: "Lattice takes no more accounts until somebody leaves",
    histories: noSeats,
    runs: 40,
  },
  {
    name: "refusing-store",
    about: "the database is locked, or its disk full",
    histories: refusingStore,
    runs: 120,
  },
  {
    name: "schedule",
    about: "the daemon's schedule through outages: sooner tries, quarantine, probes",
    histories: schedule,
    runs: 40,
  },
  {
    name: "many-people",
    about: "more people than a page, a slice or a batch takes",
    histories: manyPeople,
    runs: 4,
  },
  {
    name: "changing-strangers",
    about: "accounts of nobody that are renamed and get externalIds, in each order of matching",
    histories: changingStrangers,
    runs: 120,
  },
  {
    name: "matching-orders",
    about: "accounts are found by the externalId first",
    histories: matchingOrders,
    runs: 100,
  },
  {
    name: "shared-external-ids",
    about:
      "the externalId is an employeeId that people share, change and inherit, and administrators of Lattice swap, remove and give away",
    histories: sharedExternalIds,
    runs: 120,
  },
  {
    name: "changing-settings",
    about: "actions, filters, events, mapping, drift and matching change within a history",
    histories: changingSettings,
    runs: 120,
  },
  {
    name: "account-decisions",
    about: "people protect accounts, unlink them and link them again, while others come and go",
    histories: accountDecisions,
    runs: 200,
  },
  {
    name: "canary",
    about: "a first run and each new configuration are tried on a few people, and the others wait",
    histories: canaries,
    runs: 200,
  },
  {
    name: "canary-group",
    about: "a canary tries on the members of a group, who change, while people pause, protect and decide",
    histories: canaryGroups,
    runs: 200,
  },
  {
    name: "orders",
    about:
      "people pause and resume sending, for leavers too, protect accounts, unlink them and take cycles back, while leavers are looked for and runs die",
    histories: orders,
    runs: 300,
  },
  {
    name: "two-runs",
    about:
      "a cycle and a look for leavers are under way in two processes, in turns; they wait, stand still, die, and take the lease over",
    histories: twoRuns,
    runs: 200,
  },
  {
    name: "second-owner",
    about: "another tool writes to Lattice after each cycle",
    histories: secondOwner,
    runs: 100,
  },
  {
    name: "reverts",
    about: "earlier cycles are taken back, with deaths in the middle, and that is taken back again",
    histories: reverts,
    runs: 150,
  },
  {
    name: "missing-properties",
    about: "Graph's answers lack properties that were asked for, of one person, of some or of everybody",
    histories: missingProperties,
    runs: 120,
  },
  {
    name: "scope-groups",
    about:
      "several groups make up the scope; lists leave members out, people move, groups are emptied and deleted",
    histories: scopeGroups,
    runs: 100,
  },
  {
    name: "scope-leavers",
    about:
      "people leave groups of the scope and are moved, while the daemon asks between cycles who was removed, and begins a cycle at once",
    histories: scopeLeavers,
    runs: 200,
  },
  {
    name: "clocks",
    about: "our machine's clock jumps by an hour, a day or a year, and is set right again",
    histories: clocks,
    runs: 80,
  },
];

/** @throws Error if there is no family of this name */
export function familyOf(name: string): Family {
  const family = families.find((one) => one.name === name);
  if (family === undefined) {
    throw new Error(
      `There is no family "${name}" of histories; there are ${families.map((one) => one.name).join(", ")}.`,
    );
  }
  return family;
}
