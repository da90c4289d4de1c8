import type { ServerResponse } from "node:http";
import { isJsonObject, type Json, type JsonObject } from "../../src/domain/json.ts";
import { apiKey, json, listOf, type SeenRequest, scimError, serve } from "./loopback.ts";

type Account = { [key: string]: Json };

/** In what a server differs from one that keeps to RFC 7643 and 7644 in the usual way. */
export interface Manners {
  /** Answers requests before the server looks at them. @returns whether it did */
  readonly answer?: (request: SeenRequest, response: ServerResponse, base: string) => boolean;
  /** The form in which a written account is kept. */
  readonly keep?: (account: Account) => Account;
  /** The form in which an account is shown: by a read, and in the answer to a write, which may show the earlier one. */
  readonly show?: (
    account: Account,
    context: { written: boolean; before: Account | undefined; base: string },
  ) => Account;
  readonly created?: "location" | "idAlone";
  readonly emptyAnswers?: boolean;
  readonly versions?: boolean;
  readonly total?: (count: number) => Json | undefined;
  readonly filters?: boolean;
}

export interface StrictServer {
  readonly url: string;
  readonly accounts: Map<string, Account>;
  readonly requests: readonly SeenRequest[];
  /** Parts of requests that RFC 7644 does not allow, or that Lattice does not accept. */
  readonly faults: string[];
}

const core = "urn:ietf:params:scim:schemas:core:2.0:User";
const patchOp = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/** A small SCIM server that looks closely at each request, until the test is over. */
export async function startStrict(manners: Manners = {}): Promise<StrictServer> {
  const accounts = new Map<string, Account>();
  const versions = new Map<string, number>();
  const faults: string[] = [];
  let made = 0;
  const keep = (id: string, account: Account): Account => {
    const kept = { ...(manners.keep ?? ((same) => same))(account), id };
    accounts.set(id, kept);
    versions.set(id, (versions.get(id) ?? 0) + 1);
    return kept;
  };
  const etag = (id: string): string => `W/"${versions.get(id)}"`;
  const shown = (account: Account, written: boolean, before?: Account): Account =>
    (manners.show ?? ((same) => same))(account, { written, before, base: server.url });

  const write = (request: SeenRequest, response: ServerResponse, id: string, before: Account): void => {
    const body: JsonObject = JSON.parse(request.body);
    if (manners.versions && request.ifMatch !== etag(id)) {
      scimError(response, request.ifMatch === undefined ? 428 : 412, "If-Match is needed");
      return;
    }
    if (request.method === "PUT" && body.id !== id) faults.push("PUT of another id");
    const after = keep(id, request.method === "PUT" ? { ...body } : patched(before, body, faults));
    if (taken(after)) {
      accounts.set(id, before);
      scimError(response, 409, "taken", { scimType: "uniqueness" });
    } else if (manners.emptyAnswers) response.writeHead(204).end();
    else json(response, 200, shown(after, true, before));
  };
  const taken = (account: Account): boolean =>
    [...accounts.values()].some(
      (other) =>
        other.id !== account.id &&
        String(other.userName).toLowerCase() === String(account.userName).toLowerCase(),
    );
  const create = (request: SeenRequest, response: ServerResponse): void => {
    const account: Account = JSON.parse(request.body);
    if (taken(account)) {
      scimError(response, 409, "taken", { scimType: "uniqueness" });
      return;
    }
    made += 1;
    const id = `lattice-${made}`;
    const kept = keep(id, { active: true, ...account });
    const location = { Location: `${server.url}/Users/${id}` };
    if (manners.created === "location") response.writeHead(201, location).end();
    else json(response, 201, manners.created === "idAlone" ? { id } : shown(kept, true), location);
  };
  const list = (url: URL, response: ServerResponse): void => {
    const filter = url.searchParams.get("filter");
    const match = /^(userName|externalId) eq "(.*)"$/.exec(filter ?? "");
    if (filter !== null && (manners.filters === false || match === null)) {
      scimError(response, manners.filters === false ? 501 : 400, "no such filter");
      return;
    }
    const found = [...accounts.values()].filter(
      (account) =>
        match === null || String(account[match[1] ?? ""]).toLowerCase() === match[2]?.toLowerCase(),
    );
    const from = Number(url.searchParams.get("startIndex") ?? 1) - 1;
    const page = found.slice(from, from + Number(url.searchParams.get("count") ?? 100));
    const total = manners.total === undefined ? found.length : manners.total(found.length);
    json(response, 200, { ...listOf(page.map((account) => shown(account, false))), totalResults: total });
  };

  const server = await serve((request, response) => {
    faults.push(...faultsOf(request));
    if (manners.answer?.(request, response, server.url)) return;
    const url = new URL(request.url, server.url);
    const id = /\/Users\/([^/]+)$/.exec(url.pathname)?.[1];
    const account = id === undefined ? undefined : accounts.get(id);
    if (url.pathname.endsWith("/ServiceProviderConfig")) json(response, 200, { patch: { supported: true } });
    else if (id === undefined && url.pathname.endsWith("/Users")) {
      if (request.method === "POST") create(request, response);
      else list(url, response);
    } else if (id === undefined || account === undefined) scimError(response, 404, "no such resource");
    else if (request.method === "GET") {
      json(response, 200, shown(account, false), manners.versions ? { ETag: etag(id) } : {});
    } else write(request, response, id, account);
  });
  return { url: server.url, accounts, requests: server.requests, faults };
}

