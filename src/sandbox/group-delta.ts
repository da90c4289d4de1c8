import type { Clock } from "../domain/clock.ts";
import type { JsonObject } from "../domain/json.ts";
import type { SandboxDatabase } from "./database.ts";
import { readMeta } from "./database.ts";
import type { DeltaOptions } from "./graph-delta.ts";
import { GraphRefusal, type QueryOptions, readToken, writeToken } from "./graph-query.ts";

/** Change tracking of the members of groups: `/groups/delta`. */
export interface GroupDelta {
  /** Begins with `$deltatoken=latest`, `$select=members` and a filter by id, or goes on with a token. */
  read(query: QueryOptions): JsonObject;
}

/** The content of a token. */
interface Position {
  readonly groups: readonly string[];
  /** The last change that an earlier page or round has shown. */
  readonly since: number;
  readonly issued: number;
  /** The directory, and the generation of its tokens. */
  readonly epoch: string;
}

interface MemberChange {
  readonly sequence: number;
  readonly group_id: string;
  readonly member_id: string;
  readonly removed: 0 | 1;
}

/** Graph tracks no more objects by id. */
const mostGroups = 50;

export function createGroupDelta(
  database: SandboxDatabase,
  origin: () => string,
  clock: Clock,
  options: DeltaOptions,
): GroupDelta {
  // Each member once in a group, at the place of the last change.
  const changed = database.prepare<{ groups: string; since: number; limit: number }, MemberChange>(
    `SELECT * FROM member_change AS one WHERE sequence > @since AND group_id IN (SELECT value FROM json_each(@groups))
       AND NOT EXISTS (SELECT 1 FROM member_change AS later WHERE later.group_id = one.group_id
         AND later.member_id = one.member_id AND later.sequence > one.sequence)
     ORDER BY sequence LIMIT @limit`,
  );
  const latest = database
    .prepare<[], number>("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'member_change'), 0)")
    .pluck();
  const epoch = (): string => readMeta(database, "deltaEpoch") ?? "";

  const position = (query: QueryOptions): Position => {
    const token = query.get("skiptoken") ?? query.get("deltatoken") ?? "";
    if (token.toLowerCase() === "latest") {
      if (query.get("select") !== "members") throw unsupported("$select other than members");
      const groups = readIds(query.get("filter"));
      return { groups, since: latest.get() ?? 0, issued: clock.now(), epoch: epoch() };
    }
    if (token === "") throw unsupported("a round that begins with all groups");
    const given = positionOf(token);
    if (
      given === undefined ||
      given.epoch !== epoch() ||
      clock.now() - given.issued > options.tokenLifetimeMs
    ) {
      throw new GraphRefusal(
        400,
        "syncStateNotFound",
        "The sync state generation is not found; it may have expired. Start a full synchronization.",
      );
    }
    return given;
  };
  const linkTo = (name: "deltaLink" | "nextLink", target: Position): JsonObject => {
    const parameter = name === "deltaLink" ? "$deltatoken" : "$skiptoken";
    const token = writeToken({ ...target, issued: clock.now(), epoch: epoch() });
    return { [`@odata.${name}`]: `${origin()}/v1.0/groups/delta?${parameter}=${token}` };
  };

  return {
    read: (query) => {
      const at = position(query);
      const groups = JSON.stringify(at.groups);
      const rows = changed.all({ groups, since: at.since, limit: options.pageSize + 1 });
      const shown = rows.slice(0, options.pageSize);
      const since = shown.at(-1)?.sequence ?? at.since;
      return {
        "@odata.context": `${origin()}/v1.0/$metadata#groups(members)`,
        ...linkTo(rows.length > shown.length ? "nextLink" : "deltaLink", { ...at, since }),
        value: [...Map.groupBy(shown, (row) => row.group_id)].map(([id, changes]) => ({
          id,
          "members@delta": changes.map(renderMember),
        })),
      };
    },
  };
}

function renderMember({ member_id: id, removed }: MemberChange): JsonObject {
  const link = { "@odata.type": "#microsoft.graph.user", id };
  return removed === 1 ? { ...link, "@removed": { reason: "deleted" } } : link;
}

/** Reads `id eq '…' or id eq '…'`. @throws GraphRefusal on any other filter */
function readIds(filter: string | undefined): readonly string[] {
  const ids = (filter ?? "").split(" or ").map((clause) => /^id eq '([^']+)'$/.exec(clause.trim())?.[1]);
  const known = ids.filter((id) => id !== undefined);
  if (known.length !== ids.length || known.length > mostGroups) {
    throw unsupported("another $filter than up to 50 ids");
  }
  return known;
}

function positionOf(token: string): Position | undefined {
  const { groups, since, issued, epoch } = readToken(token) ?? {};
  if (
    !Array.isArray(groups) ||
    typeof since !== "number" ||
    typeof issued !== "number" ||
    typeof epoch !== "string"
  ) {
    return undefined;
  }
  return { groups: groups.map(String), since, issued, epoch };
}

function unsupported(what: string): GraphRefusal {
  return new GraphRefusal(
    400,
    "Request_UnsupportedQuery",
    `The sandbox does not support ${what} for changes of groups.`,
  );
}
