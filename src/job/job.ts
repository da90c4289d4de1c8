import { createHash, createHmac } from "node:crypto";
import type { Logger } from "pino";
import type { LoadedConfig } from "../config/load.ts";
import { type EntraSettings, filterGroupsOf, type LatticeSettings } from "../config/require.ts";
import type { Config } from "../config/schema.ts";
import type { CycleSettings } from "../cycle/settings.ts";
import { type Clock, systemClock } from "../domain/clock.ts";
import { UsageError } from "../domain/errors.ts";
import type { RequestObserver } from "../domain/request.ts";
import { Secret } from "../domain/secret.ts";
import type { StateStore } from "../domain/store.ts";
import type { EntraSource } from "../entra/source.ts";
import type { UpdateMethod } from "../lattice/options.ts";
import type { LatticeTarget } from "../lattice/target.ts";
import type { Mapping } from "../mapping/rules/mapping.ts";
import type { NotifySettings } from "../notify/settings.ts";
import { type CommandIO, note } from "../process/io.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { openLog } from "./log.ts";
import { readSettings } from "./read-settings.ts";

export interface SessionOptions {
  /** `--config`. */
  readonly config?: string | undefined;
  /** `--sandbox`: both ends embedded, or Lattice alone. */
  readonly sandbox?: "both" | "lattice" | undefined;
  /** People in a new sandbox. Default 250. */
  readonly people?: number | undefined;
  /** A sandbox that runs already; whoever started it closes it. */
  readonly runningSandbox?: Sandbox | undefined;
  /** The session whose place this one takes in the same process: its log and its database file stay. */
  readonly replaces?: Pick<Session, "log" | "statePath"> | undefined;
  /** The log says warnings only: a report follows. */
  readonly quiet: boolean;
  /** Told of each request to either end that came to an end. */
  readonly onRequest?: RequestObserver | undefined;
}

/** Everything that a command works with, opened once. */
export interface Session {
  readonly loaded: LoadedConfig;
  readonly config: Config;
  readonly mapping: Mapping;
  readonly settings: CycleSettings;
  readonly entra: EntraSettings;
  readonly lattice: LatticeSettings;
  readonly log: Logger;
  readonly clock: Clock;
  /** Who is told; nobody of what happens in a sandbox. */
  readonly notify: NotifySettings;
  /** Database file. */
  readonly statePath: string;
  readonly sandbox: Sandbox | null;
  source(): Promise<EntraSource>;
  /** Whoever asks for it closes it. */
  target(knownUpdateMethod?: UpdateMethod): Promise<LatticeTarget>;
  openStore(): Promise<StateStore>;
  openScratchStore(): Promise<StateStore>;
  /** Closes what was opened, last first. */
  close(): Promise<void>;
}

/**
 * Loads the configuration and prepares both ends; sends nothing yet.
 * @throws UsageError, StateError
 */
