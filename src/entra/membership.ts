import { isJsonObject } from "../domain/json.ts";
import type { GraphReader } from "./graph-client.ts";
import { type GraphCall, isConfirmedAbsence } from "./graph-error.ts";
import type { NamedGroups } from "./options.ts";
import { readPages } from "./pages.ts";
import { directName, findNamedGroup, groupName, type NamedScope, readParts } from "./scope.ts";
import { parseId } from "./users.ts";

/**
 * The parts of the scope, by name, that each of a few people is a member of. Needs no permission beyond those of the scope:
 * for groups that must not be read, Graph still gives the ids ("List a user's memberships"). `checkMemberGroups` would not be
 * cheaper for one person, and cannot tell direct membership from indirect.
 * @throws ConfigurationError, HostUnavailableError
 */
export async function readMembership(
  graph: GraphReader,
  scope: NamedScope,
  objectIds: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const groups = new Map<string, string>();
  const assigned = new Set<string>();
  for await (const page of readParts(graph, scope, signal)) {
    for (const { id, name } of page.groups) groups.set(id, name);
    for (const id of page.users) assigned.add(id);
  }
  const found = new Map<string, readonly string[]>();
  for (const objectId of objectIds) {
    const names = assigned.has(objectId.toLowerCase()) ? [directName] : [];
    if (groups.size > 0) {
      for (const id of await groupsOf(graph, objectId, scope.nested, signal)) {
        const name = groups.get(id);
        if (name !== undefined) names.push(groupName(name));
      }
    }
    found.set(objectId, names);
  }
  return found;
}

/**
 * Which of the groups of scoping filters each of a few people is a member of, by the group as it is configured.
 * @throws ConfigurationError, HostUnavailableError
 */
export async function readNamedMembership(
  graph: GraphReader,
  { names, nested }: NamedGroups,
  objectIds: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const ids = new Map<string, string>();
  for (const name of names) ids.set(name, await findNamedGroup(graph, name, signal));
  const found = new Map<string, ReadonlySet<string>>();
  for (const objectId of objectIds) {
    const groups = await groupsOf(graph, objectId, nested, signal);
    found.set(objectId, new Set(names.filter((name) => groups.has(ids.get(name) ?? ""))));
  }
  return found;
}

async function groupsOf(
  graph: GraphReader,
  objectId: string,
  nested: boolean,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const relation = nested ? "transitiveMemberOf" : "memberOf";
  const url = new URL(
    `/v1.0/users/${encodeURIComponent(objectId)}/${relation}?$select=id&$top=999`,
    graph.origin,
  );
  const call: GraphCall = {
    subject: "the groups of a user",
    permission: "GroupMember.Read.All",
    ofOnePerson: true,
  };
  const host = new URL(graph.origin).host;
  const ids = new Set<string>();
  try {
    for await (const items of readPages(graph, url, call, signal)) {
      for (const item of items)
        ids.add(parseId(isJsonObject(item) ? item : {}, "a group of a user", { host }));
    }
  } catch (error) {
    // The person was removed after the read: a member of no group.
    if (!isConfirmedAbsence(error)) throw error;
  }
  return ids;
}
