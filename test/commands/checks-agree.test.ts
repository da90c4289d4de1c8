import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { check } from "../../src/commands/check.ts";
import { configCheck } from "../../src/commands/config.ts";
import { daemon } from "../../src/commands/daemon.ts";
import { UsageError } from "../../src/domain/errors.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { workplace } from "../config/workplace.ts";
import { configuration, program } from "../process/real-process.ts";
import { terminal } from "./terminal.ts";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ file: ":memory:", people: 20 });
});
afterAll(() => sandbox.close());

/** A folder with a configuration that leads to the sandbox: these sections over its own. */
function configured(sections: object = {}): string {
  const folder = workplace();
  const config = configuration({ sandbox, statePath: join(folder, "state.db") });
  writeFileSync(join(folder, "config.yaml"), JSON.stringify({ ...config, ...sections }));
  return folder;
}

async function refusalOf(action: Promise<unknown>): Promise<string> {
  const error = await action.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof UsageError) return error.message;
  throw new Error("expected a UsageError", { cause: error });
}

const config = "config.yaml";

describe("config check, check and daemon", () => {
  const refused = {
    "an address that others reach, and nothing is asked of them": [
      () => ({ http: { listen: "0.0.0.0:9464" } }),
      /[Oo]thers can connect to 0\.0\.0\.0.*set http\.token/,
    ],
    "a lease that could end during a request": [
      () => ({
        lattice: { url: sandbox.latticeUrl, token: sandbox.latticeToken, timeout: "30s" },
        workers: { lease: "15s" },
      }),
      /workers\.lease \(15s\) must be at least 3s longer than lattice\.timeout \(30s\)/,
    ],
    "a certificate that cannot be read": [
      () => ({
        entra: {
          tenantId: sandbox.tenantId,
          clientId: sandbox.clientId,
          certificate: { path: "gone.pem" },
          graphUrl: sandbox.graphUrl,
        },
      }),
      /no certificate can be read in .*gone\.pem/,
    ],
    "a credential that the authority's address cannot work with": [
      () => ({
        entra: {
          tenantId: sandbox.tenantId,
          credential: "managedIdentity",
          authorityHost: sandbox.authorityHost,
          scope: { mode: "all" },
        },
      }),
      /works only with a client secret/,
    ],
  } as const;

  it.each(Object.entries(refused))("all refuse %s", async (_what, [sections, sentence]) => {
    const folder = configured(sections());
    expect(await refusalOf(configCheck({ config }, terminal(folder).io))).toMatch(sentence);
    expect(await refusalOf(daemon({ config }, terminal(folder).io))).toMatch(sentence);
    expect(readdirSync(folder)).toEqual(["config.yaml"]);
    const place = terminal(folder);
    const checked = await check({ config }, place.io).catch((error: unknown) => error);
    // A source that cannot be opened ends `check` as it ends the others.
    if (checked instanceof UsageError) expect(checked.message).toMatch(sentence);
    else {
      expect(checked).toBe(1);
      expect(place.output()).toMatch(new RegExp(`FAIL  Daemon: .*${sentence.source}`));
    }
  });

  it("check warns, as the daemon does at its start, that more people may get access than expected", async () => {
    const http = { listen: "0.0.0.0:9464", trustedHeader: "X-Forwarded-User", trustedProxies: ["127.0.0.1"] };
    const place = terminal(configured({ http }));
    expect(await check({ config }, place.io)).toBe(0);
    expect(place.output()).toMatch(
      /ok {4}Daemon: The dashboard would be served on 0\.0\.0\.0:9464; http\.trustedProxies contains this machine itself: .*; http\.publicUrl is not set: .*\.\n/,
    );
  });

  it("all accept a correct configuration if another process uses the port", async () => {
    const folder = configured({ http: { listen: sandbox.graphUrl.replace("http://", "") } });
    const place = terminal(folder);
    expect(await configCheck({ config }, place.io)).toBe(0);
    expect(await check({ config }, place.io)).toBe(0);
    expect(place.output()).toMatch(/ok {4}Daemon: The dashboard would be served on 127\.0\.0\.1:\d+\.\n/);
  });
});

it("check names each step once, in one form", async () => {
  const place = terminal(configured());
  expect(await check({ config }, place.io)).toBe(0);
  const lines = place
    .output()
    .split("\n")
    .filter((line) => line.startsWith("ok "));
  expect(lines.map((line) => /^ok {4}([^:]+): (?!\w+: )/.exec(line)?.[1])).toEqual([
    "Configuration",
    "State database",
    "Entra sign-in",
    "Entra users",
    "Entra scope",
    "Entra clock",
    "Lattice host",
    "Lattice API key",
    "Lattice clock",
    "Lattice update method",
    "Lattice attributes",
    "Notifications",
    "Daemon",
  ]);
});

describe.runIf(process.platform !== "win32")("check, on a disk that cannot be written", () => {
  /** Through the real process, in which a file may grow to this many blocks and no further. */
  async function limited(folder: string, blocks: number | "unlimited", args: readonly string[]) {
    const child = spawn(
      "sh",
      ["-c", `ulimit -f ${blocks}; exec "$0" "$@"`, process.execPath, program, ...args, "--config", config],
      {
        cwd: folder,
        env: { PATH: process.env.PATH ?? "", LOG_LEVEL: "silent" },
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    const ended = once(child, "close");
    const stdout = await text(child.stdout);
    const [code] = await ended;
    return { stdout, code: Number(code) };
  }

  it("fails the state database, whether there is one or not, and leaves no file behind", async () => {
    const folder = configured();
    const full =
      /FAIL {2}State database: The disk of the state database .*state\.db is full \(\w+\): free some space/;
    expect((await limited(folder, 8, ["check"])).stdout).toMatch(full);
    expect(readdirSync(folder)).toEqual(["config.yaml"]);
    expect((await limited(folder, "unlimited", ["sync"])).code).toBe(0);
    const checked = await limited(folder, 8, ["check"]);
    expect(checked.stdout).toMatch(full);
    expect(checked.code).toBe(1);
    expect(readdirSync(folder).filter((name) => name.includes("probe"))).toEqual([]);
    expect((await limited(folder, "unlimited", ["check"])).stdout).toMatch(
      /ok {4}State database: .*20 people read/,
    );
  });
});
