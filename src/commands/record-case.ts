import { stringify } from "yaml";
import { findPerson } from "../cycle/person/find-person.ts";
import { UsageError } from "../domain/errors.ts";
import type { Json } from "../domain/json.ts";
import { systemRandom } from "../domain/random.ts";
import type { SourceChange, SourceUser } from "../domain/source.ts";
import type { StateStore } from "../domain/state/store.ts";
import { type ConfiguredJob, configuredJob } from "../job/configured-job.ts";
import { readMapping } from "../job/read-settings.ts";
import { anonymise } from "../mapping/cases/anonymise.ts";
import { expectationOf } from "../mapping/cases/run-case.ts";
import { defaultNow } from "../mapping/cases/test-cases.ts";
import type { Mapping } from "../mapping/rules/mapping.ts";
import type { CommandIO } from "../process/io.ts";
import { printable } from "../report/words.ts";
import { tellWhom } from "./one-person.ts";

export interface RecordOptions {
  readonly config?: string | undefined;
  /** `--job`. */
  readonly job?: string | undefined;
  /** User principal name, object id, or a part of a name. */
  readonly record: string;
  readonly keep?: readonly string[] | undefined;
  readonly sandbox?: "both" | "lattice" | undefined;
}

interface Person {
  readonly user: SourceUser;
  readonly member: boolean;
  /** The mapped attributes of the manager; `null` if none is mapped or the manager is not known. */
  readonly manager: SourceUser | null;
  /** Groups that scoping filters and expressions name, and that the person is a member of. */
  readonly groups: ReadonlySet<string>;
  /** Notes about where the person was read. */
  readonly notes?: readonly string[];
}

/**
 * Makes a case from a person as last read: made-up values of the same shape, and what the mapping makes of them now.
 * @returns the case as YAML, and notes about it
 * @throws UsageError if there is no such person, ConfigurationError, HostUnavailableError, StateError
 */
export async function recordCase(
  options: RecordOptions,
  io: CommandIO,
): Promise<{ readonly yaml: string; readonly notes: readonly string[] }> {
  const job = configuredJob(io, options);
  const mapping = await readMapping(job.loaded);
  const real = (await fromState(job, mapping, options, io)) ?? (await fromEntra(job, mapping, options, io));
  const now = job.clock.now();
  const caseNow = Date.parse(defaultNow);
  const keep = options.keep ?? [];
  const people = real.manager === null ? ([real.user] as const) : ([real.user, real.manager] as const);
  const [user, manager = null] = anonymise([...people], { keep, random: systemRandom, now, caseNow });
  const made: Person = { ...real, user, manager };
  const expected = expectationOf(mapping, { ...made, newAccount: false, now: caseNow });
  const { attributes, managerId, objectId, presence } = made.user;
  const recorded = {
    name: `recorded: ${String(attributes.userPrincipalName ?? objectId)}`,
    user: {
      ...attributes,
      id: objectId,
      ...(managerId === null ? {} : { manager: managerIn(made, managerId) }),
    },
    ...(made.member ? {} : { member: false }),
    ...(made.groups.size === 0 ? {} : { memberOf: [...made.groups] }),
    ...(presence === "present" ? {} : { presence }),
    expect: expected,
  };
  return {
    yaml: stringify([recorded], { lineWidth: 0 }),
    notes: [
      `The values are made up${keep.length === 0 ? "" : `, except those of ${keep.join(", ")}`}. Read the case before you share it.`,
      ...(real.notes ?? []),
      ...scopeNote(mapping, real, made, { now, caseNow }),
    ],
  };
}

/** The manager as a case has it: only the id if nothing else of the manager is mapped or known. */
function managerIn({ manager }: Person, managerId: string): Json {
  return manager === null ? managerId : { ...manager.attributes, id: managerId };
}

/** The attributes of the manager that the mapping reads; none if the manager was deleted. */
function managerFor(mapping: Mapping, manager: SourceUser | null): SourceUser | null {
  const { ofManager } = mapping;
  if (manager === null || ofManager.length === 0) return null;
  const { objectId, attributes, presence } = manager;
  const mapped = ofManager.flatMap((name) => {
    const value = attributes[name];
    return value === undefined || presence !== "present" ? [] : [[name, value] as const];
  });
  return { objectId, attributes: Object.fromEntries(mapped), managerId: null, presence: "present" };
}

