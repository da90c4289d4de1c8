import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import {
  configuration as connection,
  type Ended,
  makeWorkplace,
  type RealProcess,
  type Workplace,
} from "../process/real-process.ts";

interface Stage extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly place: Workplace;
  /** A configuration for the sandbox, with changes. */
  configuration(changes?: { entra?: object; lattice?: object; rest?: object }): object;
  start(
    args: readonly string[],
    config: object | string,
    environment?: Readonly<Record<string, string>>,
  ): RealProcess;
  run(args: readonly string[], config: object | string): Promise<Ended>;
  /** One sentence, no trace, no secret, and no write to Lattice. */
  expectRefusal(outcome: Ended, code: number, sentence: RegExp): void;
}

async function setStage(): Promise<Stage> {
  const sandbox = await startSandbox({ file: ":memory:", people: 30 });
  const place = makeWorkplace();
  const start: Stage["start"] = (args, config, environment = {}) =>
    place.start([...args, "--config", place.configure(config)], { LOG_LEVEL: "fatal", ...environment });
  return {
    sandbox,
    place,
    configuration: (changes = {}) => {
      const { entra, lattice, state } = connection({ sandbox, statePath: place.statePath });
      const scope = { mode: "assigned", application: "Lattice SCIM" };
      return {
        entra: { ...entra, scope, ...changes.entra },
        lattice: { ...lattice, ...changes.lattice },
        state,
        ...changes.rest,
      };
    },
    start,
    run: async (args, config) => start(args, config).ended,
    expectRefusal: (outcome, code, sentence) => {
      expect(outcome.stderr).toMatch(sentence);
      expect(outcome.code).toBe(code);
      const output = outcome.stdout + outcome.stderr;
      expect(output).not.toMatch(/^\s+at .+:\d+/m);
      for (const secret of [sandbox.clientSecret, sandbox.latticeToken]) expect(output).not.toContain(secret);
      expect(sandbox.requests.filter(({ host, method }) => host === "lattice" && method !== "GET")).toEqual(
        [],
      );
    },
    [Symbol.asyncDispose]: async () => {
      place[Symbol.dispose]();
      await sandbox.close();
    },
  };
}

