import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { parse } from "yaml";
import type { CycleRequest, CycleResult } from "../../src/cycle/course/request.ts";
import { runCycle } from "../../src/cycle/cycle.ts";
import { recordRelease, resolveRelease } from "../../src/cycle/guard/release.ts";
import { type LaneResult, runLeaverLane } from "../../src/cycle/leavers/leaver-lane.ts";
import type { Ports } from "../../src/cycle/ports/ports.ts";
import type { CycleSettings, GuardLimits } from "../../src/cycle/ports/settings.ts";
import type { Actor } from "../../src/domain/actor.ts";
import type { Clock, EndClocks } from "../../src/domain/clock.ts";
import type { StateEvent } from "../../src/domain/event.ts";
import type { Logger } from "../../src/domain/logger.ts";
import type { LoggedOperation } from "../../src/domain/operation.ts";
import type { StateStore } from "../../src/domain/state/store.ts";
import { type Mapping, parseMapping } from "../../src/mapping/rules/mapping.ts";
import { parseScopingFilters, type ScopeLists } from "../../src/mapping/rules/scoping-filter.ts";
import { openStore } from "../../src/state/sqlite/store.ts";
import { tallyFault } from "../state/tally.ts";
import { createMemorySource, type MemorySource } from "./memory-source.ts";
import { createMemoryTarget, type MemoryTarget } from "./memory-target.ts";

/** Limits that a small test company never exceeds. */
export const lenientGuard: GuardLimits = {
  enabled: true,
  maxDeactivations: 50,
  maxDeactivationPercent: 100,
  deactivationFloor: 5,
  maxReactivations: 50,
  maxReactivationPercent: 100,
  reactivationFloor: 5,
  maxCreates: null,
  maxCreatePercent: 100,
  createFloor: 1_000,
  maxLinks: null,
  maxLinkPercent: 100,
  linkFloor: 1_000,
  maxDoubtfulLinks: 1_000,
  maxLostLinks: 50,
  maxLostLinkPercent: 100,
  lostLinkFloor: 5,
  maxClearsPercent: 100,
  clearFloor: 10,
  maxReplacementPercent: 100,
  replacementFloor: 10,
  maxRenames: 50,
  maxRenamePercent: 100,
  renameFloor: 3,
  maxManagerChanges: 200,
  maxManagerChangePercent: 100,
  managerChangeFloor: 10,
  maxEmailChanges: 50,
  maxEmailChangePercent: 100,
  emailChangeFloor: 3,
  windowMs: 24 * 60 * 60_000,
};

export const defaultRules: readonly object[] = parse(
  readFileSync(new URL("../../config/default-mapping.yaml", import.meta.url), "utf8"),
);

export function mappingOf(
  rules: readonly object[] = defaultRules,
  filters: unknown = [],
  lists: Partial<ScopeLists> = {},
): Mapping {
  return parseMapping(rules, {
    origin: "test",
    onNull: "clear",
    filters: parseScopingFilters(filters, { guests: true, ...lists }),
    digestOf: [filters, lists],
  });
}

/** A person who is gone is deactivated at once. */
export const atOnce: CycleSettings["events"] = {
  outOfScope: { do: "deactivate", afterMs: 0 },
  deleted: { do: "deactivate", afterMs: 0 },
  disabled: { do: "deactivate", afterMs: 0 },
};

const defaultSettings: CycleSettings = {
  mapping: mappingOf(),
  tenantId: "tenant-1",
  actions: { create: true, update: true, deactivate: true },
  events: atOnce,
  guard: lenientGuard,
  canary: null,
  drift: "correct",
  scopeDigest: "scope-1",
  targetIdentity: { url: "https://lattice.example.com/scim/v2", keyDigest: () => "the-key" },
  listing: "strict",
  adoptForeignExternalId: false,
  formerOwner: "report",
  doubtful: "hold",
  protectedAccounts: new Set(),
  missingManager: "clear",
  managerRings: "report",
  renameRings: "report",
  concurrency: 4,
  intervalMs: 45 * 60_000,
  retentionMs: 30 * 24 * 3_600_000,
  maxLogRows: null,
};

