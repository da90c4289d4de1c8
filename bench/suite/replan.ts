import { copyFileSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { loadConfig } from "../../src/config/load.ts";
import type { LatticeSettings } from "../../src/config/require.ts";
import type { CycleContext } from "../../src/cycle/context/context.ts";
import { makePlan } from "../../src/cycle/planning/plan.ts";
import type { CycleSettings } from "../../src/cycle/ports/settings.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { Secret } from "../../src/domain/secret.ts";
import { cycleSettings } from "../../src/job/settings.ts";
import { type Mapping, parseMapping } from "../../src/mapping/rules/mapping.ts";
import { parseScopingFilters } from "../../src/mapping/rules/scoping-filter.ts";
import { type Connection, openDatabase } from "../../src/state/sqlite/files/database.ts";
import { storeOn } from "../../src/state/sqlite/store.ts";
import { type Bench, best, type Finding, grouped } from "../bench.ts";
import { type Company, linkedCompany } from "../company.ts";

const sizes = [10_000, 100_000, 1_000_000];

interface Rule {
  readonly target?: string;
}

export const bench: Bench = {
  about:
    "planning the whole company after a change of the mapping, against only reading the same people's rows with better-sqlite3",
  inCI: true,
  async *measure({ small, upTo, note }): AsyncGenerator<Finding> {
    const rules: readonly Rule[] = parse(readFileSync("config/default-mapping.yaml", "utf8"));
    const plans = {
      "no changes": mappingOf(rules),
      "an update for each person": mappingOf(
        rules.map((rule) => (rule.target === "title" ? { target: "title", constant: "Colleague" } : rule)),
      ),
    };
    for (const people of sizes.filter((size) => (small ? size === 10_000 : size > 10_000 && size <= upTo))) {
      const company = await linkedCompany(people, note);
      for (const [outcome, mapping] of Object.entries(plans)) {
        // A warm-up: in a small company the time until V8 has compiled the code counts, in a large one it does not.
        if (small) await replan(company, outcome, mapping);
        yield await replan(company, outcome, mapping);
      }
    }
  },
};

function mappingOf(rules: readonly Rule[]): Mapping {
  return parseMapping(rules, {
    origin: "bench",
    onNull: "clear",
    filters: parseScopingFilters([], { guests: true }),
  });
}

async function replan({ people, program }: Company, outcome: string, mapping: Mapping): Promise<Finding> {
  const path = join(program.folder, "replan.db");
  copyFileSync(program.statePath, path);
  const db = openDatabase(path);
  const store = storeOn(db, path);
  try {
    const read = best(3, () => readRows(db));
    const cycleId = await store.beginCycle(
      { planId: "bench", kind: "initial", startedAt: Date.now() },
      "private",
    );
    const startedAt = performance.now();
    await makePlan(contextOf(store, cycleId, mapping), "everybody");
    const ms = performance.now() - startedAt;
    const counts = [...(await store.countOperations(cycleId)).byAction.values()];
    return {
      what: `${grouped(people)} people, ${outcome}`,
      measured: `${(ms / 1_000).toFixed(2)} s`,
      reference: `reading ${(read / 1_000).toFixed(2)} s`,
      ratio: ms / read,
      wanted: { atMost: 6 },
      figures: {
        peoplePerSecond: Math.round((people / ms) * 1_000),
        operations: counts.reduce((a, b) => a + b, 0),
      },
    };
  } finally {
    await store.close();
    rmSync(path, { force: true });
  }
}

/** Everything that a plan is made of: the person, the account, and the manager. */
function readRows(db: Connection): void {
  const rows = db.prepare(
    `SELECT s.*, t.*, m.attributes, m.presence FROM source_user s LEFT JOIN target_user t ON t.object_id = s.object_id
     LEFT JOIN source_user m ON m.object_id = s.manager_id ORDER BY s.object_id`,
  );
  for (const _row of rows.iterate());
}

/** Stands in for a part that a plan does not use. */
function unused<T extends object>(): T {
  return new Proxy({} as T, {
    get: () => {
      throw new Error("a plan reads neither Entra nor Lattice");
    },
  });
}

/** The settings of a configuration without any key. */
function settingsOf(mapping: Mapping): CycleSettings {
  const { config } = loadConfig({ env: {}, cwd: tmpdir(), sandbox: "both" });
  const lattice: LatticeSettings = {
    url: "https://lattice.example.com/scim/v2",
    token: new Secret("made-up"),
    updateMethod: config.lattice.updateMethod,
    maxConcurrency: config.lattice.maxConcurrency,
    maxRequestsPerSecond: config.lattice.maxRequestsPerSecond,
    timeoutMs: config.lattice.timeoutMs,
  };
  return cycleSettings(config, mapping, { entra: { tenantId: "bench" }, lattice });
}

function contextOf(store: CycleContext["store"], cycleId: number, mapping: Mapping): CycleContext {
  return {
    source: unused(),
    target: unused(),
    host: unused(),
    protections: unused(),
    sending: { kind: "everything" },
    canary: null,
    refusedBefore: new Map(),
    kinds: unused(),
    store,
    fence: "private",
    startedAt: Date.now(),
    inTurn: (work) => work(),
    clock: systemClock,
    log: { debug: () => {}, info: () => {}, warn: () => {} },
    settings: settingsOf(mapping),
    listed: true,
    lookUpFirst: false,
    random: () => 0.5,
    cycleId,
    kind: "initial",
    signal: new AbortController().signal,
    everyoneInScope: true,
    firstRun: false,
    notes: [],
    unconfirmed: new Map(),
    clockDoubtMs: 0,
    presumptions: new Map(),
    claims: new Map(),
  };
}