describe.concurrent("bad input, through the real process", () => {
  it("reports a wrong Lattice key", async () => {
    await using stage = await setStage();
    const { configuration, run, expectRefusal } = stage;
    const outcome = await run(["sync"], configuration({ lattice: { token: "not-the-key" } }));
    expectRefusal(outcome, 1, /Lattice refused the API key \(401\).*super admin/);
    expect(outcome.stderr).not.toContain("not-the-key");
  });

  it("reports a wrong client secret", async () => {
    await using stage = await setStage();
    const { configuration, run, expectRefusal } = stage;
    const outcome = await run(["sync"], configuration({ entra: { clientSecret: "not-the-secret" } }));
    expectRefusal(outcome, 1, /secret/i);
    expect(outcome.stderr).not.toContain("not-the-secret");
  });

  it("names the missing permission", async () => {
    await using stage = await setStage();
    const { sandbox, configuration, run, expectRefusal } = stage;
    sandbox.onRequest = ({ host, path }) =>
      host === "entra" && path.startsWith("/v1.0/users")
        ? {
            status: 403,
            body: { error: { code: "Authorization_RequestDenied", message: "Insufficient privileges" } },
          }
        : undefined;
    expectRefusal(await run(["sync"], configuration()), 1, /User\.Read\.All/);
  });

  it("reports that Lattice cannot be reached", async () => {
    await using stage = await setStage();
    const { configuration, run, expectRefusal } = stage;
    const outcome = await run(["sync"], configuration({ lattice: { url: "http://127.0.0.1:9/scim/v2" } }));
    expectRefusal(outcome, 1, /Lattice cannot be reached/);
  });

  it.each(["sync", "check", "config check", "status"])(
    "%s refuses an environment that switches certificate checks off",
    async (command) => {
      await using stage = await setStage();
      const { configuration, start, expectRefusal } = stage;
      const outcome = await start(command.split(" "), configuration(), { NODE_TLS_REJECT_UNAUTHORIZED: "0" })
        .ended;
      expectRefusal(outcome, 64, /NODE_TLS_REJECT_UNAUTHORIZED=0 .*NODE_EXTRA_CA_CERTS/);
    },
  );

  it("refuses a configuration that every user of the machine can write", async () => {
    await using stage = await setStage();
    const { configuration, place, expectRefusal } = stage;
    const file = place.configure(configuration());
    chmodSync(file, 0o666);
    expectRefusal(
      await place.start(["sync", "--config", file]).ended,
      64,
      /can be written by every user .*chmod o-w/,
    );
  });

  it("names the nearest key for an unknown one", async () => {
    await using stage = await setStage();
    const { configuration, run, expectRefusal } = stage;
    const outcome = await run(["sync"], configuration({ entra: { tenentId: "x" } }));
    expectRefusal(outcome, 64, /unknown key "entra\.tenentId"; did you mean "entra\.tenantId"\?/);
  });

  it("gives line and column of invalid YAML", async () => {
    await using stage = await setStage();
    const { run, expectRefusal } = stage;
    expectRefusal(await run(["sync"], "entra:\n  tenantId: [\nlattice: }\n"), 64, /config\.yaml:\d+:\d+: /);
  });

  it("refuses a mapping to an unknown attribute, and names the nearest", async () => {
    await using stage = await setStage();
    const { configuration, run, expectRefusal } = stage;
    const mapping = [
      { target: "userName", source: "userPrincipalName", matchingPrecedence: 1 },
      { target: "titel", source: "jobTitle" },
    ];
    expectRefusal(
      await run(["sync"], configuration({ rest: { mapping } })),
      64,
      /unknown target attribute "titel"; did you mean "title"\?/,
    );
  });

  it("accepts Azure's tenant URL, removes its flag and explains that", async () => {
    await using stage = await setStage();
    const { sandbox, configuration, run } = stage;
    const url = `${sandbox.latticeUrl}?aadOptscim062020`;
    const outcome = await run(["sync", "--dry-run"], configuration({ lattice: { url } }));
    expect(outcome).toMatchObject({ code: 0 });
    expect(outcome.stderr).toContain("aadOptscim062020");
    expect(sandbox.requests.some(({ path }) => path.includes("aadOpt"))).toBe(false);
  });

  it("refuses plain http to another machine, for Entra and Lattice", async () => {
    await using stage = await setStage();
    const { configuration, run, expectRefusal } = stage;
    expectRefusal(
      await run(["sync"], configuration({ lattice: { url: "http://scim.example.com/scim/v2" } })),
      64,
      /http/,
    );
    expectRefusal(
      await run(["sync"], configuration({ entra: { graphUrl: "http://graph.example.com" } })),
      64,
      /https/,
    );
  });

  it("reports that the state folder cannot be written", async () => {
    await using stage = await setStage();
    const { sandbox, place, configuration, run, expectRefusal } = stage;
    writeFileSync(join(place.folder, "file"), "");
    const rest = { state: { path: join(place.folder, "file", "state.db") } };
    expectRefusal(await run(["sync"], configuration({ rest })), 1, /state database .*state\.path/);
    expect(sandbox.requests.length).toBe(0);
  });

  it("refuses a database of a newer version and does not change it", async () => {
    await using stage = await setStage();
    const { sandbox, place, configuration, run, expectRefusal } = stage;
    const path = place.statePath;
    const db = new Database(path);
    db.pragma("user_version = 900");
    db.close();
    expectRefusal(await run(["sync"], configuration()), 1, /newer version/);
    expect(sandbox.requests.length).toBe(0);
  });

  it("reports that Lattice answers with malformed JSON", async () => {
    await using stage = await setStage();
    const { configuration, run, expectRefusal } = stage;
    const garbage = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end('{"value": [ {"id": ');
    });
    await new Promise<void>((done) => garbage.listen(0, "127.0.0.1", done));
    const { port } = garbage.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/scim/v2`;
    expectRefusal(await run(["sync"], configuration({ lattice: { url } })), 1, /Lattice.*incomplete JSON/);
    garbage.close();
  });

  it("reports that Graph answers with malformed JSON", async () => {
    await using stage = await setStage();
    const { sandbox, configuration, run, expectRefusal } = stage;
    sandbox.onRequest = ({ host, path }) =>
      host === "entra" && path.includes("/users") ? { truncate: true } : undefined;
    expectRefusal(await run(["sync"], configuration()), 1, /Graph|127\.0\.0\.1/);
  });

  it("exits 64 for an unknown flag and for a missing configuration, before any request", async () => {
    await using stage = await setStage();
    const { sandbox, place, configuration, run, expectRefusal } = stage;
    expect((await run(["sync", "--dry-rum"], configuration())).code).toBe(64);
    const outcome = await run(["sync"], "{}\n");
    expectRefusal(outcome, 64, /^\s*AZURE_TENANT_ID .*\n\s*AZURE_CLIENT_ID /m);
    expect(existsSync(place.statePath)).toBe(false);
    expect(sandbox.requests.length).toBe(0);
  });

  it("exits 2 for a dry run with pending changes if requested, else 0", async () => {
    await using stage = await setStage();
    const { configuration, run } = stage;
    expect((await run(["sync", "--dry-run", "--detailed-exitcode"], configuration())).code).toBe(2);
    expect((await run(["sync", "--dry-run"], configuration())).code).toBe(0);
  });

  it("prints a JSON plan of the documented shape", async () => {
    await using stage = await setStage();
    const { configuration, run } = stage;
    const outcome = await run(["sync", "--dry-run", "--format", "json"], configuration());
    const plan = JSON.parse(outcome.stdout) as Record<string, unknown>;
    expect(plan).toMatchObject({
      formatVersion: "1.0",
      cycle: "initial",
      complete: true,
      guard: { held: false, reasons: [] },
      summary: { update: 0, deactivate: 0 },
    });
    const operations = plan.operations as { action: string; changes: { attribute: string }[] }[];
    const creation = operations.find(({ action }) => action === "create");
    expect(creation?.changes.map(({ attribute }) => attribute)).toContain("userName");
  });

  it("finishes requests in flight on SIGTERM, exits 143, and the next run continues", async () => {
    await using stage = await setStage();
    const { sandbox, configuration, start, run } = stage;
    sandbox.onRequest = ({ host, method }) =>
      host === "lattice" && method === "POST" ? { delayMs: 300 } : undefined;
    const { child, ended } = start(["sync"], configuration({ lattice: { maxConcurrency: 2 } }));
    while (sandbox.requests.filter(({ method, status }) => method === "POST" && status === 201).length < 3) {
      await new Promise((done) => setTimeout(done, 20));
    }
    child.kill("SIGTERM");
    expect(await ended).toMatchObject({ code: 143 });
    const before = sandbox.requests.filter(
      ({ method, status }) => method === "POST" && status === 201,
    ).length;
    sandbox.onRequest = undefined;
    const next = await run(["sync", "--format", "json"], configuration());
    expect(next.code).toBe(0);
    expect((JSON.parse(next.stdout) as { summary: { create: number } }).summary.create).toBeGreaterThan(0);
    const ids = [...sandbox.lattice.accounts()].map(({ externalId }) => externalId).filter(Boolean);
    expect(new Set(ids).size).toBe(ids.length);
    expect(before).toBeLessThan(ids.length);
  }, 120_000);
});
