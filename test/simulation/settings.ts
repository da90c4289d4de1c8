import type { CanarySettings, CycleSettings } from "../../src/cycle/ports/settings.ts";
import { type Mapping, parseMapping } from "../../src/mapping/rules/mapping.ts";
import { parseScopingFilters } from "../../src/mapping/rules/scoping-filter.ts";
import { managerPath } from "../../src/mapping/rules/target-attributes.ts";
import type { Configuration } from "./configuration.ts";
import type { History } from "./history.ts";
import type { Guarded } from "./manners.ts";
import { goesOnAfterMs, type HistoryCanary } from "./trial.ts";

const hourMs = 3_600_000;

/** The regular time between two cycles. */
export const intervalMs = 45 * 60_000;

const mappings = new Map<string, Mapping>();

function mappingOf({
  rules: { byDate, events },
  titleIsMapped,
  matching,
  actions,
  externalIds,
}: Configuration): Mapping {
  // Like the program's digest of everything that a plan depends on, except drift, so that reporting drift causes no full cycle.
  const digestOf = [byDate, events, actions];
  const key = JSON.stringify([digestOf, titleIsMapped, matching, externalIds]);
  const known = mappings.get(key);
  if (known !== undefined) return known;
  const precedence = {
    userNameFirst: { userName: 1, externalId: 2 },
    externalIdFirst: { userName: 2, externalId: 1 },
    externalIdAlone: { userName: undefined, externalId: 1 },
  }[matching];
  const rules = [
    {
      target: "userName",
      source: "userPrincipalName",
      ...(precedence.userName === undefined ? {} : { matchingPrecedence: precedence.userName }),
    },
    {
      target: "externalId",
      source: externalIds,
      matchingPrecedence: precedence.externalId,
      apply: "onCreate",
    },
    { target: "active", expression: 'Switch([IsSoftDeleted], , "False", "True", "True", "False")' },
    ...(titleIsMapped ? [{ target: "title", source: "jobTitle" }] : []),
    { target: managerPath, source: "manager" },
  ];
  const filters = byDate ? [{ clauses: [{ attribute: "employeeHireDate", operator: "IN THE PAST" }] }] : [];
  const made = parseMapping(rules, {
    origin: "simulation",
    onNull: "clear",
    filters: parseScopingFilters(filters, { guests: true }),
    digestOf,
  });
  mappings.set(key, made);
  return made;
}

/** Settings that the histories do not vary. */
const unlimited = {
  maxReactivations: 1_000,
  maxReactivationPercent: 100,
  reactivationFloor: 1_000,
  maxCreates: null,
  maxCreatePercent: 100,
  createFloor: 1_000,
  maxLinks: null,
  maxLinkPercent: 100,
  linkFloor: 1_000,
  maxDoubtfulLinks: 1_000,
  maxLostLinks: 1_000,
  maxLostLinkPercent: 100,
  lostLinkFloor: 1_000,
  maxReplacementPercent: 100,
  replacementFloor: 1_000,
  maxManagerChanges: 1_000,
  maxManagerChangePercent: 100,
  managerChangeFloor: 1_000,
  maxEmailChanges: 1_000,
  maxEmailChangePercent: 100,
  emailChangeFloor: 1_000,
} as const;

/** The default. */
const limitedLosses = { maxLostLinks: 50, maxLostLinkPercent: 10, lostLinkFloor: 3 } as const;

export function settingsOf(
  {
    guard,
    concurrency,
    renameRings,
    limitsLostLinks,
    managerRings,
    canary,
  }: Pick<History, "canary" | "guard" | "concurrency" | "renameRings" | "limitsLostLinks" | "managerRings">,
  configuration: Configuration,
): CycleSettings {
  const limit = (what: Guarded): number => (guard?.what === what ? guard.most : 1_000);
  return {
    mapping: mappingOf(configuration),
    tenantId: "tenant",
    actions: configuration.actions,
    events: configuration.rules.events,
    drift: configuration.drift,
    scopeDigest: "scope",
    canary: canarySettingsOf(canary),
    guard: {
      enabled: true,
      maxDeactivations: limit("deactivations"),
      maxDeactivationPercent: 100,
      deactivationFloor: limit("deactivations"),
      maxRenames: limit("renames"),
      maxRenamePercent: 100,
      renameFloor: limit("renames"),
      maxClearsPercent: 0,
      clearFloor: limit("clears"),
      ...unlimited,
      ...(limitsLostLinks === true ? limitedLosses : {}),
      windowMs: 24 * hourMs,
    },
    targetIdentity: { url: "https://lattice.example.com/scim/v2", keyDigest: () => "the-key" },
    listing: "strict",
    adoptForeignExternalId: false,
    formerOwner: "report",
    doubtful: "hold",
    protectedAccounts: new Set(),
    missingManager: "clear",
    managerRings: managerRings ?? "send",
    renameRings: renameRings ?? "report",
    concurrency,
    intervalMs,
    retentionMs: 30 * 24 * hourMs,
    maxLogRows: null,
  };
}

function canarySettingsOf(canary: HistoryCanary | undefined): CanarySettings | null {
  if (canary === undefined) return null;
  const { people, goesOn, group } = canary;
  return {
    people,
    users: [],
    group: group === true ? "tryout" : null,
    goesOn: goesOn ? { afterMs: goesOnAfterMs, maxFailures: 0 } : null,
  };
}
