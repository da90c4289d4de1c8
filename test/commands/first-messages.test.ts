import { describe, expect, it } from "vitest";
import { check } from "../../src/commands/check.ts";
import { configCheck } from "../../src/commands/config.ts";
import { daemon } from "../../src/commands/daemon.ts";
import { sync } from "../../src/commands/sync.ts";
import { UsageError } from "../../src/domain/errors.ts";
import { workplace } from "../config/workplace.ts";
import { startIn } from "../process/real-process.ts";
import { terminal } from "./terminal.ts";

const tenant = "example.onmicrosoft.com";
const client = "5b6c1f5e-9d3a-4e21-8a77-0c1d2e3f4a5b";

const syncOptions = {
  dryRun: false,
  full: false,
  format: "table",
  detailedExitcode: false,
  waitSeconds: 0,
} as const;

async function refusalOf(action: Promise<unknown>): Promise<string> {
  const error = await action.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof UsageError) return error.message;
  throw new Error("expected a UsageError", { cause: error });
}

const commands = {
  sync: (io) => sync(syncOptions, io),
  check: (io) => check({}, io),
  daemon: (io) => daemon({}, io),
  "config check": (io) => configCheck({}, io),
} satisfies { readonly [name: string]: (io: ReturnType<typeof terminal>["io"]) => Promise<number> };

describe.each(Object.entries(commands))("%s", (_name, run) => {
  const refusal = (env: NodeJS.ProcessEnv = {}, files: Readonly<Record<string, string>> = {}) =>
    refusalOf(run(terminal(workplace(files), env).io));

  it("names the variables, the first file and the demo if nothing is configured yet", async () => {
    const message = await refusal();
    expect(message).toMatch(/^Nothing is configured yet\. Create a configuration file with ".*config init"/);
    for (const name of ["TENANT_ID", "CLIENT_ID", "CLIENT_SECRET", "CLIENT_CERTIFICATE_PATH"])
      expect(message).toContain(`AZURE_${name}`);
    expect(message).toContain("LATTICE_API_KEY ");
    expect(message).toMatch(/ demo\.$/);
  });

  it("names the file if it sets nothing, as for the starter file", async () => {
    const name = "config/azure-lattice-sync.yaml";
    expect(await refusal({}, { [name]: "entra:\nlattice:\n" })).toMatch(
      /^config\/azure-lattice-sync\.yaml has no credentials .*\n {2}AZURE_TENANT_ID /,
    );
  });

  it("names everything that is missing, for Entra and Lattice together", async () => {
    expect((await refusal({ AZURE_CLIENT_SECRET: "hush" })).split("\n")).toEqual([
      expect.stringMatching(/AZURE_TENANT_ID or entra\.tenantId/),
      expect.stringMatching(/AZURE_CLIENT_ID or entra\.clientId/),
      expect.stringMatching(/LATTICE_API_KEY or lattice\.token/),
    ]);
  });

  it("names the faults of several filters and mappings together, each with its place and the nearest known word", async () => {
    const files = {
      "config/azure-lattice-sync.yaml": `entra:
  scope:
    filters:
      - clauses:
          - { attribute: departmnt, operator: EQUAL, value: x }
          - { attribute: department, operator: EQUALS }
          - { attribute: department, operator: IS NOT NULL, value: Sales }
      - clauses:
          - { attribute: jobTitle, operator: REGEX MATCH, value: "(" }
mapping: mine.yaml
`,
      "config/mine.yaml": `- { target: userName, source: userPrincipalNam, matchingPrecedence: 1 }
- { taget: title, source: jobTitle }
- target: title
  source: jobTitle
  apply: Always
- { target: titel, source: jobTitel }
- { target: nickName, sourc: givenName }
- { target: nickName, source: givenName, required: "yes", matchingPrecedence: 0 }
- oops
`,
    };
    const env = { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: client, AZURE_CLIENT_SECRET: "hush" };
    const lines = (await refusal(env, files)).split("\n");
    expect(lines).toEqual(
      [
        /^config\/azure-lattice-sync\.yaml:5:13: .*did you mean "EQUALS".*did you mean "department"/,
        /^config\/azure-lattice-sync\.yaml:6:13: .*EQUALS on "department".* needs a value/,
        /^config\/azure-lattice-sync\.yaml:7:13: .*IS NOT NULL on "department".* takes no value: .*use NOT EQUALS/,
        /^config\/azure-lattice-sync\.yaml:9:13: .*REGEX MATCH on "jobTitle"/,
        /^config\/mine\.yaml:1:3: mapping 1 \(userName\): .*did you mean "userPrincipalName"/,
        /^config\/mine\.yaml:2:12: mapping 2: unknown key "taget"; did you mean "target"\?$/,
        /^config\/mine\.yaml:5:10: mapping 3: "apply" must be one of always, onCreate$/,
        /^config\/mine\.yaml:6:3: mapping 4 \(titel\): .*did you mean "title".*did you mean "jobTitle"/,
        /^config\/mine\.yaml:7:30: mapping 5: unknown key "sourc"; did you mean "source"\?$/,
        /^config\/mine\.yaml:8:52: mapping 6: "required" must be true or false$/,
        /^config\/mine\.yaml:8:79: mapping 6: "matchingPrecedence" must be a whole number, 1 or more$/,
        /^config\/mine\.yaml:9:3: mapping 7: must be a section with a target and a source$/,
        /^Lattice's API key is missing/,
      ].map((line) => expect.stringMatching(line)),
    );
  });

  it.each([
    ["AZURE_TENANT_ID", "not-a-guid", /^AZURE_TENANT_ID: entra\.tenantId must be the directory/],
    ["AZURE_TENANT_ID", "00000000-1111-2222-3333-444444444444", /entra\.tenantId is still the placeholder/],
    ["AZURE_CLIENT_ID", "my-app", /^AZURE_CLIENT_ID: entra\.clientId must be .* a GUID .*, but is "my-app"/],
    ["AZURE_CLIENT_ID", "00000000-0000-0000-0000-000000000000", /entra\.clientId is still the placeholder/],
  ])("refuses %s=%s", async (name, value, sentence) => {
    expect(await refusal({ [name]: value })).toMatch(sentence);
  });
});

