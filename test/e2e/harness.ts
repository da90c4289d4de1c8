import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config/load.ts";
import type { CycleRequest, CycleResult } from "../../src/cycle/course/request.ts";
import { runCycle } from "../../src/cycle/cycle.ts";
import type { CycleSettings } from "../../src/cycle/ports/settings.ts";
import { type Clock, systemClock } from "../../src/domain/clock.ts";
import { Secret } from "../../src/domain/secret.ts";
import type { EntraScope } from "../../src/entra/options.ts";
import { createEntraSource } from "../../src/entra/source.ts";
import type { LatticeOptions } from "../../src/lattice/options.ts";
import { createLatticeTarget } from "../../src/lattice/target.ts";
import { parseMapping } from "../../src/mapping/rules/mapping.ts";
import { parseScopingFilters } from "../../src/mapping/rules/scoping-filter.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../src/sandbox/sandbox.ts";
import { openReadOnlyStore, openScratchStore, openStore } from "../../src/state/sqlite/store.ts";
import { atOnce, lenientGuard as engineGuard } from "../cycle/workplace.ts";

export interface Company extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly folder: string;
  readonly statePath: string;
  cycle(request?: Partial<CycleRequest> & { scope?: EntraScope; token?: string }): Promise<CycleResult>;
  /** Bytes of every file of the state database, by name. */
  stateBytes(): ReadonlyMap<string, string>;
  /** Object ids of the people whom the last cycle skipped for another reason than being disabled. */
  leftAlone(): Promise<ReadonlySet<string>>;
  /** Requests to one end since the last `clear`. */
  sent(host: "entra" | "lattice", method?: string): number;
}

const everybody: EntraScope = { mode: "all" };

/** A guard that holds nothing: for tests in which a crowd leaves on purpose. */
export const lenientGuard: CycleSettings["guard"] = { ...engineGuard, enabled: false, windowMs: 0 };

/** Settings of a test that differ from the sandbox: time, another Lattice, whether guests count. */
export interface Surroundings {
  readonly clock?: Clock;
  readonly lattice?: Partial<LatticeOptions>;
  readonly guests?: boolean;
}

/** A company in a sandbox, with a state database of its own in a temporary folder. */
export async function startCompany(
  options: Omit<SandboxOptions, "file"> = {},
  settings: Partial<CycleSettings> = {},
  { clock = systemClock, lattice = {}, guests = false }: Surroundings = {},
): Promise<Company> {
  const folder = mkdtempSync(join(tmpdir(), "als-e2e-"));
  const statePath = join(folder, "state.db");
  const sandbox = await startSandbox({ file: ":memory:", requestLogSize: 100_000, ...options });
  const loaded = loadConfig({ env: {}, cwd: folder });
  const mapping = parseMapping(loaded.mappingSource.rules, {
    origin: loaded.mappingSource.origin,
    onNull: "clear",
    filters: parseScopingFilters([], { guests }),
  });

  const cycle: Company["cycle"] = async ({ scope = everybody, token, ...request } = {}) => {
    const dryRun = request.dryRun ?? false;
    const store = dryRun ? openScratchStore(statePath) : openStore(statePath);
    const log = { debug: () => {}, info: () => {}, warn: () => {} };
    const target = createLatticeTarget({
      url: sandbox.latticeUrl,
      token: new Secret(token ?? sandbox.latticeToken),
      updateMethod: "patch",
      maxConcurrency: 8,
      maxRequestsPerSecond: null,
      paths: mapping.paths,
      clock,
      log,
      ...lattice,
    });
    const source = createEntraSource({
      tenantId: sandbox.tenantId,
      clientId: sandbox.clientId,
      credential: { kind: "clientSecret", secret: new Secret(sandbox.clientSecret) },
      authorityHost: sandbox.authorityHost,
      graphUrl: sandbox.graphUrl,
      scope,
      select: mapping.select,
      clock,
      log,
    });
    try {
      return await runCycle(
        {
          source,
          target,
          store,
          clock,
          log,
          random: () => 0.5,
          settings: {
            mapping,
            drift: "correct",
            scopeDigest: "scope-1",
            tenantId: sandbox.tenantId,
            actions: { create: true, update: true, deactivate: true },
            events: atOnce,
            guard: loaded.config.guard,
            canary: null,
            targetIdentity: { url: "https://lattice.example.com/scim/v2", keyDigest: () => "the-key" },
            listing: "strict",
            adoptForeignExternalId: false,
            formerOwner: "report",
            doubtful: "hold",
            protectedAccounts: new Set(),
            missingManager: "clear",
            managerRings: "send",
            renameRings: "report",
            concurrency: 8,
            intervalMs: 45 * 60_000,
            retentionMs: 90 * 86_400_000,
            maxLogRows: null,
            ...settings,
          },
        },
        { dryRun, full: false, fence: "private", signal: new AbortController().signal, ...request },
      );
    } finally {
      target.close();
      await store.close();
    }
  };

  return {
    sandbox,
    folder,
    statePath,
    cycle,
    stateBytes: () =>
      new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString("base64")])),
    leftAlone: async () => {
      const store = openReadOnlyStore(statePath);
      const skipped = (await store?.skipped({ after: "", limit: 10_000 })) ?? [];
      await store?.close();
      return new Set(skipped.filter(({ code }) => code !== "disabled").map(({ objectId }) => objectId));
    },
    sent: (host, method) =>
      sandbox.requests.filter(
        (record) => record.host === host && (method === undefined || record.method === method),
      ).length,
    [Symbol.asyncDispose]: async () => {
      await sandbox.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
