import { fitsAddress } from "../domain/address.ts";
import { ConfigurationError } from "../domain/errors.ts";
import { isJsonObject } from "../domain/json.ts";
import { count } from "../domain/sentence.ts";
import type { ScopePart } from "../domain/source.ts";
import type { GraphReader } from "./graph-client.ts";
import { type GraphCall, GraphRefusalError, malformed } from "./graph-error.ts";
import type { EntraScope, NamedGroups } from "./options.ts";
import { readPages } from "./pages.ts";
import { parseId } from "./users.ts";

/** A scope that names an application or groups, so not everybody. */
export type NamedScope = Exclude<EntraScope, { mode: "all" }>;

const objectIdForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const readApplications = "Application.Read.All";
/** The permission to read groups and their members. */
export const readGroups = "GroupMember.Read.All";
const groupsSetting = "entra.scope.groups";
const canarySetting = "rollout.canary.group";
const namedSetting = "entra.scope.filters or the expression that names it";

/**
 * Object ids of the people in scope, in pages, possibly repeated, and at the end the parts of the scope.
 * @throws ConfigurationError if the application or a group is missing or its name is ambiguous
 */
export async function* readScope(
  graph: GraphReader,
  scope: NamedScope,
  signal: AbortSignal,
): AsyncGenerator<readonly string[], readonly ScopePart[]> {
  const groups = new Map<string, string>();
  const parts: ScopePart[] = [];
  let direct = 0;
  for await (const page of readParts(graph, scope, signal)) {
    for (const { id, name } of page.groups) groups.set(id, name);
    direct += page.users.length;
    if (page.users.length > 0) yield page.users;
  }
  if (scope.mode === "assigned") parts.push({ id: "direct", name: directName, members: direct });
  const setting = scope.mode === "assigned" ? "the application's assignments" : groupsSetting;
  for (const [id, name] of groups) {
    let members = 0;
    for await (const page of readMembers(graph, id, { nested: scope.nested, setting }, signal)) {
      members += page.length;
      yield page;
    }
    parts.push({ id, name: groupName(name), members });
  }
  return parts;
}

/** `true` for the object id of a group, and not for the part of the people who are assigned one by one. */
export function isObjectId(text: string): boolean {
  return objectIdForm.test(text);
}

/** How messages name the people who are assigned one by one. */
export const directName = "the direct assignments";

/** How messages name a group. */
export function groupName(name: string): string {
  return `the group "${name}"`;
}

/**
 * The content of the scope in pages: people who are assigned one by one, and groups.
 * @throws ConfigurationError if the application or a group is missing or its name is ambiguous
 */
export async function* readParts(
  graph: GraphReader,
  scope: NamedScope,
  signal: AbortSignal,
): AsyncGenerator<ScopePage, void> {
  if (scope.mode === "assigned") {
    const application = await findApplication(graph, scope.application, signal);
    yield* readAssignments(graph, application, scope.application, signal);
    return;
  }
  for (const group of scope.groups) {
    yield { users: [], groups: [{ id: await findGroup(graph, group, groupsSetting, signal), name: group }] };
  }
}

export interface ScopePage {
  readonly users: readonly string[];
  readonly groups: readonly { readonly id: string; readonly name: string }[];
}

/**
 * Object ids of the members of a group that the configuration names, in pages, possibly repeated.
 * @throws ConfigurationError if the group is missing or its name is ambiguous
 */
export async function* readNamedGroup(
  graph: GraphReader,
  name: string,
  { nested, setting = namedSetting }: { readonly nested: boolean; readonly setting?: string | undefined },
  signal: AbortSignal,
): AsyncGenerator<readonly string[], ScopePart> {
  const id = await findGroup(graph, name, setting, signal);
  let members = 0;
  for await (const page of readMembers(graph, id, { nested, setting }, signal)) {
    members += page.length;
    yield page;
  }
  return { id: `filters/${id}`, name: groupName(name), members, usedBy: "filters" };
}

/** The first page of each group that scoping filters and expressions name, in words. */
export async function sampleNamedGroups(
  graph: GraphReader,
  { names, nested }: NamedGroups,
  signal: AbortSignal,
): Promise<string> {
  return `All groups that scoping filters and expressions name exist. Users on the first page of members: ${await sampleGroups(graph, names, { nested, setting: namedSetting }, signal)}.`;
}

/** The first page of the group of a canary, in words. */
export async function sampleCanaryGroup(
  graph: GraphReader,
  { name, nested }: { readonly name: string; readonly nested: boolean },
  signal: AbortSignal,
): Promise<string> {
  return `The group exists. Users on the first page of members: ${await sampleGroups(graph, [name], { nested, setting: canarySetting }, signal)}.`;
}

async function sampleGroups(
  graph: GraphReader,
  names: readonly string[],
  { nested, setting }: { readonly nested: boolean; readonly setting: string },
  signal: AbortSignal,
): Promise<string> {
  const counts: string[] = [];
  for (const name of names) {
    const group = await findGroup(graph, name, setting, signal);
    const members = await firstOf(readMembers(graph, group, { nested, setting }, signal));
    counts.push(`"${name}" ${members?.length ?? 0}`);
  }
  return counts.join(", ");
}

/** Describes the first pages of a scope; also proves that every kind of request it needs is allowed. */
export async function sampleScope(
  graph: GraphReader,
  scope: NamedScope,
  signal: AbortSignal,
): Promise<string> {
  if (scope.mode === "assigned") {
    const application = await findApplication(graph, scope.application, signal);
    const page = await firstOf(readAssignments(graph, application, scope.application, signal));
    const { users = [], groups = [] } = page ?? {};
    const [group] = groups;
    if (group !== undefined) await firstOf(readMembers(graph, group.id, { nested: scope.nested }, signal));
    return `The application "${scope.application}" exists. On the first page of its assignments: ${count(users.length, "user")} and ${count(groups.length, "group")}.`;
  }
  const counts = await sampleGroups(
    graph,
    scope.groups,
    { nested: scope.nested, setting: groupsSetting },
    signal,
  );
  return `All groups exist. Users on the first page of members: ${counts}.`;
}

