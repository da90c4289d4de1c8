import { configDifference } from "../config/config-difference.ts";
import type { CycleResult } from "../cycle/course/request.ts";
import { parseAccepted } from "../cycle/guard/alarms.ts";
import { UsageError } from "../domain/errors.ts";
import { systemRandom } from "../domain/random.ts";
import type { Source } from "../domain/source.ts";
import type { StateStore } from "../domain/state/store.ts";
import type { Target } from "../domain/target.ts";
import { keepHeapSmall } from "../process/small-heap.ts";
import type { Job, RunRequest, Watchers } from "./job.ts";
import { knownSource, notingParts, type ReadParts } from "./known-source.ts";
import { knownTarget } from "./known-target.ts";

/** A plan, and the private copy of the state that holds it. */
export interface Planned {
  readonly result: CycleResult;
  readonly store: StateStore;
}

/** Two plans from the same data. */
export interface WhatIf {
  /** With the configuration in force. */
  readonly first: Planned;
  /** With the other one. */
  readonly second: Planned;
}

/** The data that only the other one of two configurations of a job needs. */
interface Sharing {
  /** Graph properties and SCIM paths that only the other one reads. */
  readonly properties: readonly string[];
  readonly paths: readonly string[];
  /** The scope has another mode, application or groups. */
  readonly otherScope: boolean;
  /** Groups that only the other one names. */
  readonly groups: readonly string[];
}

/** Compares what two jobs read. @throws UsageError if they cannot share what is read */
function sharingOf(job: Job, other: Job): Sharing {
  const { anotherTenant, anotherLattice } = configDifference(job.loaded, other.loaded);
  const end = anotherTenant ? "Entra tenant" : anotherLattice ? "Lattice" : null;
  if (end !== null && job.sandbox === null) {
    throw new UsageError(
      `${other.loaded.file} names another ${end} than ${job.loaded.file ?? "the environment"}: two plans can be compared only if they are made from the same data. Nothing was read.`,
    );
  }
  const scopeOf = ({ entra }: Job): string => JSON.stringify([entra.scope, entra.nestedGroups]);
  const added = (before: readonly string[], after: readonly string[]): readonly string[] =>
    after.filter((one) => !before.includes(one));
  return {
    properties: added(job.mapping.select, other.mapping.select),
    paths: added(job.mapping.paths, other.mapping.paths),
    otherScope: other.entra.scope.mode !== "all" && scopeOf(job) !== scopeOf(other),
    groups: added(job.mapping.groups, other.mapping.groups),
  };
}

/**
 * Plans with the configuration in force and with another one, from the same data: Entra and Lattice are read once, for the
 * first plan, as in any dry run. The second plan is made from what the first one has read. If the other configuration needs a
 * property that the first one does not select, everything is read in full, once, with the properties of both. If it has another
 * scope, that is read in addition. Nothing is written: both plans are on private copies.
 * @param other opened with `replaces: job`
 * @param ended is called with both plans, before their copies are closed
 */
export async function planBoth(
  job: Job,
  other: Job,
  request: Pick<RunRequest, "full" | "signal">,
  watchers: Pick<Watchers, "onProgress">,
  ended: (plans: WhatIf) => Promise<void>,
): Promise<void> {
  const sharing = sharingOf(job, other);
  const more = sharing.properties.length > 0 || sharing.paths.length > 0;
  const parts: ReadParts = { scope: [], groups: new Map() };
  const reading: Job = {
    ...job,
    source: async () => notingParts(await (more ? job.source(other.mapping.select) : job.source()), parts),
    target: (known) => job.target({ ...known, ...(more ? { alsoPaths: other.mapping.paths } : {}) }),
  };
  const full = request.full || more;
  const { run } = await import("./run-cycle.ts");
  await run(
    reading,
    { dryRun: true, full, signal: request.signal },
    {
      ...watchers,
      ended: async ({ result }, store) => {
        const reads = sharing.otherScope || sharing.groups.length > 0 || other.settings.canary?.group != null;
        const live = reads ? await other.source() : null;
        await planKnown(
          other,
          { pictures: store, parts, live, sharing, knownGroups: job.mapping.groups },
          (second) => ended({ first: { result, store }, second }),
          { ...request, full, ...watchers },
        );
      },
    },
  );
}

