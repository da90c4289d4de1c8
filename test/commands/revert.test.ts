import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type RevertOptions, revert } from "../../src/commands/revert.ts";
import { UsageError } from "../../src/domain/errors.ts";
import { createWorkplace, defaultRules, mappingOf, type Workplace } from "../cycle/workplace.ts";
import { terminal } from "./terminal.ts";

let place: Workplace;

beforeEach(async () => {
  place = await createWorkplace();
  place.source.hire("boss");
  place.source.hire("kim", { jobTitle: "Analyst" }, "boss");
  place.source.hire("sam", { jobTitle: "Analyst" });
  await place.cycle();
});
afterEach(() => place[Symbol.asyncDispose]());

async function run(
  options: Partial<RevertOptions> & Pick<RevertOptions, "which">,
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; out: string }> {
  const at = terminal("/", { ALS_STATE: place.path, ...env });
  const code = await revert(
    {
      deactivateCreated: false,
      release: false,
      dryRun: true,
      yes: false,
      format: "json",
      waitSeconds: 0,
      ...options,
    },
    at.io,
  );
  return { code, out: at.output() };
}
const lists = async (options: Partial<RevertOptions> & Pick<RevertOptions, "which">) =>
  JSON.parse((await run(options)).out);

it("lists what is as the cycle left it, what has changed since, and what cannot be undone; it writes nothing", async () => {
  for (const id of ["kim", "sam"]) place.source.change(id, { jobTitle: "Chief" });
  place.source.change("boss", { accountEnabled: false });
  const { cycleId, header } = await place.cycle();
  place.source.change("sam", { jobTitle: "Head" });
  await place.cycle();
  const writes = place.target.writes.length;
  const found = await lists({ which: String(cycleId) });
  expect(found).toEqual({
    formatVersion: "1.1",
    dryRun: true,
    cycleId,
    planId: header.planId,
    reverts: expect.toSatisfy(
      (all: readonly { objectId: string; changes: readonly object[] }[]) =>
        JSON.stringify(all.map(({ objectId, changes }) => [objectId, changes]).toSorted()) ===
        JSON.stringify([["kim", [{ attribute: "title", before: "Chief", after: "Analyst" }]]]),
    ),
    changedSince: [
      {
        objectId: "sam",
        userName: "sam@example.com",
        latticeId: expect.any(String),
        what: [{ attribute: "title", reason: "Lattice has another value by now" }],
      },
    ],
    cannot: [],
    skipped: [
      expect.objectContaining({
        objectId: "boss",
        what: [{ attribute: "active", reason: expect.stringContaining("is disabled in Entra; --only") }],
      }),
    ],
  });
  // A plan's id means the same as the number of its cycle.
  expect(await lists({ which: header.planId })).toEqual(found);
  const { out } = await run({ which: header.planId, format: "table" });
  expect(out).toContain("Would be taken back: 1 person");
  expect(out).toMatch(/kim@example\.com\n\s+title\s+Chief → Analyst/);
  expect(out).toContain("Changed since, and left: 1 person");
  expect(out).toContain("Skipped: 1 person");
  const named = await lists({ which: header.planId, only: ["boss"] });
  expect(named.reverts).toMatchObject([
    { objectId: "boss", changes: [{ attribute: "active", before: false, after: true }] },
  ]);
  expect(named.cannot).toMatchObject([{ objectId: "boss" }]);
  expect(place.target.writes).toHaveLength(writes);
  expect((await place.store.recentCycles(1))[0]?.id).toBe(cycleId + 1);
});

it("deactivates created accounts only if asked", async () => {
  const without = await lists({ which: "1" });
  expect(without.reverts).toEqual([]);
  expect(without.cannot).toHaveLength(3);
  const asked = await lists({ which: "1", deactivateCreated: true, only: ["KIM@example.com", "sam"] });
  expect(asked.reverts).toMatchObject([
    { changes: [{ attribute: "active", after: false }] },
    { changes: [{ attribute: "active", after: false }] },
  ]);
});

it("shows no value that is for Lattice only", async () => {
  const rules = defaultRules.map((rule) =>
    "target" in rule && rule.target === "title"
      ? { target: "title", expression: "Redact([jobTitle])" }
      : rule,
  );
  place.settings = { ...place.settings, mapping: mappingOf(rules) };
  place.source.change("kim", { jobTitle: "Sentinel" });
  const { cycleId } = await place.cycle();
  for (const format of ["json", "table"] as const) {
    const { out } = await run({ which: String(cycleId), only: ["kim"], format });
    expect(out).toContain("[Redact]");
    expect(out).not.toMatch(/Sentinel|Analyst/);
  }
});

it.each([
  ["an unknown cycle", { which: "99" }, /no cycle 99 in the log/],
  ["an unknown plan", { which: "no-plan" }, /no plan “no-plan”\. A dry run's plan is not in the log/],
  ["a person of whom it has changed nothing", { which: "1", only: ["ghost"] }, /changed nothing of “ghost”/],
])("refuses %s in a sentence", async (_, options, words) => {
  const refused = run(options);
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(words);
});

it("refuses a cycle that has changed nothing, and one that is no longer in the log", async () => {
  const { cycleId } = await place.cycle();
  await expect(run({ which: String(cycleId) })).rejects.toThrow(/has changed nothing in Lattice/);
  await place.store.commit({ pruned: { cycles: [1] } }, "private");
  await expect(run({ which: "1" })).rejects.toThrow(/no longer in the log/);
});

it.each(["hash", "omit"])("refuses a log without values (%s)", async (logValues) => {
  const folder = mkdtempSync(join(tmpdir(), "als-revert-"));
  try {
    const config = join(folder, "config.yaml");
    writeFileSync(config, JSON.stringify({ state: { path: place.path, logValues } }), { mode: 0o600 });
    await expect(run({ which: "1", config })).rejects.toThrow(`state.logValues is ${logValues}, so the log`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
