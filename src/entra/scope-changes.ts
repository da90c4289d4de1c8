import { isJsonObject } from "../domain/json.ts";
import type { ScopePart } from "../domain/source.ts";
import { changedSince, latestWatermark, type Tracked } from "./delta.ts";
import type { GraphReader } from "./graph-client.ts";
import { malformed } from "./graph-error.ts";
import { isObjectId, type NamedScope, readGroups } from "./scope.ts";
import { parseId } from "./users.ts";

/** Graph tracks at most this many objects that a filter names ("group: delta"). */
const mostTracked = 50;

const members: Tracked = {
  call: { subject: "the changed members of the groups of the scope", permission: readGroups },
  otherwise: "the next cycle reads the scope",
};

/**
 * A watermark of the members of the groups of a scope that was just read. `null` if removals cannot be told from it: the scope has no
 * group, more than 50, or members of groups within groups, whom change tracking does not show.
 * @throws ConfigurationError, HostUnavailableError
 */
export async function readScopeWatermark(
  graph: GraphReader,
  { nested }: Pick<NamedScope, "nested">,
  parts: readonly ScopePart[],
  signal: AbortSignal,
): Promise<string | null> {
  const groups = parts.map(({ id }) => id).filter(isObjectId);
  if (nested || groups.length === 0 || groups.length > mostTracked) return null;
  const filter = encodeURIComponent(groups.map((id) => `id eq '${id}'`).join(" or "));
  const first = new URL(
    `/v1.0/groups/delta?$deltatoken=latest&$select=members&$filter=${filter}`,
    graph.origin,
  );
  return latestWatermark(graph, first, members, signal);
}

/**
 * Object ids of people who were removed from a group of the scope since the watermark, in pages. They may have come back since, or be
 * in another group.
 * @throws WatermarkExpiredError, ConfigurationError, HostUnavailableError
 */
export async function* readScopeRemovals(
  graph: GraphReader,
  watermark: string,
  signal: AbortSignal,
): AsyncGenerator<readonly string[], void> {
  const host = new URL(graph.origin).host;
  const pages = changedSince(graph, watermark, members, signal);
  try {
    for (let page = await pages.next(); page.done !== true; page = await pages.next()) {
      yield page.value.flatMap((group) => removedFrom(group, host));
    }
  } finally {
    await pages.return({ watermark: "" });
  }
}

/** The members that one changed group has lost. A group that was deleted names none. */
function removedFrom(group: unknown, host: string): readonly string[] {
  if (!isJsonObject(group))
    throw malformed(host, "a list of groups contains something that is not an object");
  const changed = group["members@delta"];
  if (changed === undefined || changed === null) return [];
  if (!Array.isArray(changed)) throw malformed(host, "the changed members of a group are not a list");
  return changed.flatMap((member) => {
    if (!isJsonObject(member)) throw malformed(host, "a changed member of a group is not an object");
    const { "@removed": removed } = member;
    return removed === undefined || removed === null
      ? []
      : [parseId(member, "a changed member of a group", { host })];
  });
}