/**
 * Plans with both configurations from the last known data. Nothing is sent.
 * @throws UsageError if there is no such data, or the other configuration needs data that is not known
 */
export async function planBothOffline(
  job: Job,
  other: Job,
  request: Pick<RunRequest, "signal">,
  watchers: Pick<Watchers, "onProgress">,
  ended: (plans: WhatIf) => Promise<void>,
): Promise<void> {
  const sharing = sharingOf(job, other);
  refuseUnreadData(sharing);
  const pictures = await job.scratch();
  try {
    const meta = await pictures.meta();
    if (
      meta.watermark === undefined ||
      meta.targetListedAt === undefined ||
      meta.mappingDigest !== job.mapping.digest
    ) {
      throw new UsageError(
        "--offline plans from the data of the last cycle, and there is none of a complete cycle with the configuration in force. Run sync --dry-run without --offline, or a cycle first.",
      );
    }
    const accepted = parseAccepted(meta)?.parts ?? [];
    const parts: ReadParts = {
      scope: accepted.filter(({ usedBy }) => usedBy !== "filters"),
      groups: new Map(accepted.filter(({ usedBy }) => usedBy === "filters").map((part) => [part.id, part])),
    };
    const known = { pictures, parts, live: null, sharing, knownGroups: job.mapping.groups };
    const both = { ...request, full: false, ...watchers };
    await planKnown(
      job,
      known,
      (first) => planKnown(other, known, (second) => ended({ first, second }), both),
      both,
    );
  } finally {
    await pictures.close();
  }
}

/** @throws UsageError */
function refuseUnreadData({ properties, paths, otherScope, groups }: Sharing): void {
  const unknown = [
    ...(properties.length > 0 ? [`these properties of Entra were not read: ${properties.join(", ")}`] : []),
    ...(paths.length > 0 ? [`these attributes of Lattice were not read: ${paths.join(", ")}`] : []),
    ...(otherScope
      ? ["the scope has another mode, application or groups (entra.scope), and must be read"]
      : []),
    ...(groups.length > 0 ? [`the members of these groups were not read: ${groups.join(", ")}`] : []),
  ];
  if (unknown.length === 0) return;
  throw new UsageError(
    `The other configuration cannot be planned from the last known data: ${unknown.join("; ")}. Leave --offline out, so that it is read.`,
  );
}

/** The data of a plan for which no person is read again. */
interface KnownData {
  readonly pictures: StateStore;
  readonly parts: ReadParts;
  /** Reads what is not known; `null` if everything is. */
  readonly live: Source | null;
  readonly sharing: Sharing;
  readonly knownGroups: readonly string[];
}

/** Plans from known data, on a private copy of the state. @param use is called before the copy is closed */
async function planKnown(
  job: Job,
  { pictures, parts, live, sharing, knownGroups }: KnownData,
  use: (planned: Planned) => Promise<void>,
  { full, signal, onProgress }: Pick<RunRequest, "full" | "signal"> & Pick<Watchers, "onProgress">,
): Promise<void> {
  const { runCycle } = await import("../cycle/cycle.ts");
  const { clock, log, settings, entra } = job;
  const store = await job.scratch();
  try {
    const everybody = entra.scope.mode === "all";
    const scope = everybody ? "everybody" : sharing.otherScope && live !== null ? live : "known";
    const source = knownSource({ pictures, own: store, scope, otherGroups: live, knownGroups, parts });
    const target: Target = knownTarget(pictures);
    const result = await runCycle(
      {
        source,
        target,
        store,
        clock,
        log,
        settings,
        random: systemRandom,
        onProgress: (progress) => {
          keepHeapSmall();
          onProgress?.(progress);
        },
      },
      { dryRun: true, full, fence: "private", signal },
    );
    await use({ result, store });
  } finally {
    await store.close();
  }
}
