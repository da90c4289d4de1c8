import { Client, type Context, HTTPMessageHandler, type Middleware } from "@microsoft/microsoft-graph-client";
import type { Json, JsonObject } from "../../src/domain/json.ts";
import { isJsonObject } from "../../src/domain/json.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";

/** Requests a token from the embedded authority, with the right credentials by default. */
export async function requestToken(
  sandbox: Sandbox,
  overrides: { tenant?: string; client_id?: string; client_secret?: string; scope?: string } = {},
): Promise<{ status: number; body: JsonObject }> {
  const { tenant = sandbox.tenantId, ...form } = overrides;
  const response = await fetch(`${sandbox.authorityHost}/${tenant}/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: sandbox.clientId,
      client_secret: sandbox.clientSecret,
      scope: "https://graph.microsoft.com/.default",
      ...form,
    }),
  });
  return { status: response.status, body: objectOf(await response.json()) };
}

/** Microsoft's own client, pointed at the embedded Graph. */
export interface GraphCalls {
  get(path: string, headers?: Record<string, string>): Promise<JsonObject>;
  /** Follows next links to the end and returns each page. */
  pages(path: string, headers?: Record<string, string>): Promise<readonly JsonObject[]>;
}

export async function connectGraph(sandbox: Sandbox): Promise<GraphCalls> {
  const token = String((await requestToken(sandbox)).body.access_token);
  return graphWith(sandbox, token);
}

export function graphWith(sandbox: Sandbox, token: string): GraphCalls {
  // The client takes absolute links over https only.
  const withoutOrigin = (path: string) => path.replace(`${sandbox.graphUrl}/v1.0/`, "/");
  const transport = new HTTPMessageHandler();
  // The client's own authentication takes the header away over http: here it is put back behind it.
  const authorized: Middleware = {
    execute: (context: Context) => {
      const headers = new Headers(context.options?.headers);
      headers.set("Authorization", `Bearer ${token}`);
      context.options = { ...context.options, headers };
      return transport.execute(context);
    },
  };
  const client = Client.initWithMiddleware({
    baseUrl: `${sandbox.graphUrl}/`,
    defaultVersion: "v1.0",
    middleware: authorized,
  });
  const get = async (path: string, headers: Record<string, string> = {}): Promise<JsonObject> =>
    objectOf(await client.api(withoutOrigin(path)).headers(headers).get());
  return {
    get,
    pages: async (path, headers = {}) => {
      const pages: JsonObject[] = [];
      for (let next: Json | undefined = path; typeof next === "string"; ) {
        const page = await get(next, headers);
        pages.push(page);
        next = page["@odata.nextLink"];
      }
      return pages;
    },
  };
}

/** The `value` of all pages. */
export function valuesOf(...pages: readonly JsonObject[]): JsonObject[] {
  return pages.flatMap((page) => (Array.isArray(page.value) ? page.value.map(objectOf) : []));
}

/** A round of a delta query: all its objects, and the start of the next round. */
export async function deltaRound(
  graph: GraphCalls,
  path: string,
): Promise<{ objects: JsonObject[]; next: string }> {
  const pages = await graph.pages(path);
  return { objects: valuesOf(...pages), next: String(pages.at(-1)?.["@odata.deltaLink"]) };
}

export interface ScimAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: JsonObject;
}

/** One SCIM request with the API key; `headers` may replace it. */
export async function scim(
  sandbox: Sandbox,
  method: string,
  path: string,
  body?: JsonObject | string,
  headers: Record<string, string> = {},
): Promise<ScimAnswer> {
  const response = await fetch(`${sandbox.latticeUrl}${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${sandbox.latticeToken}`,
      ...(body === undefined ? {} : { "Content-Type": "application/scim+json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === "" ? {} : objectOf(JSON.parse(text)),
  };
}

export const userSchema = "urn:ietf:params:scim:schemas:core:2.0:User";
export const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
export const lattice = "urn:ietf:params:scim:schemas:extension:lattice:attributes:1.0:User";

export function patchOf(...operations: JsonObject[]): JsonObject {
  return { schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], Operations: operations };
}

function objectOf(value: unknown): JsonObject {
  if (!isJsonObject(value)) throw new TypeError("The answer is not a JSON object.");
  return value;
}
