import { randomUUID } from "node:crypto";
import type { Clock } from "../domain/clock.ts";
import type { Json, JsonObject } from "../domain/json.ts";
import { isJsonObject } from "../domain/json.ts";
import type { SandboxDatabase } from "./database.ts";
import { readMeta, writeMeta } from "./database.ts";
import {
  defaultSelect,
  GraphRefusal,
  type QueryOptions,
  readSelect,
  readToken,
  shownValue,
  writeToken,
} from "./graph-query.ts";
import { type PersonRow, personColumns, propertiesOf } from "./person.ts";

export interface DeltaOptions {
  /** Objects in one page; Graph's own limit is 200. */
  readonly pageSize: number;
  /** Age at which a token is refused; Graph keeps directory tokens for 7 days. */
  readonly tokenLifetimeMs: number;
  /** Repeats the last object of a page at the start of the next, as Graph may. */
  readonly replays: boolean;
  /** Leaves restored people out, as was observed with a narrow `$select`. */
  readonly missRestores: boolean;
}

/** How tokens issued so far are refused: 400 `syncStateNotFound`, or 410 with a Location to start again. */
export type Resync = "expired" | "gone";

/** Change tracking of people: `/users/delta`. */
export interface GraphDelta {
  /** `minimal`: the request said `Prefer: return=minimal`. */
  read(query: QueryOptions, minimal: boolean): JsonObject;
  /** Refuses all tokens issued so far. */
  forceResync(how: Resync): void;
}

/** The content of a token. Fields are short because links carry them. */
interface Position {
  /** All people (a first round), or the changes since `since`. */
  readonly full: boolean;
  readonly since: number;
  /** Last change that belongs to the round; `null` in the token that begins one. */
  readonly until: number | null;
  /** Last row (full) or change (otherwise) of the previous page. */
  readonly after: number;
  readonly select: readonly string[];
  readonly issued: number;
  /** The directory, and the generation of its tokens. */
  readonly epoch: string;
}

interface ChangeRow {
  readonly sequence: number;
  readonly person_id: string;
  readonly kind: "created" | "updated" | "manager" | "softDeleted" | "restored" | "purged";
  readonly properties: string;
  readonly previous_manager_id: string | null;
}

export function createGraphDelta(
  database: SandboxDatabase,
  origin: () => string,
  clock: Clock,
  options: DeltaOptions,
): GraphDelta {
  const everybody = database.prepare<[number, number], PersonRow>(
    `SELECT ${personColumns} FROM person WHERE seq > ? AND deleted = 0 ORDER BY seq LIMIT ?`,
  );
  const byId = database.prepare<[string], PersonRow>(`SELECT ${personColumns} FROM person WHERE id = ?`);
  // Each person once, at the place of their last change within the round.
  const changed = database.prepare<{ after: number; until: number; limit: number }, ChangeRow>(
    `SELECT * FROM change AS one WHERE sequence > @after AND sequence <= @until AND NOT EXISTS (
       SELECT 1 FROM change AS later WHERE later.person_id = one.person_id
         AND later.sequence > one.sequence AND later.sequence <= @until)
     ORDER BY sequence LIMIT @limit`,
  );
  const changesOf = database.prepare<[string, number, number], ChangeRow>(
    "SELECT * FROM change WHERE person_id = ? AND sequence > ? AND sequence <= ? ORDER BY sequence",
  );
  const latest = database
    .prepare<[], number>("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'change'), 0)")
    .pluck();
  const renewEpoch = () => writeMeta(database, "deltaEpoch", randomUUID().slice(0, 8));
  const epoch = () => readMeta(database, "deltaEpoch") ?? "";
  if (epoch() === "") renewEpoch();

  const position = (query: QueryOptions): Position => {
    const token = query.get("deltatoken");
    const page = query.get("skiptoken");
    const start = { since: 0, until: null, after: 0, issued: clock.now(), epoch: epoch() };
    if (page === undefined && (token === undefined || token === "" || token.toLowerCase() === "latest")) {
      refuseUnsupported(query);
      const raw = query.get("select");
      const select = raw === undefined ? defaultSelect : readSelect(raw, ["manager"]);
      if (token?.toLowerCase() !== "latest") return { ...start, full: true, select };
      const now = latest.get() ?? 0;
      // A round that is complete before it begins.
      return { ...start, full: false, since: now, until: now, after: now, select };
    }
    const given = positionOf(page ?? token ?? "");
    if (given === undefined) throw notFound();
    refuseOld(given);
    return given;
  };
  const refuseOld = (given: Position): void => {
    if (given.epoch !== epoch()) {
      if (readMeta(database, "deltaResync") === "gone") {
        const location = `${origin()}/v1.0/users/delta?$select=${given.select.join(",")}&$deltatoken=`;
        throw new GraphRefusal(
          410,
          "resyncRequired",
          "Resync required. Start again with the URL in the Location header.",
          {
            Location: location,
          },
        );
      }
      throw notFound();
    }
    if (clock.now() - given.issued > options.tokenLifetimeMs) throw notFound();
  };

  const linkTo = (name: "deltaLink" | "nextLink", target: Position): JsonObject => {
    const parameter = name === "deltaLink" ? "$deltatoken" : "$skiptoken";
    const token = writeToken({ ...target, issued: clock.now(), epoch: epoch() });
    return { [`@odata.${name}`]: `${origin()}/v1.0/users/delta?${parameter}=${token}` };
  };
  const answer = (
    at: Position,
    until: number,
    last: number | undefined,
    value: readonly Json[],
  ): JsonObject => ({
    "@odata.context": `${origin()}/v1.0/$metadata#users(${at.select.join(",")})`,
    ...(last === undefined
      ? linkTo("deltaLink", { ...at, full: false, since: until, until: null, after: until })
      : linkTo("nextLink", { ...at, until, after: last })),
    value,
  });

  const readFull = (at: Position): JsonObject => {
    const until = at.until ?? latest.get() ?? 0;
    const { rows, more } = fetchPage(at.after, 0, (after, limit) => everybody.all(after, limit));
    const value = rows.map((row) => ({ ...valuesOf(row, at.select), ...managerAtFirst(row, at.select) }));
    return answer(at, until, more ? rows.at(-1)?.seq : undefined, value);
  };
  const readChanges = (at: Position, minimal: boolean): JsonObject => {
    const until = at.until ?? latest.get() ?? 0;
    const { rows, more } = fetchPage(at.after, at.since, (after, limit) =>
      changed.all({ after, until, limit }),
    );
    const value = rows.flatMap((row) => {
      const shown = renderChange(
        row.person_id,
        changesOf.all(row.person_id, at.since, until),
        at.select,
        minimal,
      );
      return shown === undefined ? [] : [shown];
    });
    return answer(at, until, more ? rows.at(-1)?.sequence : undefined, value);
  };
  const fetchPage = <Row>(after: number, start: number, fetch: (after: number, limit: number) => Row[]) => {
    // One earlier, so that the page begins by repeating the last object of the previous page.
    const replay = options.replays && after > start ? 1 : 0;
    const rows = fetch(after - replay, options.pageSize + replay + 1);
    const size = options.pageSize + replay;
    return { rows: rows.slice(0, size), more: rows.length > size };
  };

  const renderChange = (
    id: string,
    changes: readonly ChangeRow[],
    select: readonly string[],
    minimal: boolean,
  ): JsonObject | undefined => {
    const row = byId.get(id);
    if (row === undefined) return { id, "@removed": { reason: "deleted" } };
    if (row.deleted === 1) return { id, "@removed": { reason: "changed" } };
    const tracked = changes.filter(({ kind }) => !(options.missRestores && kind === "restored"));
    const appeared = tracked.some(({ kind }) => kind === "created" || kind === "restored");
    const touched = new Set(
      tracked.flatMap(({ kind, properties }) => (kind === "updated" ? properties.split(",") : [])),
    );
    const moved = select.includes("manager") ? tracked.filter(({ kind }) => kind === "manager") : [];
    const relevant = select.filter((name) => touched.has(name));
    if (!appeared && relevant.length === 0 && moved.length === 0) return undefined;
    return {
      ...valuesOf(row, minimal && !appeared ? [...relevant, "id"] : select),
      ...(moved.length > 0 ? managerChange(row, moved) : appeared ? managerAtFirst(row, select) : {}),
    };
  };

  return {
    read: (query, minimal) => {
      const at = position(query);
      return at.full ? readFull(at) : readChanges(at, minimal);
    },
    forceResync: (how) => {
      writeMeta(database, "deltaResync", how);
      renewEpoch();
    },
  };
}