it("warns about a Lattice address without /scim/v2, and continues", async () => {
  const env = {
    AZURE_TENANT_ID: tenant,
    AZURE_CLIENT_ID: client,
    AZURE_CLIENT_SECRET: "hush",
    LATTICE_API_KEY: "hush",
    LATTICE_URL: "https://api.latticehq.com",
  };
  const place = terminal(workplace(), env);
  expect(await configCheck({}, place.io)).toBe(0);
  expect(place.output()).toMatch(
    /https:\/\/api\.latticehq\.com does not end in \/scim\/v2.*valid, 13 attribute/s,
  );
});

it("ends each message on stderr with one full stop", async () => {
  const { stderr, code } = await startIn(workplace(), ["sync", "--detailed-exitcode"]).ended;
  expect([stderr, code]).toEqual(["--detailed-exitcode needs --dry-run. Nothing was done.\n", 64]);
  const nothing = await startIn(workplace(), ["sync"]).ended;
  expect(nothing.stderr).toMatch(
    /environment variables:\n {2}AZURE_TENANT_ID .* ID\n(?: {2}.*[^.]\n){3}Each variable can .*demo\.\n$/,
  );
});

it.each([
  ["without --dry-run", {}],
  ["with --user and --yes", { user: ["kim@example.com"], yes: true }],
])("refuses --detailed-exitcode %s if it would send", async (_how, options) => {
  const asked = sync({ ...syncOptions, ...options, detailedExitcode: true }, terminal(workplace()).io);
  expect(await refusalOf(asked)).toBe("--detailed-exitcode needs --dry-run. Nothing was done.");
});
