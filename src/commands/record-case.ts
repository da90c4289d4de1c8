import { randomInt } from "node:crypto";
import { stringify } from "yaml";
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import { UsageError } from "../domain/errors.ts";
import type { SourceChange, SourceUser } from "../domain/source.ts";
import { anonymise } from "../mapping/anonymise.ts";
import { mapUser } from "../mapping/map-user.ts";
import type { Mapping } from "../mapping/mapping.ts";
import { expectationOf } from "../mapping/run-case.ts";
import { defaultNow } from "../mapping/test-cases.ts";
import { openReadOnlyStore } from "../state/sqlite-store.ts";
import type { CommandIO } from "./io.ts";
import { readMapping, sandboxState } from "./session.ts";

export interface RecordOptions {
  readonly config?: string | undefined;
  /** User principal name or object id. */
  readonly record: string;
  readonly keep?: readonly string[] | undefined;
  readonly sandbox?: "both" | "lattice" | undefined;
}

interface Person {
  readonly user: SourceUser;
  readonly member: boolean;
  /** What to know of where it was read. */
  readonly notes?: readonly string[];
}

const random = (): number => randomInt(2 ** 32) / 2 ** 32;

/**
 * Makes a case of a person as last read: made-up values of the same shape, and what the mapping makes of them now.
 * @returns the case as YAML, and what to know of it
 * @throws UsageError where there is no such person, ConfigurationError, HostUnavailableError, StateError
 */
export async function recordCase(
  options: RecordOptions,
  io: CommandIO,
): Promise<{ readonly yaml: string; readonly notes: readonly string[] }> {
  const loaded = loadConfig({ file: options.config, env: io.env, cwd: io.cwd });
  const mapping = await readMapping(loaded);
  const real = (await fromState(loaded, options)) ?? (await fromEntra(loaded, mapping, options, io));
  const now = Date.now();
  const caseNow = Date.parse(defaultNow);
  const keep = options.keep ?? [];
  const made: Person = {
    user: anonymise(real.user, { keep, random, now, caseNow }),
    member: real.member,
  };
  const expected = expectationOf(mapping, {
    ...made,
    manager: null,
    groups: new Set(),
    newAccount: false,
    now: caseNow,
  });
  const { attributes, managerId, objectId, presence } = made.user;
  const recorded = {
    name: `recorded: ${String(attributes.userPrincipalName ?? objectId)}`,
    user: {
      ...attributes,
      id: objectId,
      ...(managerId === null ? {} : { manager: managerId }),
    },
    ...(made.member ? {} : { member: false }),
    ...(presence === "present" ? {} : { presence }),
    expect: expected,
  };
  return {
    yaml: stringify([recorded], { lineWidth: 0 }),
    notes: [
      `values are made up${keep.length === 0 ? "" : `, but for ${keep.join(", ")}`}; read it before you share it`,
      ...(real.notes ?? []),
      ...scopeNote(mapping, real, made, { now, caseNow }),
    ],
  };
}

/** From the state database; `null` where there is none yet. */
async function fromState(loaded: LoadedConfig, options: RecordOptions): Promise<Person | null> {
  const { path } = loaded.config.state;
  const store = openReadOnlyStore(options.sandbox === undefined ? path : sandboxState(path, options.sandbox));
  if (store === null) return null;
  try {
    const user = await store.findSource(options.record);
    if (user === null) throw new UsageError(`${options.record} is not among the people as last read`);
    const [candidate] = await store.candidates({
      select: { only: [user.objectId] },
      everyoneInScope: options.sandbox !== "both" && loaded.config.entra.scope.mode === "all",
      after: "",
      limit: 1,
    });
    return { user, member: candidate?.member ?? true };
  } finally {
    await store.close();
  }
}

/** From Entra; whether the person is in scope is not asked for there. */
async function fromEntra(
  loaded: LoadedConfig,
  mapping: Mapping,
  options: RecordOptions,
  io: CommandIO,
): Promise<Person> {
  if (options.sandbox === "both") {
    throw new UsageError("the sandbox has no state database yet: run sync --sandbox first");
  }
  const [{ requireEntra }, { createEntraSource }, { openLog }, { systemClock }] = await Promise.all([
    import("../config/require.ts"),
    import("../entra/source.ts"),
    import("./log.ts"),
    import("../domain/clock.ts"),
  ]);
  const source = createEntraSource({
    ...requireEntra(loaded.config),
    select: mapping.select,
    clock: systemClock,
    log: await openLog(loaded.config.log, io, true),
  });
  const change: SourceChange | null = await source.readUser(options.record, io.signal);
  if (change === null || change.kind !== "upsert") {
    throw new UsageError(`Entra has no user ${options.record}`);
  }
  const { objectId, attributes, managerId = null } = change;
  return {
    user: { objectId, attributes, managerId, presence: "present" },
    member: true,
    notes: [
      "read from Entra, for there is no state database yet; whether the person is assigned was not asked",
    ],
  };
}

/** Made-up values may pass filters that the real ones do not, and the other way round. */
function scopeNote(
  mapping: Mapping,
  real: Person,
  made: Person,
  { now, caseNow }: { now: number; caseNow: number },
): readonly string[] {
  const reason = ({ user, member }: Person, time: number): string | null =>
    mapUser(mapping, user, { member, environment: { now: () => time, random: () => 0.5 } }).filteredOut;
  if ((reason(real, now) === null) === (reason(made, caseNow) === null)) return [];
  const properties = mapping.filters.properties.filter((property) => property !== "userType");
  return [
    `the scoping filters decide otherwise of the made-up values than of the person; to keep what they look at: --keep ${properties.join(" ")}`,
  ];
}
