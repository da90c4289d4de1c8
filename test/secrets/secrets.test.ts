import { cpSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import type { Answer, Passing } from "../process/front.ts";
import { formsOf, sentinels } from "./sentinels.ts";
import { found, type Stage, setStage } from "./stage.ts";

const exportOfEntra = {
  synchronizationRules: [
    {
      objectMappings: [
        {
          sourceObjectName: "User",
          attributeMappings: [
            {
              targetAttributeName: "userName",
              matchingPriority: 1,
              source: { expression: "[userPrincipalName]" },
            },
          ],
        },
      ],
    },
  ],
};

describe.concurrent("no secret is shown, written or sent to another host", () => {
  it("by any command that succeeds", async () => {
    await using stage = await setStage();
    const { place, hosts } = stage;
    // Locations lead elsewhere; no client follows them.
    hosts.lattice.rewriteAnswer = (answer) => ({
      ...answer,
      headers: { ...answer.headers, location: `${hosts.third.origin}/Users/1` },
    });
    const [someone] = [...stage.sandbox.directory.users()];
    const person = String(someone?.properties.userPrincipalName);
    const out = (name: string): readonly string[] => ["--out", join(place.folder, name)];
    const done: (readonly string[])[] = [
      ["check"],
      ["config", "check"],
      ["config", "show"],
      ["config", "schema"],
      ["config", "jobs"],
      ["completion", "bash"],
      ["mapping", "functions"],
      ["mapping", "import", place.configure(exportOfEntra, "given-export.json")],
      ["config", "init", "--config", join(place.folder, "first.yaml")],
      ["sync", "--dry-run", "--format", "table"],
      ["sync", "--dry-run", "--format", "json", ...out("plan.json")],
      ["sync", "--dry-run", "--format", "markdown", ...out("plan.md")],
      ["sync", "--format", "json"],
      ["sync", "--full", "--format", "markdown"],
      ["sync", "--dry-run", "--format", "html", ...out("plan.html")],
      ["sync", "--user", person, "--yes"],
      ["user", person, "--live"],
      ["user", person, "--format", "json"],
      ["history", "--format", "csv", "--all"],
      ["history", "--format", "json", ...out("history.json")],
      ["mapping", "test", "--record", person],
      ["status"],
      ["status", "--format", "json"],
      ["accounts"],
      ["accounts", "--format", "json"],
      ["revert", "1", "--dry-run", "--format", "json"],
      ["config", "diff", join(place.folder, "given.yaml")],
      ["sync", "--dry-run", "--against", join(place.folder, "given.yaml"), "--format", "json"],
      ["protect", person, "--reason", "made-up"],
      ["unprotect", person, "--reason", "made-up"],
      ["unlink", person, "--reason", "made-up"],
      ["link", person, person, "--reason", "made-up"],
      ["pause", "--reason", "made-up"],
      ["resume"],
      ["state", "check"],
      ["state", "backup", join(place.folder, "backup.db")],
      ["state", "restore", join(place.folder, "backup.db")],
      ["state", "export", join(place.folder, "export.db")],
      ["state", "rebuild", "--yes"],
      ["state", "import", join(place.folder, "export.db")],
      // So that the daemon has a cycle due at once.
      ["state", "rebuild", "--yes"],
    ];
    for (const args of done) expect(await stage.run(args), args.join(" ")).toMatchObject({ code: 0 });
    // A plan that does not exist: what a release says of one that does is what a sync says.
    expect(await stage.run(["release", "no-such-plan"])).toMatchObject({ code: 64 });
    expect(await stage.run(["notify", "test"])).toMatchObject({ code: 1 });
    expect(stage.asked("receiver")).toBeGreaterThan(3);
    await daemonForACycle(stage);
    await demonstration(stage);

    expect(stage.leaks()).toEqual([]);
    expect(stage.asked("third")).toBe(0);
    expect(stage.asked("graph")).toBeGreaterThan(10);
    const tried = [...done.map((args) => args), ["release"], ["notify", "test"], ["daemon"], ["demo"]];
    for (const command of await commandsOfHelp(stage)) {
      expect(
        tried.some((args) => args.join(" ").startsWith(command)),
        `${command} is tried here`,
      ).toBe(true);
    }
  });

  describe.each(["login", "graph and Lattice"])("even if %s repeats the request", (who) => {
    it.each(echoes)("with %s", async (_, answer) => {
      await using stage = await setStage();
      stage.answers = (host, request) =>
        (host === "login") === (who === "login") ? answer(request) : undefined;
      expect(await stage.run(["check"])).toMatchObject({ code: 1 });
      expect(stage.leaks()).toEqual([]);
    });
  });

  it.each([400, 409, 500, 401])("even if Lattice repeats a write in its answer (%i)", async (status) => {
    await using stage = await setStage();
    stage.answers = (host, request) =>
      host === "lattice" && request.method !== "GET" ? refusal(status, request) : undefined;
    expect((await stage.run(["sync"])).code).not.toBe(0);
    expect((await stage.run(["status", "--format", "json"])).stdout).toContain("operation");
    expect(stage.leaks()).toEqual([]);
  });

  it.each([302, 308])("if a host redirects to another (%i)", async (status) => {
    await using stage = await setStage();
    const { hosts } = stage;
    const onward = (path: string): Answer => ({
      status,
      headers: { location: `${hosts.third.origin}${path}` },
      body: "",
    });
    stage.answers = (host, { path }) => (host === "login" ? undefined : onward(path));
    expect(await stage.run(["check"])).toMatchObject({ code: 1 });
    stage.answers = (host, { path, method }) =>
      host === "lattice" && method === "POST" ? onward(path) : undefined;
    expect((await stage.run(["sync"])).code).not.toBe(0);
    stage.answers = (host, { path }) => (host === "login" ? onward(path) : undefined);
    expect((await stage.run(["sync"])).code).toBe(1);
    expect(stage.asked("third")).toBe(0);
    expect(stage.leaks()).toEqual([]);
  });

  it.each(["@odata.nextLink", "@odata.deltaLink"])("if %s of a page leads to another host", async (link) => {
    await using stage = await setStage();
    const { graph, third, lattice } = stage.hosts;
    for (const origin of [third.origin, lattice.origin, graph.origin.replace("//", "//user:word@")]) {
      graph.rewriteAnswer = (answer) => ({
        ...answer,
        body: JSON.stringify({ ...JSON.parse(answer.body), [link]: `${origin}/v1.0/users?$skiptoken=1` }),
      });
      expect((await stage.run(["sync"])).code).toBe(1);
    }
    expect(stage.asked("third")).toBe(0);
    expect(stage.asked("lattice", "/v1.0/users")).toBe(0);
    expect(stage.leaks()).toEqual([]);
  });

  it("if a delta token has expired and Graph names another host for a new start", async () => {
    await using stage = await setStage();
    expect((await stage.run(["sync"])).code).toBe(0);
    stage.answers = (host, { path }) =>
      host === "graph" && path.includes("/delta?") && !path.includes("latest")
        ? { status: 410, headers: { location: `${stage.hosts.third.origin}/v1.0/users/delta` }, body: "{}" }
        : undefined;
    expect((await stage.run(["sync"])).code).toBe(0);
    expect(stage.asked("third")).toBe(0);
    expect(stage.leaks()).toEqual([]);
  });

  it("if a host cannot be reached, or a credential is wrong", async () => {
    await using stage = await setStage();
    const unreachable = "http://127.0.0.1:9";
    expect((await stage.run(["sync"], { LATTICE_URL: `${unreachable}/scim/v2` })).code).toBe(1);
    expect(
      (
        await stage.run(["check"], {
          LATTICE_URL: `${unreachable}/scim/v2`,
          AZURE_AUTHORITY_HOST: unreachable,
        })
      ).code,
    ).toBe(1);
    const wrong = { AZURE_CLIENT_SECRET: `${sentinels.clientSecret}x` };
    expect((await stage.run(["sync"], wrong)).code).toBe(1);
    expect((await stage.run(["check"], { LATTICE_API_KEY: `${sentinels.latticeKey}x` })).code).toBe(1);
    expect((await stage.run(["sync"], { LATTICE_API_KEY: `${sentinels.latticeKey} x` })).code).toBe(64);
    expect((await stage.run(["sync"], { LATTICE_API_KEY: `${sentinels.latticeKey}\nx` })).code).not.toBe(0);
    expect(stage.leaks()).toEqual([]);
  });

  it.each(misplaced)("if the configuration has it in a wrong place: %s", async (_, config) => {
    await using stage = await setStage();
    const file = stage.place.configure(config, "given-wrong.yaml");
    const ended = await stage.run(["config", "check", "--config", file], {
      AZURE_CLIENT_SECRET: "",
      LATTICE_API_KEY: "",
    });
    expect(ended).toMatchObject({ code: 64 });
    expect(stage.leaks()).toEqual([]);
  });

  it("and the search would find one in any form", () => {
    const secret = sentinels.latticeKey;
    const written = [
      secret,
      JSON.stringify({ nested: JSON.stringify({ secret }) }),
      `https://example.com/?key=${encodeURIComponent(secret)}`,
      new URLSearchParams({ secret }).toString(),
      ...["", "x", "xy"].map((before) => Buffer.from(`${before}${secret}`).toString("base64")),
      secret.slice(0, 20),
    ];
    for (const text of written) expect(found(`before ${text} after`, secret), text).not.toEqual([]);
    expect(found("before *** after", secret)).toEqual([]);
    expect(formsOf(secret).every((form) => form.length >= 10)).toBe(true);
  });
}, 300_000);

const echoes: readonly (readonly [string, (request: Passing) => Answer])[] = [
  ["400", (request) => refusal(400, request)],
  ["401", (request) => refusal(401, request)],
  ["403", (request) => refusal(403, request)],
  ["503", (request) => ({ ...refusal(503, request), headers: { "retry-after": "999999" } })],
  ["200 that is cut off", (request) => ({ status: 200, body: `{"value":["${echo(request)}` })],
  ["200 of another kind", (request) => refusal(200, request)],
];

/** An error in the forms of Entra, Graph and Lattice; each text in it repeats the request. */
function refusal(status: number, request: Passing): Answer {
  const told = echo(request);
  const login = request.path.includes("oauth2");
  const body = {
    error: login ? told : { code: told, message: told },
    error_description: `AADSTS9999999: ${told}`,
    detail: told,
    scimType: told,
  };
  const header = request.headers.authorization ?? "none";
  return {
    status,
    headers: {
      "request-id": header,
      "x-request-id": header,
      "retry-after": header,
      "www-authenticate": header,
    },
    body: JSON.stringify(body),
  };
}

/** The secrets in the request, as received and decoded, in short pieces because messages quote beginnings. */
function echo({ headers, body, path }: Passing): string {
  const secret = path.includes("oauth2") ? new URLSearchParams(body).get("client_secret") : undefined;
  return [secret, headers.authorization, body.slice(body.indexOf("client_secret"))].filter(Boolean).join(" ");
}

const inIt = sentinels.clientSecret;
const misplaced: readonly (readonly [string, object | string])[] = [
  ["for a section", { entra: inIt, lattice: inIt }],
  ["as another kind of value", { entra: { clientSecret: [inIt] }, lattice: { token: { value: inIt } } }],
  ["for a choice", { entra: { credential: inIt, cloud: inIt }, lattice: { updateMethod: inIt } }],
  ["for a number or a time", { lattice: { timeout: inIt, maxConcurrency: inIt }, http: { listen: inIt } }],
  ["below an unknown key", { lattice: { apiKey: inIt }, secret: inIt }],
  [
    "in an address",
    { entra: { graphUrl: `https://graph.microsoft.com/?secret=${encodeURIComponent(inIt)}` } },
  ],
  [
    "as the user of an address",
    { lattice: { url: `https://${encodeURIComponent(inIt)}@example.com/scim/v2` } },
  ],
  [
    "as a query of an address",
    { lattice: { url: `https://example.com/scim/v2?${encodeURIComponent(inIt)}` } },
  ],
  ["in a file that is no YAML", `entra:\n  clientSecret: "${inIt}\nlattice: }${inIt}\n`],
  ["twice", `lattice:\n  token: ${sentinels.latticeKey}\n  token: ${sentinels.latticeKey}\n`],
];

/** Every command that is listed, with the name of its group. */
async function commandsOfHelp(stage: Stage, group: readonly string[] = []): Promise<readonly string[]> {
  const { stdout } = await stage.run([...group, "--help"]);
  const listed =
    stdout
      .split(/^Commands:$/m)[1]
      ?.split("\n\n")[0]
      ?.matchAll(/^ {2}(\w+)/gm) ?? [];
  const names = [...listed]
    .map(([, name]) => [...group, name ?? ""])
    .filter((names) => names.at(-1) !== "help");
  const below = await Promise.all(
    names.map(async (names) =>
      /^(?:config|mapping|notify|state)$/.test(names.join(" "))
        ? commandsOfHelp(stage, names)
        : [names.join(" ")],
    ),
  );
  return below.flat();
}

/** A cycle of the daemon, what its HTTP answers, and what its database holds while it is open. */
async function daemonForACycle(stage: Stage): Promise<void> {
  const daemon = stage.start(["daemon"]);
  await daemon.said(/"cycle finished"/);
  const url = /"http":"([^"]+)"/.exec(daemon.stderr())?.[1] ?? "";
  for (const path of ["/healthz", "/", "/metrics", "/api/now", "/api/log", "/api/works", "/../given.yaml"]) {
    for (const token of ["", sentinels.httpToken, "wrong"]) {
      const answer = await fetch(
        `${url}${path}`,
        token === "" ? {} : { headers: { authorization: `Bearer ${token}` } },
      );
      stage.keep(`HTTP answer to ${path}`, JSON.stringify([...answer.headers]) + (await answer.text()));
    }
  }
  for (const part of ["", "-wal", "-shm"]) {
    cpSync(`${stage.place.statePath}${part}`, join(stage.place.folder, `open-state.db${part}`));
  }
  daemon.child.kill("SIGTERM");
  expect(await daemon.ended).toMatchObject({ code: 0 });
}

/** The embedded ends have secrets of their own; their own database holds them and nothing else does. */
async function demonstration(stage: Stage): Promise<void> {
  const own = join(stage.place.folder, "demo.db");
  const { code, stdout, stderr } = await stage.run(["demo"], { ALS_STATE: own });
  expect(code).toBe(0);
  const db = new Database(join(stage.place.folder, "demo.sandbox-both-servers.db"), { readonly: true });
  const secrets = db
    .prepare<[], string>("SELECT value FROM meta WHERE key IN ('clientSecret', 'latticeToken')")
    .pluck()
    .all();
  db.close();
  expect(secrets).toHaveLength(2);
  for (const secret of secrets) expect(found(stdout + stderr, secret)).toEqual([]);
}