/** The person from the state database; `null` if there is no database yet. */
async function fromState(
  job: ConfiguredJob,
  mapping: Mapping,
  options: RecordOptions,
  io: CommandIO,
): Promise<Person | null> {
  const store = await job.readState();
  if (store === null) return null;
  try {
    const user = await personOf(store, mapping, options.record, io);
    const [candidate] = await store.candidates({
      select: { only: [user.objectId] },
      everyoneInScope: job.embedded !== "both" && job.config.entra.scope.mode === "all",
      after: "",
      limit: 1,
    });
    const { mappingDigest } = await store.meta();
    return {
      user,
      member: candidate?.member ?? true,
      manager: managerFor(mapping, candidate?.manager?.source ?? null),
      groups: new Set(mapping.groups.filter((group) => candidate?.groups.has(group) === true)),
      notes:
        mappingDigest === mapping.digest
          ? []
          : [
              "The configuration has changed since the last cycle: attributes and groups that it newly reads are missing. Run sync first, or fill them in.",
            ],
    };
  } finally {
    await store.close();
  }
}

/** @throws UsageError if no person is meant, or more than one */
async function personOf(
  store: StateStore,
  mapping: Mapping,
  asked: string,
  io: CommandIO,
): Promise<SourceUser> {
  const found = await findPerson(store, asked, mapping);
  tellWhom(found, io);
  const user = found.objectId === null ? null : await store.findSource(found.objectId);
  if (user === null) throw new UsageError(`"${printable(asked)}" is not in the directory as last read.`);
  return user;
}

/** The person from Entra, without asking whether they are in scope. */
async function fromEntra(
  job: ConfiguredJob,
  mapping: Mapping,
  options: RecordOptions,
  io: CommandIO,
): Promise<Person> {
  if (job.embedded === "both") {
    throw new UsageError("the sandbox has no state database yet: run sync --sandbox first");
  }
  const [{ requireEntra }, { createEntraSource }, { openLog }] = await Promise.all([
    import("../config/require.ts"),
    import("../entra/source.ts"),
    import("../job/log.ts"),
  ]);
  const source = createEntraSource({
    ...requireEntra(job.config),
    select: mapping.select,
    clock: job.clock,
    log: await openLog(job.config.log, io, true),
  });
  const change: SourceChange | null = await source.readUser(options.record, io.signal);
  if (change === null || change.kind !== "upsert") {
    throw new UsageError(`Entra has no user "${printable(options.record)}"`);
  }
  const { objectId, attributes, managerId = null } = change;
  const readsManager = managerId !== null && mapping.ofManager.length > 0;
  const manager = readsManager ? await source.readUser(managerId, io.signal) : null;
  return {
    user: { objectId, attributes, managerId, presence: "present" },
    member: true,
    manager:
      manager?.kind === "upsert"
        ? managerFor(mapping, {
            objectId: manager.objectId,
            attributes: manager.attributes,
            managerId: null,
            presence: "present",
          })
        : null,
    groups: new Set(),
    notes: [
      "The person was read from Entra, because there is no state database yet. Whether the person is assigned was not checked.",
      ...(mapping.groups.length === 0
        ? []
        : [
            `The groups that scoping filters and expressions name were not checked. If the person is a member, add memberOf with ${mapping.groups.map((group) => JSON.stringify(group)).join(", ")}.`,
          ]),
    ],
  };
}

/** A note if the made-up values pass filters that the real values do not pass, or the other way round. */
function scopeNote(
  mapping: Mapping,
  real: Person,
  made: Person,
  { now, caseNow }: { now: number; caseNow: number },
): readonly string[] {
  const reason = ({ user, groups }: Person, time: number): string | null =>
    mapping.filters.rejects(user, { now: time, groups });
  if ((reason(real, now) === null) === (reason(made, caseNow) === null)) return [];
  const properties = mapping.filters.properties.filter((property) => property !== "userType");
  return [
    `The scoping filters decide differently about the made-up values. To keep the values that they read: --keep ${properties.join(" ")}`,
  ];
}