export async function openSession(io: CommandIO, options: SessionOptions): Promise<Session> {
  const { loadConfig } = await import("../config/load.ts");
  const loaded = loadConfig({ file: options.config, env: io.env, cwd: io.cwd, sandbox: options.sandbox });
  const { config } = loaded;
  const { replaces } = options;
  for (const text of loaded.notes) replaces === undefined ? note(io, text) : replaces.log.warn(text);
  const readings = await readSettings(loaded, options.sandbox);
  const { mapping } = readings;
  if (mapping === null || readings.faults.length > 0) throw new UsageError(readings.faults.join("\n"));
  const closers: (() => void | Promise<void>)[] = [];
  const configured =
    options.sandbox === undefined ? config.state.path : sandboxState(config.state.path, options.sandbox);
  const statePath = replaces?.statePath ?? configured;
  const sandbox = options.runningSandbox ?? (await startSandbox(config.state.path, options));
  if (sandbox !== null && options.runningSandbox === undefined) closers.push(() => sandbox.close());

  try {
    const entra = readings.entra ?? sandboxEntra(startedOf(sandbox), config);
    const lattice = readings.lattice ?? sandboxLattice(startedOf(sandbox), config);
    const log = replaces?.log ?? (await openLog(config.log, io, options.quiet));
    const clock = systemClock;
    return {
      loaded,
      config,
      mapping,
      settings: cycleSettings(config, mapping, entra.tenantId, lattice),
      entra,
      lattice,
      log,
      clock,
      notify: {
        ...config.notify,
        dashboard: config.http.publicUrl,
        ...(sandbox === null ? {} : { receivers: [], ping: null }),
      },
      statePath,
      sandbox,
      source: async () => {
        const { createEntraSource } = await import("../entra/source.ts");
        return createEntraSource({
          ...entra,
          select: mapping.select,
          clock,
          log,
          onRequest: options.onRequest,
        });
      },
      target: async (knownUpdateMethod) => {
        const { createLatticeTarget } = await import("../lattice/target.ts");
        return createLatticeTarget({
          ...lattice,
          paths: mapping.paths,
          clock,
          log,
          onRequest: options.onRequest,
          knownUpdateMethod,
        });
      },
      openStore: async () => {
        const [{ openStore }, { isEmptyFile }, { sweepCopies }, { hasDied }] = await Promise.all([
          import("../state/sqlite/store.ts"),
          import("../state/sqlite/files/database.ts"),
          import("../state/sqlite/files/scratch-copy.ts"),
          import("./lease.ts"),
        ]);
        sweepCopies();
        if (isEmptyFile(statePath)) {
          log.warn(
            { state: statePath },
            "the state database is an empty file: this run begins with a new one and finds existing accounts by matching",
          );
        }
        return keep(openStore(statePath, { logValues: config.state.logValues, hasEnded: hasDied }), closers);
      },
      openScratchStore: async () => {
        const { openScratchStore } = await import("../state/sqlite/store.ts");
        return keep(openScratchStore(statePath), closers);
      },
      close: () => closeAll(closers),
    };
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

function cycleSettings(
  config: Config,
  mapping: Mapping,
  tenantId: string,
  { url, token }: LatticeSettings,
): CycleSettings {
  return {
    mapping,
    tenantId,
    targetIdentity: {
      url,
      keyDigest: (salt) => createHmac("sha256", salt).update(token.reveal()).digest("hex"),
    },
    actions: config.actions,
    events: eventActions(config),
    guard: config.guard,
    listing: config.lattice.listing,
    drift: config.drift,
    scopeDigest: createHash("sha256").update(scopeIdentity(config.entra.scope)).digest("hex"),
    ...matchingSettings(config),
    concurrency: config.lattice.maxConcurrency,
    intervalMs: config.schedule.kind === "every" ? config.schedule.everyMs : 45 * 60_000,
    retentionMs: config.state.retentionMs,
    maxLogRows: config.state.maxLogRows,
  };
}

/** Whose account is whose. */
export function matchingSettings({
  matching,
  manager,
}: Config): Pick<
  CycleSettings,
  | "adoptForeignExternalId"
  | "formerOwner"
  | "protectedAccounts"
  | "missingManager"
  | "managerRings"
  | "renameRings"
> {
  return {
    adoptForeignExternalId: matching.adoptForeignExternalId,
    formerOwner: matching.formerOwner,
    protectedAccounts: new Set(matching.protected.map((name) => name.toLowerCase())),
    missingManager: manager.missing,
    managerRings: manager.rings,
    renameRings: matching.renameRings,
  };
}

/** What is done about accounts of people who leave, by what was seen of them. */
export function eventActions({ actions }: Config): CycleSettings["events"] {
  return { outOfScope: actions.outOfScope, deleted: actions.onDelete, disabled: actions.onDisable };
}

/** The scope in words of its own; keys that came later are left out at their defaults, so that a new version alone alarms nobody. */
function scopeIdentity({ include, exclude, timezone, ...scope }: Config["entra"]["scope"]): string {
  const later = [include, exclude, timezone === "UTC" ? [] : [timezone]];
  return JSON.stringify(later.every((list) => list.length === 0) ? scope : [scope, ...later]);
}

/** What stands in for an end without settings of its own. */
function startedOf(sandbox: Sandbox | null): Sandbox {
  if (sandbox !== null) return sandbox;
  throw new Error("an end has neither settings nor a sandbox");
}

async function startSandbox(statePath: string, options: SessionOptions): Promise<Sandbox | null> {
  if (options.sandbox === undefined) return null;
  const { startSandbox: start } = await import("../sandbox/sandbox.ts");
  const { sandbox: ends, people } = options;
  return start({ file: sandboxFile(statePath, ends), ends, ...(people === undefined ? {} : { people }) });
}

function sandboxEntra(sandbox: Sandbox, config: Config): EntraSettings {
  return {
    tenantId: sandbox.tenantId,
    clientId: sandbox.clientId,
    credential: { kind: "clientSecret", secret: new Secret(sandbox.clientSecret) },
    authorityHost: sandbox.authorityHost,
    graphUrl: sandbox.graphUrl,
    scope: sandboxScope,
    filterGroups: filterGroupsOf(config.entra.scope),
  };
}

/** Who takes part of the embedded company. */
export const sandboxScope = { mode: "assigned", application: "Lattice SCIM", nested: true } as const;

/** The embedded Lattice is on this machine: no limit but its own. */
function sandboxLattice(sandbox: Sandbox, config: Config): LatticeSettings {
  return {
    url: sandbox.latticeUrl,
    token: new Secret(sandbox.latticeToken),
    updateMethod: config.lattice.updateMethod,
    maxConcurrency: config.lattice.maxConcurrency,
    maxRequestsPerSecond: null,
    timeoutMs: config.lattice.timeoutMs,
  };
}

/** State of a rehearsal: a file of its own beside the real one, so that it never meets real links. */
export function sandboxState(path: string, ends: "both" | "lattice"): string {
  return `${withoutEnding(path)}.sandbox-${ends}.db`;
}

/** The embedded company, or the embedded Lattice alone. */
export function sandboxFile(path: string, ends: "both" | "lattice"): string {
  return `${withoutEnding(path)}.sandbox-${ends}-servers.db`;
}

function withoutEnding(path: string): string {
  return path.replace(/\.db$/, "");
}

function keep(store: StateStore, closers: (() => void | Promise<void>)[]): StateStore {
  closers.push(() => store.close());
  return store;
}

async function closeAll(closers: (() => void | Promise<void>)[]): Promise<void> {
  for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer();
}
