import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type SyncOptions, sync } from "../../src/commands/sync.ts";
import { user } from "../../src/commands/user.ts";
import { ConfigurationError, UsageError } from "../../src/domain/errors.ts";
import type { CommandIO } from "../../src/process/io.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";

let sandbox: Sandbox;
let folder: string;
let kim: string;
let sam: string;
let title = 0;

beforeAll(async () => {
  sandbox = await startSandbox({ file: ":memory:", people: 20, requestLogSize: 10_000 });
  folder = mkdtempSync(join(tmpdir(), "als-on-demand-"));
  const group = sandbox.directory.groupByName("All Employees") ?? "";
  const hire = (name: string): string => {
    const properties = { userPrincipalName: `${name}@example.com`, displayName: name, accountEnabled: true };
    const id = sandbox.directory.createUser(properties);
    sandbox.directory.addMember(group, id);
    return id;
  };
  [kim, sam] = [hire("kim.example"), hire("sam.example")];
  expect((await run({})).code).toBe(0);
});
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  title += 1;
  for (const id of [kim, sam]) sandbox.directory.updateUser(id, { jobTitle: `Title ${title}` });
});

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** @param answer typed at a terminal. Absent: there is no terminal */
async function run(options: Partial<SyncOptions>, answer?: string): Promise<Ran> {
  return ran(
    (io) =>
      sync(
        {
          sandbox: "both",
          runningSandbox: sandbox,
          dryRun: false,
          full: false,
          format: "table",
          detailedExitcode: false,
          waitSeconds: 0,
          quiet: true,
          ...options,
        },
        io,
      ),
    answer,
  );
}

async function ran(command: (io: CommandIO) => Promise<number>, answer?: string): Promise<Ran> {
  const terminal = { isTTY: answer !== undefined };
  const stream = () => Object.assign(new PassThrough(), terminal);
  const [stdin, stdout, stderr] = [stream(), stream(), stream()];
  const texts = { out: "", err: "" };
  stdout.on("data", (chunk) => {
    texts.out += String(chunk);
  });
  stderr.on("data", (chunk) => {
    texts.err += String(chunk);
  });
  if (answer !== undefined) stdin.write(`${answer}\n`);
  const env = { ALS_STATE: join(folder, "state.db"), NO_COLOR: "1" };
  const signal = new AbortController().signal;
  try {
    const code = await command({ env, cwd: folder, stdin, stdout, stderr, signal });
    return { code, ...texts };
  } catch (error) {
    // As the exit of the process does.
    if (!(error instanceof ConfigurationError)) throw error;
    return { code: 1, out: texts.out, err: `${texts.err}${error.message}\n` };
  }
}

const titleOf = (id: string): unknown => sandbox.lattice.byExternalId(id)?.title;

