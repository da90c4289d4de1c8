import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { configuration, makeWorkplace, type Workplace } from "../process/real-process.ts";

describe("one person, through the real process", () => {
  let sandbox: Sandbox;
  let place: Workplace;

  beforeAll(async () => {
    sandbox = await startSandbox({ file: ":memory:", people: 20 });
    place = makeWorkplace();
  });
  afterAll(async () => {
    await sandbox.close();
    place[Symbol.dispose]();
  });

  async function run(...args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
    const { entra, lattice, state } = configuration({ sandbox, statePath: place.statePath });
    const scope = { mode: "assigned", application: "Lattice SCIM" };
    const file = place.configure({ entra: { ...entra, scope }, lattice, state });
    const ended = place.start([...args, "--config", file], { LOG_LEVEL: "fatal" }).ended;
    const { code, stdout, stderr } = await ended;
    return { code, out: stdout, err: stderr };
  }

  it("is shown first, sent with --yes, and explained", async () => {
    const kim = sandbox.directory.createUser({
      userPrincipalName: "kim.example@example.com",
      accountEnabled: true,
    });
    sandbox.directory.addMember(sandbox.directory.groupByName("All Employees") ?? "", kim);
    expect(await run("user", kim)).toMatchObject({ code: 1, out: "" });

    const shown = await run("sync", "--user", "kim.example@example.com");
    expect(shown.code).toBe(0);
    expect(shown.err).toContain("run the command again with --yes");
    expect(sandbox.lattice.byExternalId(kim)).toBeUndefined();

    expect((await run("sync", "--user", kim, "--user", kim, "--yes")).code).toBe(0);
    expect(sandbox.lattice.byExternalId(kim)).toMatchObject({ userName: "kim.example@example.com" });

    const told = await run("user", "kim.example@example.com", "--format", "json");
    expect(told.code).toBe(0);
    expect(JSON.parse(told.out)).toMatchObject({
      decision: { kind: "unchanged" },
      history: [{ action: "create" }],
    });
  });

  it("is refused if the call is wrong", async () => {
    const many = Array.from({ length: 21 }, (_, index) => `person${index}@example.com`);
    expect(await run("sync", "--user", ...many)).toMatchObject({ code: 64, out: "" });
    expect((await run("sync", "--yes")).code).toBe(64);
    expect((await run("sync", "--user", "ghost@example.com", "--yes")).code).toBe(1);
    expect((await run("user", "ghost@example.com")).code).toBe(1);
  });
});
