import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { configCheck } from "../../src/commands/config.ts";
import { mappingTest } from "../../src/commands/mapping-test.ts";
import { sync } from "../../src/commands/sync.ts";
import { UsageError } from "../../src/domain/errors.ts";
import type { Json } from "../../src/domain/json.ts";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { openReadOnlyStore } from "../../src/state/sqlite/store.ts";
import { workplace } from "../config/workplace.ts";
import { terminal } from "./terminal.ts";

const env = {
  AZURE_TENANT_ID: "example.onmicrosoft.com",
  AZURE_CLIENT_ID: "5b6c1f5e-9d3a-4e21-8a77-0c1d2e3f4a5b",
  AZURE_CLIENT_SECRET: "secret",
  LATTICE_API_KEY: "key",
};

const passing = `- name: kim
  user: { userPrincipalName: kim@example.com, jobTitle: Analyst }
  expect: { userName: kim@example.com, title: Analyst }
`;
const failing = `- name: sam
  user:
    userPrincipalName: sam@example.com
  expect:
    title: Chief
`;

async function messageOf(action: Promise<unknown>): Promise<string> {
  try {
    await action;
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error("expected a UsageError, but nothing was thrown");
}

describe("mapping test", () => {
  it("runs the cases next to the configuration and next to the mapping, and names those that failed", async () => {
    const cwd = workplace({
      "conf/c.yaml": "mapping: ../maps/m.yaml\n",
      "maps/m.yaml":
        "- { target: userName, source: mail, matchingPrecedence: 1 }\n- { target: title, source: jobTitle }\n",
      "conf/a.mapping-test.yaml": failing,
      "maps/b.mapping-test.yml":
        "- { name: pat, user: { mail: pat@example.com }, expect: { userName: pat@example.com } }\n",
      "conf/other.yaml": "not: cases\n",
    });
    const { io, output } = terminal(cwd);
    expect(await mappingTest({ config: "conf/c.yaml", format: "table" }, io)).toBe(1);
    expect(output()).toBe(`conf/a.mapping-test.yaml
  FAIL  sam  (conf/a.mapping-test.yaml:1:3)
        title
          expected  "Chief"
          got       no value
          from      jobTitle
maps/b.mapping-test.yml
  ok    pat
2 mapping cases: 1 passed, 1 failed
`);
  });

  it("passes, and reports the same in JSON", async () => {
    const cwd = workplace({ "config/a.mapping-test.yaml": passing });
    const { io, output } = terminal(cwd);
    expect(await mappingTest({ format: "json" }, io)).toBe(0);
    expect(JSON.parse(output())).toEqual({
      formatVersion: "1.0",
      summary: { cases: 1, passed: 1, failed: 0 },
      cases: [
        {
          file: "config/a.mapping-test.yaml",
          name: "kim",
          place: "config/a.mapping-test.yaml:1:3",
          passed: true,
          differences: [],
        },
      ],
    });
  });

  it("runs only the files that are named", async () => {
    const cwd = workplace({ "config/a.mapping-test.yaml": failing, "x.yaml": passing });
    expect(await mappingTest({ cases: ["x.yaml"], format: "table" }, terminal(cwd).io)).toBe(0);
    await expect(mappingTest({ cases: ["y.yaml"], format: "table" }, terminal(cwd).io)).rejects.toThrow(
      "y.yaml cannot be read: there is no such file",
    );
  });

  it("names every fault of every file with line and column", async () => {
    const cwd = workplace({
      "config/a.mapping-test.yaml": "- name: kim\n  user:\n    jobTitel: x\n  expect: { titel: x }\n",
      "config/b.mapping-test.yaml": "- nme: kim\n  user: {}\n  expect: { title: x }\n",
    });
    const message = await messageOf(mappingTest({ format: "table" }, terminal(cwd).io));
    expect(message.split("\n")).toEqual([
      expect.stringMatching(/^config\/a.mapping-test.yaml:3:15: .*did you mean "jobTitle"/),
      expect.stringMatching(/^config\/a.mapping-test.yaml:4:20: .*did you mean "title"/),
      expect.stringMatching(/^config\/b.mapping-test.yaml:1:3: name must be text/),
      expect.stringMatching(/^config\/b.mapping-test.yaml:1:8: unknown key "nme"; allowed here: name/),
    ]);
    const broken = workplace({ "config/a.mapping-test.yaml": "- name: 'kim\n" });
    await expect(mappingTest({ format: "table" }, terminal(broken).io)).rejects.toThrow(
      /a.mapping-test.yaml:\d+:\d+: /,
    );
    const deep = workplace({ "config/a.mapping-test.yaml": `${"- ".repeat(5000)}x` });
    await expect(mappingTest({ format: "table" }, terminal(deep).io)).rejects.toThrow(UsageError);
  });

  it("says what to do if there are no cases, or if flags do not go together", async () => {
    const { io } = terminal(workplace());
    await expect(mappingTest({ format: "table" }, io)).rejects.toThrow(/no test cases.*\.mapping-test\.yaml/);
    await expect(mappingTest({ format: "table", keep: ["city"] }, io)).rejects.toThrow(
      "--keep needs --record",
    );
  });

  it("passes with the worked example of the default mapping", async () => {
    const cases = ["config/default-mapping.mapping-test.example.yaml"];
    expect(await mappingTest({ cases, format: "table" }, terminal(process.cwd()).io)).toBe(0);
  });
});

describe("config check", () => {
  it("runs the cases, and refuses a mapping that fails one", async () => {
    const good = terminal(workplace({ "config/a.mapping-test.yaml": passing }), env);
    expect(await configCheck({}, good.io)).toBe(0);
    expect(good.output()).toMatch(/^1 mapping case: 1 passed, 0 failed\n.*valid, 13 attribute mappings/);

    const bad = terminal(workplace({ "config/a.mapping-test.yaml": passing + failing }), env);
    await expect(configCheck({}, bad.io)).rejects.toThrow(UsageError);
    const text = bad.output();
    expect(text).toMatch(/FAIL {2}sam .*\n +title\n +expected {2}"Chief"/);
    expect(text).not.toContain("kim");
    expect(text).toContain("2 mapping cases: 1 passed, 1 failed");
  });
});

function leaves(json: Json): readonly string[] {
  if (typeof json === "string" || typeof json === "number") return [String(json)];
  return typeof json === "object" && json !== null ? Object.values(json).flatMap(leaves) : [];
}

describe("mapping test --record", () => {
  it("makes cases from people in the state database; the cases pass and contain none of the people's values", async () => {
    const cwd = workplace();
    const sandboxed = {
      sandbox: "both",
      full: false,
      format: "json",
      detailedExitcode: false,
      waitSeconds: 0,
    } as const;
    expect(await sync({ ...sandboxed, people: 20, dryRun: false }, terminal(cwd).io)).toBe(0);
    const store = openReadOnlyStore(join(cwd, "state/azure-lattice-sync.sandbox-both.db"));
    if (store === null) throw new Error("the sync has left no database");
    const people = await store.candidates({
      select: "everybody",
      everyoneInScope: true,
      after: "",
      limit: 12,
    });
    await store.close();
    expect(people.length).toBe(12);

    const recorded: string[] = [];
    for (const { source } of people) {
      const { io, output, notes } = terminal(cwd);
      const record = source.objectId;
      expect(await mappingTest({ record, sandbox: "both", format: "table" }, io)).toBe(0);
      const yaml = output();
      recorded.push(yaml);
      const written = leaves(parse(yaml) as Json).map((value) => value.toLowerCase());
      const { userType: _, ...attributes } = source.attributes;
      const real = [...leaves(attributes), source.objectId, source.managerId ?? ""];
      for (const value of real.filter(({ length }) => length > 2)) {
        expect(written.filter((other) => other.includes(value.toLowerCase()))).toEqual([]);
      }
      expect(notes()).toMatch(/^The values are made up\. Read the case before you share it\.\n/);
    }
    // A part of the name is enough if only one person has it; a note says who it is.
    const { displayName, userPrincipalName } = people[0]?.source.attributes ?? {};
    const byName = terminal(cwd);
    const record = String(displayName).toUpperCase();
    expect(await mappingTest({ record, sandbox: "both", format: "table" }, byName.io)).toBe(0);
    expect(byName.notes()).toContain(`"${record}" is ${displayName}, ${userPrincipalName}.`);
    const several = terminal(cwd);
    await expect(
      mappingTest({ record: "@example", sandbox: "both", format: "table" }, several.io),
    ).rejects.toThrow('"@example" does not name one person alone');
    expect(several.notes()).toMatch(/^"@example" may mean \d+ people:\n/);
    expect(several.output()).toBe("");
    const all = workplace({ "config/recorded.mapping-test.yaml": recorded.join("") });
    const { io, output } = terminal(all);
    expect(await mappingTest({ format: "table" }, io)).toBe(0);
    expect(output()).toContain(`${people.length} mapping cases: ${people.length} passed, 0 failed`);
  });

  it("records the groups of filters and expressions and the manager's mapped attributes, so that the case passes", async () => {
    const rules = [
      { target: "userName", source: "userPrincipalName", matchingPrecedence: 1 },
      { target: "active", constant: true },
      { target: "title", expression: 'Join("/", [manager.surname], [surname])' },
      { target: "nickName", expression: 'IIF(MemberOf("All Employees"), "staff", "guest")' },
    ];
    const filters = [{ clauses: [{ memberOf: "Sales" }, { notMemberOf: "Engineering" }] }];
    const files = {
      "config/azure-lattice-sync.yaml": JSON.stringify({ mapping: rules, entra: { scope: { filters } } }),
    };
    const cwd = workplace(files);
    const sandboxed = { sandbox: "both", full: false, format: "json", detailedExitcode: false } as const;
    const options = { ...sandboxed, waitSeconds: 0, people: 40, dryRun: false };
    expect(await sync(options, terminal(cwd).io)).toBe(0);
    const store = openReadOnlyStore(join(cwd, "state/azure-lattice-sync.sandbox-both.db"));
    const people = await store?.candidates({
      select: "everybody",
      everyoneInScope: true,
      after: "",
      limit: 40,
    });
    await store?.close();
    const person = people?.find(({ groups, manager }) => groups.has("Sales") && manager?.source);
    if (person === undefined) throw new Error("nobody in Sales has a manager");
    const { io, output } = terminal(cwd);
    expect(await mappingTest({ record: person.source.objectId, sandbox: "both", format: "table" }, io)).toBe(
      0,
    );
    const [made] = parse(output());
    expect(made).toMatchObject({
      memberOf: ["Sales", "All Employees"],
      user: { manager: { surname: expect.any(String), id: expect.any(String) } },
      expect: { title: `${made.user.manager.surname}/${made.user.surname}`, nickName: "staff" },
    });
    expect(output()).not.toContain(String(person.manager?.source?.attributes.surname));
    const again = workplace({ ...files, "config/one.mapping-test.yaml": output() });
    expect(await mappingTest({ format: "table" }, terminal(again).io)).toBe(0);
  });

  it("names a misspelt attribute of a manager", async () => {
    const cwd = workplace({
      "config/a.mapping-test.yaml":
        "- { name: kim, user: { userPrincipalName: kim@example.com, manager: { id: x, mial: y } }, expect: { title: null } }\n",
    });
    const message = await messageOf(mappingTest({ format: "table" }, terminal(cwd).io));
    expect(message).toMatch(/:1:\d+: unknown source attribute "mial"; did you mean "mail"\?/);
  });

  it("reads the person from Entra if there is no database, keeps the attributes named by --keep, and never overwrites a file", async () => {
    const sandbox = await startSandbox({ file: ":memory:", people: 20 });
    onTestFinished(() => sandbox.close());
    const config = JSON.stringify({
      entra: {
        tenantId: sandbox.tenantId,
        clientId: sandbox.clientId,
        authorityHost: sandbox.authorityHost,
        graphUrl: sandbox.graphUrl,
        scope: {
          filters: [
            {
              clauses: [
                { attribute: "department", operator: "REGEX MATCH", value: "[A-Z][a-z &]+" },
                { attribute: "jobTitle", operator: "NOT EQUALS", value: "x" },
                { notMemberOf: "Pilots" },
              ],
            },
          ],
        },
      },
    });
    const cwd = workplace({ "config/azure-lattice-sync.yaml": config });
    const secret = { AZURE_CLIENT_SECRET: sandbox.clientSecret };
    const person = [...sandbox.directory.users()].find(
      ({ properties: { department, jobTitle, accountEnabled } }) => department && jobTitle && accountEnabled,
    )?.properties;
    if (person === undefined) throw new Error("nobody has a department");
    const record = String(person.userPrincipalName);
    const { io, notes } = terminal(cwd, secret);
    const options = {
      record,
      keep: ["department"],
      out: "config/one.mapping-test.yaml",
      format: "table",
    } as const;
    expect(await mappingTest(options, io)).toBe(0);
    const said = notes();
    expect(said).toMatch(
      /^The case was written to config\/one.mapping-test.yaml\.\nThe values are made up, except those of department\./,
    );
    expect(said).toContain('add memberOf with "Pilots"');
    const written = readFileSync(join(cwd, options.out), "utf8");
    expect(parse(written)).toMatchObject([{ user: { department: person.department } }]);
    expect(written).not.toContain(record);
    await expect(mappingTest(options, terminal(cwd, secret).io)).rejects.toThrow(/nothing was overwritten$/);
    expect(readFileSync(join(cwd, options.out), "utf8")).toBe(written);
    expect(await mappingTest({ format: "table" }, terminal(cwd, secret).io)).toBe(0);
    expect(existsSync(join(cwd, "state"))).toBe(false);

    await expect(
      mappingTest({ record: "nobody@example.com", format: "table" }, terminal(cwd, secret).io),
    ).rejects.toThrow('Entra has no user "nobody@example.com"');
  });
});
