import type { JsonObject } from "../domain/json.ts";
import type { SandboxDatabase } from "./database.ts";
import {
  type Expansion,
  GraphRefusal,
  nextLink,
  pageOf,
  type QueryOptions,
  readEquality,
  readExpand,
  readPosition,
  readSelect,
  readTop,
  renderUser,
} from "./graph-query.ts";
import { type PersonRow, personColumns } from "./person.ts";

/** Reads of people: the list, one person, the recycle bin. */
export interface GraphUsers {
  list(url: URL, query: QueryOptions): JsonObject;
  one(idOrUserPrincipalName: string, query: QueryOptions): JsonObject;
  deleted(url: URL, query: QueryOptions): JsonObject;
}

export function createGraphUsers(database: SandboxDatabase, origin: () => string): GraphUsers {
  const page = database.prepare<[number, number], PersonRow>(
    `SELECT ${personColumns} FROM person WHERE seq > ? AND deleted = 0 ORDER BY seq LIMIT ?`,
  );
  const deletedPage = database.prepare<[number, number], PersonRow>(
    `SELECT ${personColumns} FROM person WHERE seq > ? AND deleted = 1 ORDER BY seq LIMIT ?`,
  );
  const byId = database.prepare<[string], PersonRow>(
    `SELECT ${personColumns} FROM person WHERE id = ? AND deleted = 0`,
  );
  const byUPN = database.prepare<[string], PersonRow>(
    `SELECT ${personColumns} FROM person WHERE upn_key = ? AND deleted = 0`,
  );
  const context = () => `${origin()}/v1.0/$metadata#users`;

  const render = (
    row: PersonRow,
    select: readonly string[],
    expansion: Expansion | undefined,
  ): JsonObject => {
    const shown = renderUser(row, select);
    if (expansion !== undefined && row.manager_id !== null) {
      const manager = expansion.select.length === 1 ? undefined : byId.get(row.manager_id);
      const values = manager === undefined ? { id: row.manager_id } : renderUser(manager, expansion.select);
      shown.manager = { "@odata.type": "#microsoft.graph.user", ...values };
    }
    return shown;
  };
  const found = (query: QueryOptions, filter: string): readonly PersonRow[] => {
    const { property, value } = readEquality(filter, ["userPrincipalName", "id"]);
    const row = property === "id" ? byId.get(value) : byUPN.get(value.toLowerCase());
    readPosition(query);
    return row === undefined ? [] : [row];
  };

  return {
    list: (url, query) => {
      const select = readSelect(query.get("select"));
      const expansion = readExpand(query.get("expand"));
      const top = readTop(query.get("top"));
      const filter = query.get("filter");
      const rows = filter === undefined ? page.all(readPosition(query), top + 1) : found(query, filter);
      const linkTo = (position: number) => nextLink(origin(), url, position);
      return {
        "@odata.context": context(),
        ...pageOf(rows, top, linkTo, (row) => render(row, select, expansion)),
      };
    },
    one: (key, query) => {
      const select = readSelect(query.get("select"));
      const expansion = readExpand(query.get("expand"));
      const row = key.includes("@") ? byUPN.get(key.toLowerCase()) : byId.get(key.toLowerCase());
      if (row === undefined) {
        throw new GraphRefusal(
          404,
          "Request_ResourceNotFound",
          `Resource '${key}' does not exist or one of its queried reference-property objects are not present.`,
        );
      }
      return { "@odata.context": `${context()}/$entity`, ...render(row, select, expansion) };
    },
    deleted: (url, query) => {
      const select = readSelect(query.get("select"));
      const top = readTop(query.get("top"));
      const rows = deletedPage.all(readPosition(query), top + 1);
      const linkTo = (position: number) => nextLink(origin(), url, position);
      return {
        "@odata.context": `${origin()}/v1.0/$metadata#directory/deletedItems/microsoft.graph.user`,
        ...pageOf(rows, top, linkTo, (row) => renderUser(row, select)),
      };
    },
  };
}
