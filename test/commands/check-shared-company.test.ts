import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { check } from "../../src/commands/check.ts";
import { sync } from "../../src/commands/sync.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { workplace } from "../config/workplace.ts";
import { type Front, startFront } from "../process/front.ts";
import { ownDatabase } from "../state/postgres/own-database.ts";
import { terminal } from "./terminal.ts";

const config = "config.yaml";
const shared =
  /^FAIL {2}Lattice company: The jobs second and first write to the same Lattice company by different API keys: \d+ accounts? (?:is|are) known to both, of a few that were compared: .*lattice\.sharedWith.*\.$/m;

let stack: AsyncDisposableStack;
let sandbox: Sandbox;
let front: Front;
let folder: string;
let asked: string[];

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  sandbox = stack.adopt(await startSandbox({ file: ":memory:", people: 12 }), (one) => one.close());
  // The company takes a second key as it takes the first one.
  front = stack.use(await startFront(new URL(sandbox.latticeUrl).origin));
  asked = [];
  front.rewrite = (request) => {
    asked.push(`${request.method} ${request.path}`);
    return { ...request, headers: { ...request.headers, authorization: `Bearer ${sandbox.latticeToken}` } };
  };
  folder = workplace();
});
afterEach(() => stack.disposeAsync());

const jobOf = (lattice: object): object => ({
  entra: {
    tenantId: sandbox.tenantId,
    clientId: sandbox.clientId,
    clientSecret: sandbox.clientSecret,
    authorityHost: sandbox.authorityHost,
    graphUrl: sandbox.graphUrl,
    scope: { mode: "all" },
  },
  lattice: { maxRequestsPerSecond: null, ...lattice },
});

function configure(more: object, second: object = {}): void {
  const jobs = {
    first: jobOf({ url: sandbox.latticeUrl, token: sandbox.latticeToken }),
    second: jobOf({ url: `${front.origin}/scim/v2`, token: "a-second-key", ...second }),
  };
  const written = { guard: { enabled: false }, log: { level: "silent" }, ...more, jobs };
  writeFileSync(join(folder, config), JSON.stringify(written), { mode: 0o600 });
}

const cycle = {
  config,
  dryRun: false,
  full: false,
  format: "json",
  detailedExitcode: false,
  waitSeconds: 0,
} as const;

async function checked(job: string): Promise<{ readonly code: number; readonly text: string }> {
  const { io, output } = terminal(folder);
  const code = await check({ config, job }, io);
  return { code, text: output() };
}

describe.each(["SQLite", "PostgreSQL"])(
  "check of a job whose company another job writes to, on %s",
  (store) => {
    const configured = async (): Promise<void> => {
      configure(store === "SQLite" ? {} : { state: { url: stack.use(await ownDatabase()).url } });
    };

    it("names both jobs before the first cycle of the one that would be refused, and writes nothing", async () => {
      await configured();
      expect((await checked("second")).text).not.toContain("Lattice company");
      await sync({ ...cycle, job: "first" }, terminal(folder).io);
      const { code, text } = await checked("second");
      expect(text).toMatch(shared);
      expect(code).toBe(1);
      expect(asked.filter((request) => !request.startsWith("GET"))).toEqual([]);
      expect(text).toContain(store === "SQLite" ? "does not exist yet" : "nothing of this job yet");
      // The job that has the accounts is not the one to stop.
      expect((await checked("first")).text).not.toContain("Lattice company");
    });

    it("names both after a cycle of it that was refused, from the state alone", async () => {
      await configured();
      await sync({ ...cycle, job: "first" }, terminal(folder).io);
      await expect(sync({ ...cycle, job: "second" }, terminal(folder).io)).rejects.toThrow(
        "write to the same Lattice company by different API keys",
      );
      asked = [];
      expect((await checked("second")).text).toMatch(shared);
      const [account] = sandbox.lattice.accounts();
      expect(asked.filter((request) => request.includes(`/Users/${account?.id}`))).toEqual([]);
    });
  },
);
