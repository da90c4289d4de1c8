import { scim } from "@better-auth/scim";
import { type BetterAuthPlugin, betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";
import { apiKey, listen } from "./loopback.ts";

// The SCIM plugin of Better Auth (MIT, released monthly): a strict server, whose schemas refuse what RFC 7643 does not
// know. Its ways: the path to its `Location` and `meta.location` is its own base address, not the one it was asked under;
// a display name that is missing becomes `name.formatted`; an extension other than the enterprise one is refused; it has no
// ETags. An account without e-mail addresses shows its userName as
// one. Its own rule: a PATCH does not remove the last e-mail address
// (400 "emails cannot be removed"), although a PUT does, and one that changes a part of name
// overwrites displayName.

/**
 * An independent SCIM 2.0 server in memory, empty, until the test is over.
 * @param patch `false` puts something in front that answers PATCH with a web page and status 404, as a web framework does
 * for a method without a route
 */
export async function startBetterAuth({ patch }: { patch: boolean }): Promise<{
  readonly url: string;
  /** `METHOD path` of each request. */
  readonly requests: string[];
  /** Whether there are own rules for e-mail addresses and names. */
  readonly ownRules: boolean;
}> {
  const tables: Record<string, never[]> = { user: [], session: [], account: [], verification: [] };
  const connections = [{ id: "entra", credentials: [{ type: "bearer" as const, id: "key", token: apiKey }] }];
  const auth = betterAuth({
    baseURL: "http://127.0.0.1",
    basePath: "/api",
    secret: "a secret for this test alone, long enough",
    database: memoryAdapter(tables),
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    // Its types are not made for exactOptionalPropertyTypes.
    plugins: [scim({ connections }) as unknown as BetterAuthPlugin],
  });
  for (const name of Object.keys((await auth.$context).tables)) tables[name] ??= [];
  const handle = toNodeHandler(auth);
  const requests: string[] = [];
  const url = await listen((request, response) => {
    requests.push(`${request.method} ${(request.url ?? "").replace("/scim/v2", "")}`);
    if (request.method === "PATCH" && !patch) {
      response.writeHead(404, { "Content-Type": "text/html" });
      response.end("<!DOCTYPE html><pre>Cannot PATCH</pre>");
      return;
    }
    request.url = `/api${request.url}`;
    void handle(request, response);
  });
  return { url, requests, ownRules: true };
}
