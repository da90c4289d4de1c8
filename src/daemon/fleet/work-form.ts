import { z } from "zod";
import type { Actor } from "../../domain/actor.ts";
import type { WorkKind, WorkRequest, WorkRow } from "../../domain/fleet.ts";
import { isJsonObject } from "../../domain/json.ts";

/** The newest level of work that this version knows. */
export const knownLevel = 2;

/** The kinds and the fields of work of the first level. */
const first = {
  kinds: new Set<WorkKind>(["cycle", "dryRun", "release"]),
  fields: new Set<string>(["full", "release"]),
};

/**
 * The level of work: a version whose level (`knownLevel`) is at least this knows its kind and each of its fields. A version that does not
 * know a field would ignore it, and one that does not know a kind might do something else. So each level has a queue of its own, from
 * which older versions take nothing. A new kind or field needs a new level, with a queue in `QueueName`.
 */
export function levelOf(kind: WorkKind, request: WorkRequest): 1 | 2 {
  const isFirst = Object.entries(request).every(
    ([field, value]) => value === undefined || first.fields.has(field),
  );
  return first.kinds.has(kind) && isFirst ? 1 : 2;
}

const names = z.array(z.string()).readonly().optional();
// Another version may know other ways to sign in. It is only noted who asked.
const by = z.custom<Actor>((value) => isJsonObject(value) && typeof value.kind === "string");
const common = {
  full: z.boolean(),
  configuration: z.string().optional(),
  report: z.literal(true).optional(),
};
const release = z.strictObject({
  planId: z.string(),
  only: names,
  reject: names,
  undoReject: names,
  reason: z.string().optional(),
  by,
});
const revert = z.strictObject({
  which: z.string(),
  only: names,
  deactivateCreated: z.boolean(),
  release: z.boolean(),
  agreed: z.string().optional(),
  reason: z.string().optional(),
  by,
});
const requests = {
  cycle: z.strictObject({ ...common, canary: z.number().int().positive().optional() }),
  dryRun: z.strictObject({ ...common, revert: revert.optional() }),
  release: z.strictObject({ ...common, release }),
  revert: z.strictObject({ ...common, revert }),
  onDemand: z.strictObject({
    ...common,
    only: z.array(z.string()).min(1).readonly(),
    agreed: z.string().optional(),
  }),
} satisfies Readonly<Record<WorkKind, z.ZodType<WorkRequest>>>;

/**
 * `true` if this version knows the kind of work and each field of its request. Work that another version asks for is done as it was meant,
 * or not at all.
 */
export function isKnownWork({ kind, request }: Pick<WorkRow, "kind" | "request">): boolean {
  return Object.hasOwn(requests, kind) && requests[kind].safeParse(request).success;
}