/** Separates the users from the groups that are assigned to an application; drops other principals. */
function parseAssignments(items: readonly unknown[], host: string): ScopePage {
  const users: string[] = [];
  const groups: { id: string; name: string }[] = [];
  for (const item of items) {
    const { principalId, principalType, principalDisplayName } = isJsonObject(item) ? item : {};
    if (typeof principalId !== "string" || !fitsAddress(principalId)) {
      throw malformed(host, "an app role assignment has no principalId");
    }
    const id = principalId.toLowerCase();
    if (principalType === "User") users.push(id);
    if (principalType === "Group") {
      groups.push({ id, name: typeof principalDisplayName === "string" ? principalDisplayName : id });
    }
  }
  return { users, groups };
}

async function* readAssignments(graph: GraphReader, objectId: string, name: string, signal: AbortSignal) {
  const url = new URL(
    `/v1.0/servicePrincipals/${encodeURIComponent(objectId)}/appRoleAssignedTo?$top=999`,
    graph.origin,
  );
  const call: GraphCall = {
    subject: `the assignments of the enterprise application "${name}"`,
    permission: readApplications,
  };
  for await (const items of readPages(graph, url, call, signal)) {
    yield parseAssignments(items, new URL(graph.origin).host);
  }
}

async function* readMembers(
  graph: GraphReader,
  group: string,
  { nested, setting = "the scope" }: { readonly nested: boolean; readonly setting?: string },
  signal: AbortSignal,
): AsyncGenerator<readonly string[], void> {
  const relation = nested ? "transitiveMembers" : "members";
  const url = new URL(
    `/v1.0/groups/${encodeURIComponent(group)}/${relation}/microsoft.graph.user?$select=id&$top=999&$count=true`,
    graph.origin,
  );
  // A cast to users is an "advanced query": it needs $count and, on every page, this header.
  const call: GraphCall = {
    subject: `the members of the group ${group}`,
    permission: readGroups,
    headers: { ConsistencyLevel: "eventual" },
  };
  const host = new URL(graph.origin).host;
  try {
    for await (const items of readPages(graph, url, call, signal)) {
      yield items.map((item) => parseId(isJsonObject(item) ? item : {}, "a member of a group", { host }));
    }
  } catch (error) {
    throw isNotFound(error) ? missing("group", group, setting) : error;
  }
}

async function findApplication(
  graph: GraphReader,
  application: string,
  signal: AbortSignal,
): Promise<string> {
  const call: GraphCall = {
    subject: `the enterprise application "${application}"`,
    permission: readApplications,
  };
  if (objectIdForm.test(application)) {
    const direct = new URL(`/v1.0/servicePrincipals/${application}?$select=id`, graph.origin);
    const found = await graph.get(direct, call, signal).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (found !== undefined) return parseId(found, call.subject, { host: new URL(graph.origin).host });
  }
  const property = objectIdForm.test(application) ? "appId" : "displayName";
  const ids = await findByProperty(graph, "servicePrincipals", property, application, call, signal);
  return theOnly(ids, "enterprise application", application, "entra.scope.application");
}

/** Object id of a group that scoping filters or expressions name. @throws ConfigurationError if it is missing or ambiguous */
export function findNamedGroup(graph: GraphReader, name: string, signal: AbortSignal): Promise<string> {
  return findGroup(graph, name, namedSetting, signal);
}

async function findGroup(
  graph: GraphReader,
  group: string,
  setting: string,
  signal: AbortSignal,
): Promise<string> {
  // A missing id is noticed when its members are read, so no request is needed to check it.
  if (objectIdForm.test(group)) return group.toLowerCase();
  const call: GraphCall = { subject: `the group "${group}"`, permission: readGroups };
  const ids = await findByProperty(graph, "groups", "displayName", group, call, signal);
  return theOnly(ids, "group", group, setting);
}

async function findByProperty(
  graph: GraphReader,
  collection: string,
  property: string,
  value: string,
  call: GraphCall,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const filter = encodeURIComponent(`${property} eq '${value.toWellFormed().replaceAll("'", "''")}'`);
  const url = new URL(`/v1.0/${collection}?$filter=${filter}&$select=id`, graph.origin);
  const host = new URL(graph.origin).host;
  const ids: string[] = [];
  for await (const items of readPages(graph, url, call, signal)) {
    for (const item of items) ids.push(parseId(isJsonObject(item) ? item : {}, call.subject, { host }));
  }
  return ids;
}

function theOnly(ids: readonly string[], kind: string, name: string, setting: string): string {
  const [id, ...others] = ids;
  if (id === undefined) throw missing(kind, name, setting);
  if (others.length > 0) {
    throw new ConfigurationError(
      `Entra has ${ids.length} ${kind}s named "${name}" (${ids.slice(0, 5).join(", ")}). Set ${setting} to the object ID of the right one.`,
    );
  }
  return id;
}

function missing(kind: string, name: string, setting: string): ConfigurationError {
  const consequence = setting === canarySetting ? "" : ", so the scope cannot be read";
  return new ConfigurationError(`Entra has no ${kind} "${name}"${consequence}. Check ${setting}.`);
}

function isNotFound(error: unknown): boolean {
  return error instanceof GraphRefusalError && error.status === 404;
}

async function firstOf<T>(pages: AsyncGenerator<T, void>): Promise<T | undefined> {
  for await (const page of pages) return page;
  return undefined;
}