/** Selected properties that ever had a value; one that was cleared is null (an empty list if it is a collection). */
function valuesOf(row: PersonRow, select: readonly string[]): JsonObject {
  const properties = propertiesOf(row);
  const shown: Record<string, Json> = {};
  for (const name of select) {
    if (properties[name] !== undefined) shown[name] = shownValue(properties, name);
  }
  return shown;
}

function managerAtFirst(row: PersonRow, select: readonly string[]): JsonObject {
  if (row.manager_id === null || !select.includes("manager")) return {};
  return { "manager@delta": [managerLink(row.manager_id)] };
}

function managerChange(row: PersonRow, changes: readonly ChangeRow[]): JsonObject {
  const before = changes[0]?.previous_manager_id ?? null;
  const links: Json[] = [];
  if (before !== null && before !== row.manager_id) {
    links.push({ ...managerLink(before), "@removed": { reason: "deleted" } });
  }
  if (row.manager_id !== null) links.push(managerLink(row.manager_id));
  return links.length === 0 ? {} : { "manager@delta": links };
}

function managerLink(id: string): JsonObject {
  return { "@odata.type": "#microsoft.graph.user", id };
}

function positionOf(token: string): Position | undefined {
  const content = readToken(token);
  if (!isJsonObject(content)) return undefined;
  const { full, since, until, after, select, issued, epoch } = content;
  if (
    typeof full !== "boolean" ||
    typeof since !== "number" ||
    (typeof until !== "number" && until !== null) ||
    typeof after !== "number" ||
    !Array.isArray(select) ||
    typeof issued !== "number" ||
    typeof epoch !== "string"
  ) {
    return undefined;
  }
  return { full, since, until, after, select: select.map(String), issued, epoch };
}

/** `$expand` and `$top` are ignored on delta, other options are refused. */
function refuseUnsupported(query: QueryOptions): void {
  for (const name of ["filter", "orderby", "search"]) {
    if (query.has(name)) {
      throw new GraphRefusal(
        400,
        "Request_UnsupportedQuery",
        `The sandbox does not support $${name} with delta queries.`,
      );
    }
  }
}

function notFound(): GraphRefusal {
  return new GraphRefusal(
    400,
    "syncStateNotFound",
    "The sync state generation is not found; it may have expired. Start a full synchronization.",
  );
}
