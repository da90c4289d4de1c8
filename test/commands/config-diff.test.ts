import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { configDiff } from "../../src/commands/config-diff.ts";
import { UsageError } from "../../src/domain/errors.ts";
import { workplace } from "../config/workplace.ts";
import { terminal } from "./terminal.ts";

const rules = [
  { target: "userName", source: "userPrincipalName", matchingPrecedence: 1 },
  { target: "title", source: "jobTitle" },
];

let folder: string;
beforeEach(() => {
  folder = workplace();
});
const write = (name: string, config: object): void =>
  writeFileSync(join(folder, name), JSON.stringify(config), { mode: 0o600 });

const diff = async (before: object, after: object, more: object = {}) => {
  write("before.yaml", before);
  write("after.yaml", after);
  const at = terminal(folder);
  const code = await configDiff(
    {
      config: "before.yaml",
      other: "after.yaml",
      format: "json",
      detailedExitcode: true,
      ...more,
    },
    at.io,
  );
  return { code, out: at.output() };
};

it("says that nothing differs, also if the same mapping is at another place", async () => {
  write("mapping.yaml", rules);
  const { code, out } = await diff({ mapping: "mapping.yaml" }, { mapping: rules });
  expect(JSON.parse(out)).toMatchObject({ change: "none", different: false, plansEverybodyAgain: false });
  expect(code).toBe(0);
});

it("names each key with both values, and the attribute mappings one by one", async () => {
  const after = [rules[0], { ...rules[1], apply: "onCreate" }, { target: "nickName", source: "displayName" }];
  const { code, out } = await diff(
    { mapping: rules, guard: { window: "2h" } },
    { mapping: after, guard: { window: "3h" }, http: { listen: "127.0.0.1:9999" } },
  );
  expect(JSON.parse(out)).toMatchObject({
    plansEverybodyAgain: true,
    needsRestart: ["http.listen"],
    mapping: [
      { target: "title", change: "changed", keys: [{ key: "apply", before: null, after: "onCreate" }] },
      { target: "nickName", change: "added" },
    ],
    anotherTenant: false,
    anotherLattice: false,
  });
  expect(JSON.parse(out).settings).toContainEqual({
    key: "guard.window",
    secret: false,
    before: "2h",
    after: "3h",
    needsRestart: false,
  });
  expect(code).toBe(2);
  const { code: plain } = await diff({}, { guard: { window: "3h" } }, { detailedExitcode: false });
  expect(plain).toBe(0);
});

it("says that the same attribute mappings stand in another order", async () => {
  const turned = [...rules].reverse();
  const { code, out } = await diff({ mapping: rules }, { mapping: turned });
  expect(JSON.parse(out)).toMatchObject({ different: true, mapping: [], mappingReordered: true });
  expect(code).toBe(2);
  const { out: words } = await diff({ mapping: rules }, { mapping: turned }, { format: "table" });
  expect(words).toContain("Mapping\n  The same attribute mappings are in another order.\n");
});

it("says it in words, and plans no one again for a limit of the guard", async () => {
  const { out } = await diff(
    { entra: { scope: { mode: "groups", groups: ["A"] } } },
    {
      entra: { scope: { mode: "groups", groups: ["A", "B"] } },
      lattice: { url: "https://other.example.com" },
    },
    { format: "table" },
  );
  expect(out).toContain("Scope\n  entra.scope.groups: added B");
  expect(out).toContain("Everybody is planned again");
  expect(out).toContain("Another Lattice is named");
  const limit = await diff({}, { guard: { window: "3h" } }, { format: "table" });
  expect(limit.out).toContain("Guard\n  guard.window: ");
  expect(limit.out).toContain("No person is planned again");
});

it("never shows a secret, not in a list either", async () => {
  const receiver = (url: string) => ({ receivers: [{ kind: "teams", url }] });
  for (const format of ["table", "json"]) {
    const { code, out } = await diff(
      { lattice: { token: "first-api-key" }, notify: receiver("https://hook.example.com/first-path") },
      { lattice: { token: "second-api-key" }, notify: receiver("https://hook.example.com/second-path") },
      { format },
    );
    expect(code).toBe(2);
    expect(out).toContain("lattice.token");
    expect(out).toContain("notify.receivers");
    expect(out).not.toMatch(/first|second/);
  }
});

it("compares jobs by their names, and says which are new or gone", async () => {
  const before = { jobs: { emea: {}, us: { guard: { window: "2h" } } } };
  const after = { jobs: { us: { guard: { window: "3h" } }, apac: {} } };
  const { out } = await diff(before, after);
  expect(JSON.parse(out)).toMatchObject({
    emea: { change: "removed" },
    us: { change: "changed", settings: [{ key: "guard.window" }] },
    apac: { change: "added" },
  });
  const one = await diff(before, after, { job: "emea", format: "table" });
  expect(one.out).toContain("The job is removed");
  expect(one.out).not.toContain("apac");
  await expect(diff(before, after, { job: "nobody" })).rejects.toThrow(UsageError);
});

it("says which job cannot be compared, and compares the others", async () => {
  const before = { jobs: { emea: {}, us: { guard: { window: "2h" } }, apac: {} } };
  const after = { jobs: { emea: { guard: { nonsense: 1 } }, us: { guard: { window: "3h" } }, apac: {} } };
  const { code, out } = await diff(before, after);
  expect(JSON.parse(out)).toMatchObject({
    emea: { change: "faulty", error: expect.stringMatching(/after\.yaml.*nonsense/), exitCode: 64 },
    us: { change: "changed" },
    apac: { change: "none" },
  });
  expect(code).toBe(64);
  const words = await diff(before, after, { format: "table" });
  expect(words.out).toMatch(/Job emea\nIt cannot be compared:\n {2}after\.yaml.*nonsense/);
  expect(words.out).toMatch(/Job us\nGuard\n/);
  expect(words.code).toBe(64);
});

it("refuses a file that is missing, malformed, or has a mapping that cannot be read", async () => {
  await expect(diff({}, {}, { other: "missing.yaml" })).rejects.toThrow(/missing\.yaml/);
  await expect(diff({}, { guard: { nonsense: 1 } })).rejects.toThrow(/after\.yaml.*nonsense/);
  const bad = [rules[0], { target: "title", source: "nonsense" }];
  await expect(diff({}, { mapping: bad })).rejects.toThrow(UsageError);
});