/** A clock that stands still until it is moved. */
export interface HandClock extends Clock {
  advance(milliseconds: number): void;
}

function createHandClock(start = Date.UTC(2026, 10, 23, 8)): HandClock {
  let now = start;
  return {
    now: () => now,
    sleep: async (milliseconds, signal) => {
      signal?.throwIfAborted();
      now += milliseconds;
    },
    advance: (milliseconds) => {
      now += milliseconds;
    },
  };
}

/** A directory, a Lattice, a clock and a real database file, and cycles between them. */
export interface Workplace extends AsyncDisposable {
  readonly source: MemorySource;
  readonly target: MemoryTarget;
  readonly clock: HandClock;
  readonly path: string;
  /** Log lines at `warn`, as JSON. */
  readonly warnings: string[];
  store: StateStore;
  settings: CycleSettings;
  onEvent: (event: StateEvent) => void;
  /** The clock differences that both ends report. */
  clocks: EndClocks | undefined;
  neighbours: Ports["neighbours"];
  /** Runs a cycle 45 minutes after the one before. */
  cycle(request?: Partial<CycleRequest>): Promise<CycleResult>;
  /** Looks for leavers, five minutes after whatever was before. */
  lane(request?: Partial<CycleRequest>): Promise<LaneResult>;
  /** Closes the database and opens it again, as a new process does. */
  restart(): Promise<void>;
  ports(): Ports;
  operations(cycleId: number): Promise<readonly LoggedOperation[]>;
}

/** @param begin `database`: the file to start with, instead of a new one; `now`: the time of the clock, milliseconds since the epoch */
export async function createWorkplace(
  settings: Partial<CycleSettings> = {},
  begin: { readonly database?: Uint8Array; readonly now?: number } = {},
): Promise<Workplace> {
  const folder = await mkdtemp(join(tmpdir(), "als-engine-"));
  const path = join(folder, "state.db");
  if (begin.database !== undefined) await writeFile(path, begin.database, { mode: 0o600 });
  const clock = createHandClock(begin.now);
  const warnings: string[] = [];
  const log: Logger = {
    debug: () => {},
    info: () => {},
    warn: (fields) => warnings.push(JSON.stringify(fields)),
  };
  const place: Workplace = {
    source: createMemorySource(),
    target: createMemoryTarget(),
    clock,
    path,
    warnings,
    store: openStore(path),
    settings: { ...defaultSettings, ...settings },
    onEvent: () => {},
    clocks: undefined,
    neighbours: undefined,
    ports: () => ({
      source: place.source,
      target: place.target,
      store: place.store,
      clock,
      log,
      settings: place.settings,
      random: () => 0.5,
      onEvent: place.onEvent,
      clocks: place.clocks,
      neighbours: place.neighbours,
    }),
    cycle: async (request = {}) => {
      clock.advance(place.settings.intervalMs);
      return runCycle(place.ports(), {
        dryRun: false,
        full: false,
        fence: "private",
        signal: new AbortController().signal,
        ...request,
      });
    },
    lane: async (request = {}) => {
      clock.advance(5 * 60_000);
      return runLeaverLane(place.ports(), {
        dryRun: false,
        fence: "private",
        signal: new AbortController().signal,
        ...request,
      });
    },
    restart: async () => {
      await place.store.close();
      place.store = openStore(path);
    },
    operations: (cycleId) => place.store.operations(cycleId, { afterWave: -1, afterId: 0, limit: 1000 }),
    [Symbol.asyncDispose]: async () => {
      await place.store.close();
      const db = new Database(path, { readonly: true });
      const fault = tallyFault(db);
      db.close();
      await rm(folder, { recursive: true, force: true });
      if (fault !== null) throw new Error(fault);
    },
  };
  return place;
}

/** The person who decides, if it does not matter who. */
export const kim: Actor = { kind: "cli", name: "kim@host" };

/** Rejects the held changes of these people in a plan, as `release --reject` does. */
export async function rejectHeld(place: Workplace, planId: string, people: readonly string[]): Promise<void> {
  const decided = await resolveRelease(place.store, { planId, reject: people });
  await recordRelease(
    { store: place.store, fence: "private" },
    { planId, by: kim },
    decided,
    place.clock.now(),
  );
}
