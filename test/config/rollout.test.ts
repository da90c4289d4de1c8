import { expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { usageLines, workplace } from "./workplace.ts";

function canaryOf(canary: object): unknown {
  const cwd = workplace({ "config.yaml": JSON.stringify({ rollout: { canary } }) });
  return loadConfig({ file: "config.yaml", env: {}, cwd }).config.rollout.canary;
}

it("tries on no one by default, waits for a release, or goes on after a time", () => {
  expect(canaryOf({})).toEqual({ people: null, users: [], group: null, goesOn: null });
  expect(canaryOf({ people: 10, users: ["kim.example@example.com"] })).toEqual({
    people: 10,
    users: ["kim.example@example.com"],
    group: null,
    goesOn: null,
  });
  expect(canaryOf({ people: 0, group: "Pilots" })).toMatchObject({ people: 0, group: "Pilots" });
  const later = { after: "2h", maxFailures: 1 };
  // biome-ignore lint/suspicious/noThenProperty: a key of the file
  expect(canaryOf({ people: 10, then: later })).toMatchObject({
    goesOn: { afterMs: 7_200_000, maxFailures: 1 },
  });
  // biome-ignore lint/suspicious/noThenProperty: a key of the file
  expect(canaryOf({ people: 10, then: { after: "30m" } })).toMatchObject({
    goesOn: { afterMs: 1_800_000, maxFailures: 0 },
  });
});

it("says in one sentence what is wrong", () => {
  // biome-ignore lint/suspicious/noThenProperty: a key of the file
  const [wrongEnd] = usageLines(() => canaryOf({ people: 10, then: "soon" }));
  expect(wrongEnd).toContain("rollout.canary.then");
  expect(wrongEnd).toContain("must be release, or a section such as { after: 2h, maxFailures: 0 }");
  const [namesAlone] = usageLines(() => canaryOf({ users: ["kim.example@example.com"] }));
  expect(namesAlone).toContain("needs rollout.canary.people (0 for no one else)");
  const [groupAlone] = usageLines(() => canaryOf({ group: "Pilots" }));
  expect(groupAlone).toContain("rollout.canary.group");
  expect(groupAlone).toContain("needs rollout.canary.people (0 for no one else)");
  expect(usageLines(() => canaryOf({ people: 5_000 }))[0]).toContain("must be a whole number from 0 to 1000");
});
