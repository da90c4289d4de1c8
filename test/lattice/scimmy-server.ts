import type { RequestListener } from "node:http";
import { createRequire } from "node:module";
import SCIMMY from "scimmy";
import { SCIMMYRouters } from "scimmy-routers";
import { apiKey, latticeUrn, listen } from "./loopback.ts";

interface Express extends RequestListener {
  use(path: string, handler: unknown): void;
}
// Express 4 ships no types; with Express 5 the routers ignore startIndex and count.
const express: () => Express = createRequire(import.meta.url)("express");

interface StoredUser {
  id: string;
  userName: string;
  externalId?: string;
  [attribute: string]: unknown;
}

export interface ScimmyServer {
  readonly url: string;
  /** The server's stored data, by id; shared by all tests of a process because scimmy is one for each process. */
  readonly users: Map<string, StoredUser>;
  /** `METHOD path` of each request. */
  readonly requests: string[];
  readonly ownRules: false;
}

const users = new Map<string, StoredUser>();
let declared = false;

/**
 * An independent SCIM 2.0 server with Lattice's limits (no bulk, no sort), empty, until the test is over. Uniqueness is
 * the storage's, so it is written here; everything else is scimmy's reading of RFC 7643 and 7644.
 */
export async function startScimmy({ patch }: { patch: boolean }): Promise<ScimmyServer> {
  users.clear();
  declare();
  const routers = new SCIMMYRouters({ type: "bearer", handler: authenticate });
  // The constructor switches everything on.
  SCIMMY.Config.set({ patch, filter: true, bulk: false, sort: false });
  const requests: string[] = [];
  const app = express();
  app.use("/", (request: { method: string; url: string }, _response: unknown, next: () => void) => {
    requests.push(`${request.method} ${request.url.replace("/scim/v2", "")}`);
    next();
  });
  if (!patch) app.use("/scim/v2/Users", refusePatch);
  app.use("/scim/v2", routers);
  return { url: await listen(app), users, requests, ownRules: false };
}

/** scimmy's routers take PATCH whatever the configuration says. */
function refusePatch(
  request: { method: string },
  response: { sendStatus(code: number): void },
  next: () => void,
): void {
  if (request.method === "PATCH") response.sendStatus(501);
  else next();
}

function authenticate(request: { header(name: string): string | undefined }): string {
  if (request.header("Authorization") !== `Bearer ${apiKey}`) throw new Error("Unknown API key");
  return "admin";
}

function declare(): void {
  if (declared) return;
  declared = true;
  const { Attribute, SchemaDefinition } = SCIMMY.Types;
  const definition = new SchemaDefinition("LatticeUser", latticeUrn, "Lattice User", [
    new Attribute("string", "officeLocation"),
    new Attribute("string", "gender"),
  ]);
  class LatticeUser extends SCIMMY.Types.Schema {
    static override get id() {
      return definition.id;
    }
    static override get definition() {
      return definition;
    }
  }
  SCIMMY.Resources.declare(SCIMMY.Resources.User)
    .extend(SCIMMY.Schemas.EnterpriseUser, false)
    .extend(LatticeUser, false)
    .ingress(store)
    .egress(load);
}

function store({ id }: { id?: string }, data: object): StoredUser {
  if (id !== undefined && !users.has(id)) throw notFound(id);
  const latticeId = id ?? crypto.randomUUID();
  const user: StoredUser = { ...JSON.parse(JSON.stringify(data)), id: latticeId };
  for (const other of users.values()) {
    if (other.id === latticeId) continue;
    if (other.userName.toLowerCase() === user.userName.toLowerCase()) {
      throw new SCIMMY.Types.Error(409, "uniqueness", `userName ${user.userName} is taken`);
    }
  }
  users.set(latticeId, user);
  return user;
}

function load({ id }: { id?: string }): StoredUser | StoredUser[] {
  if (id === undefined) return [...users.values()];
  const user = users.get(id);
  if (user === undefined) throw notFound(id);
  return user;
}

function notFound(id: string): Error {
  return new SCIMMY.Types.Error(404, "", `Resource ${id} not found`);
}