/** RFC 7644 section 3.5.2, as far as this program may use it: whole attributes and sub-attributes, no filters. */
function patched(account: Account, body: JsonObject, faults: string[]): Account {
  const result: Account = JSON.parse(JSON.stringify(account));
  for (const operation of Array.isArray(body.Operations) ? body.Operations.filter(isJsonObject) : []) {
    const { op, path, value } = operation;
    const match = /^(?:(urn:.+):)?([A-Za-z]+)(?:\.([A-Za-z]+))?$/.exec(String(path));
    const attribute = match?.[2];
    if (match === null || attribute === undefined) {
      faults.push(`the path ${String(path)}`);
      continue;
    }
    const urn = match[1] === undefined ? undefined : (keyLike(result, match[1]) ?? match[1]);
    const block: Account = urn === undefined ? result : { ...objectAt(result, urn) };
    if (urn !== undefined) result[urn] = block;
    const key = keyLike(block, attribute) ?? attribute;
    const part = match[3];
    if (part !== undefined)
      block[key] = { ...objectAt(block, key), [part]: op === "remove" ? null : (value ?? null) };
    else if (op === "remove") delete block[key];
    else if (isJsonObject(value)) {
      // Sub-attributes that are not named stay (section 3.5.2.3).
      const stays = op === "replace" ? objectAt(block, key) : {};
      block[key] = { ...stays, ...value };
    } else block[key] = value ?? null;
    if (part !== undefined && op === "remove") {
      const { [part]: _gone, ...rest } = objectAt(block, key);
      block[key] = rest;
    }
  }
  return result;
}

function keyLike(object: JsonObject, name: string): string | undefined {
  return Object.keys(object).find((key) => key.toLowerCase() === name.toLowerCase());
}

function objectAt(object: JsonObject, key: string): JsonObject {
  const found = object[key];
  return isJsonObject(found) ? found : {};
}

function faultsOf({ method, authorization, contentType, body }: SeenRequest): string[] {
  const faults = authorization === `Bearer ${apiKey}` ? [] : ["no key"];
  if (method === "GET") return faults;
  if (contentType !== "application/scim+json") faults.push(`the content type ${contentType}`);
  const sent: JsonObject = JSON.parse(body);
  if (method === "PATCH") {
    if (JSON.stringify(sent.schemas) !== JSON.stringify([patchOp])) faults.push("PATCH without its schema");
    const operations = Array.isArray(sent.Operations) ? sent.Operations.filter(isJsonObject) : [];
    if (operations.length === 0) faults.push("PATCH without operations");
    for (const { op, path, value } of operations) {
      if (!["add", "replace", "remove"].includes(String(op))) faults.push(`the operation ${String(op)}`);
      if (typeof path !== "string") faults.push("an operation without a path");
      if (op === "remove" ? value !== undefined : value === undefined || value === null)
        faults.push(`the value of ${String(op)}`);
      faults.push(...emptyEntries(value));
    }
    return faults;
  }
  const blocks = Object.keys(sent).filter((key) => key.toLowerCase().startsWith("urn:"));
  const named = (Array.isArray(sent.schemas) ? sent.schemas : []).map(String).sort();
  const right = [core, ...blocks].sort();
  if (JSON.stringify(named) !== JSON.stringify(right))
    faults.push(`schemas ${named.join()} of ${right.join()}`);
  const spelled = Object.keys(sent).map((key) => key.toLowerCase());
  if (new Set(spelled).size < spelled.length) faults.push("an attribute twice");
  if ("meta" in sent) faults.push("meta is the server's");
  return [...faults, ...Object.values(sent).flatMap(emptyEntries)];
}

function emptyEntries(value: Json | undefined): string[] {
  if (!Array.isArray(value)) return [];
  return value.some((entry) => entry === "" || (isJsonObject(entry) && (entry.value ?? "") === ""))
    ? ["an entry without a value"]
    : [];
}
