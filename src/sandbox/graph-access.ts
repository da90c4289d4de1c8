import type { JsonObject } from "../domain/json.ts";
import type { SandboxDatabase } from "./database.ts";
import {
  GraphRefusal,
  nextLink,
  pageOf,
  type QueryOptions,
  readEquality,
  readPosition,
  readSelect,
  readTop,
  renderUser,
} from "./graph-query.ts";
import { type PersonRow, personColumns } from "./person.ts";

interface GroupRow {
  readonly seq: number;
  readonly id: string;
  readonly name: string;
}

interface ApplicationRow extends GroupRow {
  readonly appId: string;
}

interface AssignmentRow {
  readonly seq: number;
  readonly id: string;
  readonly principal_id: string;
  readonly principal_type: "User" | "Group";
  readonly principal_name: string | null;
}

/** Reads of groups, service principals and assignments. */
export interface GraphAccess {
  groups(query: QueryOptions): JsonObject;
  group(id: string): JsonObject;
  /** People of a group; `nested`: of the groups in it too (transitiveMembers). */
  members(groupId: string, nested: boolean, url: URL, query: QueryOptions): JsonObject;
  /** Groups of a person; `nested`: those around them too (transitiveMemberOf). */
  memberOf(personId: string, nested: boolean, url: URL, query: QueryOptions): JsonObject;
  servicePrincipals(query: QueryOptions): JsonObject;
  servicePrincipal(id: string): JsonObject;
  assignments(servicePrincipalId: string, url: URL, query: QueryOptions): JsonObject;
}

/** Groups within a group, itself included; nesting may be circular. */
const nestedGroups = `WITH RECURSIVE inside (id) AS (
  VALUES (@group) UNION
  SELECT member_id FROM member JOIN inside ON member.group_id = inside.id WHERE member.kind = 'group')`;

const onlyThisGroup = "WITH inside (id) AS (VALUES (@group))";

/** Groups around a person; nesting may be circular. */
const groupsAround = (nested: boolean): string => `WITH RECURSIVE around (id) AS (
  SELECT group_id FROM member WHERE member_id = @person
  ${nested ? "UNION SELECT group_id FROM member JOIN around ON member.member_id = around.id" : ""})
  SELECT seq, id, display_name AS name FROM directory_group
  WHERE seq > @after AND id IN (SELECT id FROM around) ORDER BY seq LIMIT @limit`;

const isMember = `deleted = 0 AND EXISTS (
  SELECT 1 FROM member WHERE member_id = person.id AND group_id IN (SELECT id FROM inside))`;