describe("sync --user", () => {
  it("shows the plan, sends nothing if there is no terminal to ask at, and says how to send it", async () => {
    const { code, out, err } = await run({ user: [kim] });
    expect(code).toBe(0);
    expect(out).toMatch(
      /^connect done .*\nimport {2}done .*\nscope {3}done .*\nmatch {3}done .*\nact {5}planned/,
    );
    expect(out).toContain("nothing was written");
    expect(err).toContain("run the command again with --yes");
    expect(titleOf(kim)).not.toBe(`Title ${title}`);
    expect((await run({ user: [kim], detailedExitcode: true })).code).toBe(2);
  });

  it("sends at once with --yes, only to the people who are named", async () => {
    const { code, out } = await run({ user: ["kim.example@example.com"], yes: true });
    expect(code).toBe(0);
    expect(out).toMatch(/act {5}done {5}update title/);
    expect(titleOf(kim)).toBe(`Title ${title}`);
    expect(titleOf(sam)).not.toBe(`Title ${title}`);
    await run({ user: [kim, sam], yes: true });
    expect(titleOf(sam)).toBe(`Title ${title}`);
  });

  it("asks at a terminal, and sends only on a yes", async () => {
    const refused = await run({ user: [kim, sam] }, "no");
    expect(refused.err).toContain("Nothing was sent.");
    expect(titleOf(kim)).not.toBe(`Title ${title}`);
    const agreed = await run({ user: [kim, sam] }, "yes");
    expect(agreed).toMatchObject({ code: 0 });
    expect(agreed.out).toContain("Sent: 2 done");
    expect([titleOf(kim), titleOf(sam)]).toEqual([`Title ${title}`, `Title ${title}`]);
  });

  it("does not ask if nothing is due, or in a dry run", async () => {
    await run({ user: [kim], yes: true });
    expect((await run({ user: [kim] }, "yes")).err).toBe("");
    const dry = await run({ user: [sam], dryRun: true, yes: true }, "yes");
    expect(dry.err).toBe("");
    expect(titleOf(sam)).not.toBe(`Title ${title}`);
  });

  it("has the steps in JSON", async () => {
    const { out } = await run({ user: [kim, sam], format: "json" }, "yes");
    const plan = JSON.parse(out);
    expect(plan.summary).toMatchObject({ update: 2 });
    expect(plan.steps).toHaveLength(10);
    expect(plan.steps.at(-1)).toEqual({
      user: sam,
      objectId: sam,
      step: "act",
      outcome: "planned",
      detail: "update title: title changed",
    });
    expect(titleOf(kim)).not.toBe(`Title ${title}`);
  });

  it("accepts a part of a name that one person has, shows who is meant, and sends on a yes", async () => {
    const dry = await run({ user: ["KIM.EX"] });
    expect(dry.code).toBe(0);
    expect(dry.err).toContain(
      '"KIM.EX" is a part of the name of one person: kim.example, kim.example@example.com.',
    );
    expect(titleOf(kim)).not.toBe(`Title ${title}`);
    await run({ user: ["kim.ex"] }, "yes");
    expect(titleOf(kim)).toBe(`Title ${title}`);
    expect(titleOf(sam)).not.toBe(`Title ${title}`);
  });

  it("never sends on a guess: several people are listed, and with --yes a part of a name is refused", async () => {
    const before = sandbox.requests.length;
    const several = await run({ user: ["m.example"] });
    expect(several.code).toBe(1);
    expect(several.err).toMatch(
      /"m\.example" may mean 2 people:\n {2}kim\.example {2}kim\.example@example\.com {2}.*\n {2}sam\.example {2}sam\.example@/,
    );
    expect(several.err).toContain("Nothing was done.");
    for (const name of ["kim.ex", "m.example"]) {
      const unseen = await run({ user: [sam, name], yes: true });
      expect(unseen.code).toBe(1);
      expect(unseen.err).toMatch(/Nothing was done\.$/m);
    }
    expect(sandbox.requests.length).toBe(before);
    expect(titleOf(sam)).not.toBe(`Title ${title}`);
  });

  it("asks Entra about a user principal name, and suggests similar names if Entra does not know it", async () => {
    const { code, err } = await run({ user: ["kim.example@example.co"], yes: true });
    expect(code).toBe(1);
    expect(err).toContain('Entra has no user "kim.example@example.co"');
    expect(err).toContain("similar names: kim.example@example.com");
  });

  it("accepts up to 20 people, and no empty name", async () => {
    const many = Array.from({ length: 21 }, (_, index) => `person${index}@example.com`);
    const before = sandbox.requests.length;
    await expect(run({ user: many })).rejects.toThrow(UsageError);
    await expect(run({ user: [" "] })).rejects.toThrow(UsageError);
    await expect(run({ yes: true })).rejects.toThrow(UsageError);
    expect(sandbox.requests.length).toBe(before);
  });
});

describe("the command user", () => {
  const options = { sandbox: "both", live: false, format: "json" } as const;

  it("explains a person from the database alone", async () => {
    await run({ user: [kim], yes: true });
    const before = sandbox.requests.length;
    const { code, out } = await ran((io) => user({ ...options, user: "KIM.example@example.com" }, io));
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      found: "both",
      source: { objectId: kim },
      scope: { mode: "assigned", configured: ["Lattice SCIM"], inScope: true },
      decision: { kind: "unchanged" },
    });
    expect(sandbox.requests.length).toBe(before);
    const table = await ran((io) => user({ ...options, format: "table", user: kim }, io));
    expect(table.out).toContain("Nothing is due: the account already has all mapped values.");
    expect((await ran((io) => user({ ...options, user: "ghost@example.com" }, io))).code).toBe(1);
  });

  it("finds a person by a part of the name, and lists several with exit code 1", async () => {
    const one = await ran((io) => user({ ...options, user: "kim ex" }, io));
    expect(one.code).toBe(0);
    expect(JSON.parse(one.out)).toMatchObject({ asked: "kim ex", source: { objectId: kim }, candidates: [] });
    const several = await ran((io) => user({ ...options, format: "table", user: "m.example" }, io));
    expect(several.code).toBe(1);
    expect(several.out).toContain('"m.example" matches 2 people');
    expect(several.out).toMatch(/People with this in their names\n {2}kim\.example .*\n {2}sam\.example /);
  });

  it("asks Entra and Lattice with --live, writes nothing, and names what makes the person a member", async () => {
    const running = { ...options, live: true, runningSandbox: sandbox };
    const { out } = await ran((io) => user({ ...running, user: kim }, io));
    expect(JSON.parse(out)).toMatchObject({
      pictures: { live: true },
      scope: { through: ['the group "All Employees"'] },
      decision: { kind: "operation", action: "update", changes: [{ after: `Title ${title}` }] },
    });
    const offline = await ran((io) => user({ ...options, user: kim }, io));
    expect(JSON.parse(offline.out).decision.kind).toBe("unchanged");

    const stranger = sandbox.lattice.create({ userName: "only.lattice@example.com", active: true });
    const live = await ran((io) => user({ ...running, user: "only.lattice@example.com" }, io));
    expect(JSON.parse(live.out)).toMatchObject({ found: "lattice", account: { latticeId: stranger.id } });
    const nobody = await ran((io) => user({ ...running, user: "ghost@example.com" }, io));
    expect(nobody.code).toBe(1);
  });
});
