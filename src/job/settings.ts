import { createHash, createHmac } from "node:crypto";
import type { EntraSettings, LatticeSettings } from "../config/require.ts";
import type { Config } from "../config/schema.ts";
import type { ExplainSettings } from "../cycle/person/explain-settings.ts";
import type { PlanSettings } from "../cycle/planning/plan-input.ts";
import type { CycleSettings } from "../cycle/ports/settings.ts";
import type { Mapping } from "../mapping/rules/mapping.ts";
import { type EmbeddedEnds, sandboxScope } from "./rehearsal.ts";

// Turns the configuration into the engine's settings. Only this file reads these keys for the engine.

const defaultIntervalMs = 45 * 60_000;

/** The settings of a cycle. */
export function cycleSettings(
  config: Config,
  mapping: Mapping,
  ends: { readonly entra: Pick<EntraSettings, "tenantId">; readonly lattice: LatticeSettings },
): CycleSettings {
  const { url, token } = ends.lattice;
  return {
    ...planSettings(config, mapping),
    tenantId: ends.entra.tenantId,
    targetIdentity: {
      url,
      keyDigest: (salt) => createHmac("sha256", salt).update(token.reveal()).digest("hex"),
    },
    guard: config.guard,
    canary: canarySettings(config.rollout.canary),
    listing: config.lattice.listing,
    scopeDigest: createHash("sha256").update(scopeIdentity(config.entra.scope)).digest("hex"),
    concurrency: config.lattice.maxConcurrency,
    intervalMs: config.schedule.kind === "every" ? config.schedule.everyMs : defaultIntervalMs,
    retentionMs: config.state.retentionMs,
    maxLogRows: config.state.maxLogRows,
  };
}

function canarySettings({
  people,
  users,
  group,
  goesOn,
}: Config["rollout"]["canary"]): CycleSettings["canary"] {
  return people === null ? null : { people, users, group, goesOn };
}

/** The settings for an explanation of one person. No end needs to be configured. */
export function explainSettings(
  config: Config,
  mapping: Mapping,
  embedded: EmbeddedEnds | undefined,
): ExplainSettings {
  const { guests } = config.entra.scope;
  return { ...planSettings(config, mapping), scope: { ...explainedScope(config, embedded), guests } };
}

function explainedScope(
  config: Config,
  embedded: EmbeddedEnds | undefined,
): Omit<ExplainSettings["scope"], "guests"> {
  if (embedded === "both") {
    const { mode, application, nested } = sandboxScope;
    return { mode, configured: [application], nested };
  }
  const { mode, nested, groups, application = config.entra.clientId } = config.entra.scope;
  const configured = { assigned: application === undefined ? [] : [application], groups, all: [] }[mode];
  return { mode, configured, nested };
}

/** How one person is planned: the same for a cycle and for an explanation. */
export function planSettings(config: Config, mapping: Mapping): PlanSettings {
  const { actions, drift, manager, matching } = config;
  return {
    mapping,
    actions,
    events: { outOfScope: actions.outOfScope, deleted: actions.onDelete, disabled: actions.onDisable },
    drift,
    adoptForeignExternalId: matching.adoptForeignExternalId,
    formerOwner: matching.formerOwner,
    doubtful: matching.doubtful,
    ...protectedByConfiguration({ matching }),
    missingManager: manager.missing,
    managerRings: manager.rings,
    renameRings: matching.renameRings,
  };
}

/** A stable text of the scope. Newer keys are left out at their defaults, so that an upgrade alone raises no alarm. */
function scopeIdentity({ include, exclude, timezone, ...scope }: Config["entra"]["scope"]): string {
  const later = [include, exclude, timezone === "UTC" ? [] : [timezone]];
  return JSON.stringify(later.every((list) => list.length === 0) ? scope : [scope, ...later]);
}

/** The accounts that the configuration protects. */
export function protectedByConfiguration({
  matching,
}: Pick<Config, "matching">): Pick<PlanSettings, "protectedAccounts"> {
  return { protectedAccounts: new Set(matching.protected.map((name) => name.toLowerCase())) };
}