export function createGraphAccess(database: SandboxDatabase, origin: () => string): GraphAccess {
  const groupById = database.prepare<[string], GroupRow>(
    "SELECT seq, id, display_name AS name FROM directory_group WHERE id = ?",
  );
  const groupsByName = database.prepare<[string], GroupRow>(
    "SELECT seq, id, display_name AS name FROM directory_group WHERE display_name = ? COLLATE NOCASE ORDER BY seq",
  );
  const applicationColumns = "SELECT seq, id, app_id AS appId, display_name AS name FROM application";
  const applicationById = database.prepare<[string], ApplicationRow>(`${applicationColumns} WHERE id = ?`);
  const applicationByAppId = database.prepare<[string], ApplicationRow>(
    `${applicationColumns} WHERE app_id = ?`,
  );
  const applicationsByName = database.prepare<[string], ApplicationRow>(
    `${applicationColumns} WHERE display_name = ? COLLATE NOCASE ORDER BY seq`,
  );
  const assignmentPage = database.prepare<[string, number, number], AssignmentRow>(
    `SELECT assignment.seq, assignment.id, principal_id, principal_type, directory_group.display_name AS principal_name
     FROM assignment
     LEFT JOIN person ON person.id = principal_id
     LEFT JOIN directory_group ON directory_group.id = principal_id
     WHERE application_id = ? AND assignment.seq > ? AND coalesce(person.deleted, 0) = 0
     ORDER BY assignment.seq LIMIT ?`,
  );
  const membership = (groups: string) => ({
    page: database.prepare<{ group: string; after: number; limit: number }, PersonRow>(
      `${groups} SELECT ${personColumns} FROM person WHERE seq > @after AND ${isMember} ORDER BY seq LIMIT @limit`,
    ),
    count: database
      .prepare<{ group: string }, number>(`${groups} SELECT count(*) FROM person WHERE ${isMember}`)
      .pluck(),
  });
  const personById = database.prepare<{ key: string }, { id: string }>(
    "SELECT id FROM person WHERE (id = @key OR upn_key = lower(@key)) AND deleted = 0",
  );
  type Around = { person: string; after: number; limit: number };
  const directlyAround = database.prepare<Around, GroupRow>(groupsAround(false));
  const allAround = database.prepare<Around, GroupRow>(groupsAround(true));
  const direct = membership(onlyThisGroup);
  const transitive = membership(nestedGroups);

  const context = (what: string) => ({ "@odata.context": `${origin()}/v1.0/$metadata#${what}` });
  const needGroup = (id: string): GroupRow => groupById.get(id) ?? notFound(id);
  const needApplication = (id: string): ApplicationRow => applicationById.get(id) ?? notFound(id);

  return {
    groups: (query) => {
      const filter = query.get("filter");
      if (filter === undefined)
        throw new GraphRefusal(
          400,
          "Request_UnsupportedQuery",
          "The sandbox lists groups by displayName only.",
        );
      const rows = groupsByName.all(readEquality(filter, ["displayName"]).value);
      return { ...context("groups"), value: rows.map(renderGroup) };
    },
    group: (id) => ({ ...context("groups/$entity"), ...renderGroup(needGroup(id)) }),
    members: (groupId, nested, url, query) => {
      needGroup(groupId);
      const statements = nested ? transitive : direct;
      const select = readSelect(query.get("select"));
      const top = readTop(query.get("top"));
      const after = readPosition(query);
      const rows = statements.page.all({ group: groupId, after, limit: top + 1 });
      const counted = query.get("count") === "true" && after === 0;
      const linkTo = (position: number) => nextLink(origin(), url, position);
      return {
        ...context("users"),
        ...(counted ? { "@odata.count": statements.count.get({ group: groupId }) ?? 0 } : {}),
        ...pageOf(rows, top, linkTo, (row) => renderUser(row, select)),
      };
    },
    memberOf: (personId, nested, url, query) => {
      const person = personById.get({ key: personId }) ?? notFound(personId);
      const top = readTop(query.get("top"));
      const statement = nested ? allAround : directlyAround;
      const rows = statement.all({ person: person.id, after: readPosition(query), limit: top + 1 });
      const linkTo = (position: number) => nextLink(origin(), url, position);
      return {
        ...context("directoryObjects"),
        ...pageOf(rows, top, linkTo, (row) => ({
          "@odata.type": "#microsoft.graph.group",
          ...renderGroup(row),
        })),
      };
    },
    servicePrincipals: (query) => {
      const filter = query.get("filter");
      if (filter === undefined) {
        throw new GraphRefusal(
          400,
          "Request_UnsupportedQuery",
          "The sandbox lists service principals by appId or displayName only.",
        );
      }
      const { property, value } = readEquality(filter, ["appId", "displayName"]);
      const byAppId = property === "appId" ? applicationByAppId.get(value.toLowerCase()) : undefined;
      const rows =
        property === "displayName" ? applicationsByName.all(value) : byAppId === undefined ? [] : [byAppId];
      return { ...context("servicePrincipals"), value: rows.map(renderApplication) };
    },
    servicePrincipal: (id) => ({
      ...context("servicePrincipals/$entity"),
      ...renderApplication(needApplication(id)),
    }),
    assignments: (id, url, query) => {
      const application = needApplication(id);
      const top = readTop(query.get("top"));
      const rows = assignmentPage.all(id, readPosition(query), top + 1);
      const linkTo = (position: number) => nextLink(origin(), url, position);
      return {
        ...context("appRoleAssignments"),
        ...pageOf(rows, top, linkTo, (row) => renderAssignment(row, application)),
      };
    },
  };
}

function renderGroup({ id, name }: GroupRow): JsonObject {
  return {
    id,
    displayName: name,
    mailEnabled: false,
    securityEnabled: true,
    groupTypes: [],
    mailNickname: id.slice(0, 8),
  };
}

function renderApplication({ id, appId, name }: ApplicationRow): JsonObject {
  return {
    id,
    appId,
    displayName: name,
    accountEnabled: true,
    servicePrincipalType: "Application",
    appRoles: [],
  };
}

function renderAssignment(row: AssignmentRow, application: ApplicationRow): JsonObject {
  return {
    id: row.id,
    // The default access role: all zeros.
    appRoleId: "00000000-0000-0000-0000-000000000000",
    principalId: row.principal_id,
    principalType: row.principal_type,
    principalDisplayName: row.principal_name,
    resourceId: application.id,
    resourceDisplayName: application.name,
  };
}

function notFound(id: string): never {
  throw new GraphRefusal(
    404,
    "Request_ResourceNotFound",
    `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`,
  );
}
