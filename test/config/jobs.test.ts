import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { configJsonSchema } from "../../src/config/json-schema.ts";
import { loadConfig, openConfiguration } from "../../src/config/load.ts";
import { faultsOf, loadJobs, soundJobs } from "../../src/config/load-jobs.ts";
import { requireLattice } from "../../src/config/require.ts";
import { showConfig } from "../../src/config/show.ts";
import { usageLines, workplace } from "./workplace.ts";

const tenant = (number: number): string => `00000000-0000-4000-8000-00000000000${number}`;

const two = `\
entra:
  scope:
    mode: groups
    groups: [Staff]
lattice:
  timeout: 10s
  maxConcurrency: 4
schedule:
  every: 30m
jobs:
  emea:
    entra:
      tenantId: ${tenant(1)}
    lattice:
      maxConcurrency: 2
  us:
    entra:
      tenantId: ${tenant(2)}
      scope:
        groups: [People of the US]
    schedule:
      cron: 0 6 * * *
`;

const load = (files: Readonly<Record<string, string>>, job?: string, env: Record<string, string> = {}) =>
  loadConfig({ file: "c.yaml", env, cwd: workplace(files), job });

describe("jobs in one file", () => {
  it("lays the section of a job over the shared part, key by key, and replaces lists whole", () => {
    const [emea, us] = ["emea", "us"].map((job) => load({ "c.yaml": two }, job));
    expect(emea).toMatchObject({
      job: "emea",
      named: true,
      config: {
        entra: { tenantId: tenant(1), scope: { mode: "groups", groups: ["Staff"] } },
        lattice: { timeoutMs: 10_000, maxConcurrency: 2 },
        schedule: { kind: "every", everyMs: 1_800_000 },
      },
    });
    expect(us?.config.entra.scope.groups).toEqual(["People of the US"]);
    expect(us?.config.lattice).toMatchObject({ timeoutMs: 10_000, maxConcurrency: 4 });
  });

  it("drops what all jobs share if the job gives the alternative", () => {
    expect(load({ "c.yaml": two }, "us").config.schedule).toMatchObject({ kind: "cron", cron: "0 6 * * *" });
    const yaml = `
entra: { certificate: { path: shared.pem } }
lattice: { tokenFile: shared.key }
jobs: { emea: { entra: { clientSecret: own-secret }, lattice: { token: own-token } } }
`;
    const { config } = load({ "c.yaml": yaml, "shared.key": "shared-token" }, "emea");
    expect(config.entra.credential).toBe("clientSecret");
    expect(config.lattice.token?.reveal()).toBe("own-token");
  });

  it("drops what all jobs share if a variable of the job gives the alternative, and keeps what the job gives itself", () => {
    const yaml = `
entra: { certificate: { path: shared.pem } }
state: { url: "postgres://als@db.example.com/als" }
jobs: { emea: {}, us: { entra: { certificate: { path: own.pem } }, state: { url: "postgres://als@us.example.com/als" } } }
`;
    const emea = load({ "c.yaml": yaml }, "emea", {
      AZURE_CLIENT_SECRET__EMEA: "own-secret",
      ALS_STATE__EMEA: "own.db",
    });
    expect(emea.config.entra.credential).toBe("clientSecret");
    expect(emea.config.state.url).toBeUndefined();
    expect(emea.config.state.path).toMatch(/\/own\.db$/);
    const variable = load({ "c.yaml": "jobs: { emea: {} }" }, "emea", {
      AZURE_CLIENT_SECRET__EMEA: "own-secret",
      AZURE_CLIENT_CERTIFICATE_PATH: "shared.pem",
    });
    expect(variable.config.entra.credential).toBe("clientSecret");
    const us = load({ "c.yaml": yaml }, "us", { AZURE_CLIENT_SECRET__US: "own-secret" });
    expect(us.config.entra.credential).toBe("certificate");
    expect(usageLines(() => load({ "c.yaml": yaml }, "us", { ALS_STATE__US: "own.db" }))[0]).toMatch(
      /state\.url and state\.path are both set/,
    );
  });

  it("gives each job a database next to the shared one, and the job default the shared one", () => {
    const cwd = workplace({
      "c.yaml": "jobs: { default: {}, emea: {}, us: { state: { path: own/us.db } } }",
    });
    const path = (job: string, env = {}): string =>
      loadConfig({ file: "c.yaml", env, cwd, job }).config.state.path;
    expect(path("default")).toBe(join(cwd, "state/azure-lattice-sync.db"));
    expect(path("emea")).toBe(join(cwd, "state/emea.db"));
    expect(path("us")).toBe(join(cwd, "own/us.db"));
    expect(path("emea", { ALS_STATE: "/data/als.db" })).toBe("/data/emea.db");
    expect(path("emea", { ALS_STATE_DEFAULT: "/image/als.db" })).toBe("/image/emea.db");
    expect(path("us", { ALS_STATE: "/data/als.db" })).toBe(join(cwd, "own/us.db"));
    expect(path("us", { ALS_STATE__US: "/data/other.db" })).toBe("/data/other.db");
  });

  it("puts the name of the job into the path of the metrics that a run leaves", () => {
    const yaml = "metrics: { path: als.prom }\njobs: { default: {}, emea: {} }";
    expect(load({ "c.yaml": yaml }, "emea").config.metrics.path).toMatch(/\/als-emea\.prom$/);
    expect(load({ "c.yaml": yaml }, "default").config.metrics.path).toMatch(/\/als\.prom$/);
  });

  it("leaves a mapping of constants without a value as it is, also below a job", () => {
    const yaml = "jobs: { emea: { mapping: [ { source: givenName, target: name.givenName, default: } ] } }";
    expect(load({ "c.yaml": yaml }, "emea").mappingSource.rules).toEqual([
      { source: "givenName", target: "name.givenName", default: null },
    ]);
  });

  it("is needed by name if there are several, and the only one is meant without a name", () => {
    expect(usageLines(() => load({ "c.yaml": two }))).toEqual([
      "The configuration has 2 jobs. Name one with --job: emea, us.",
    ]);
    expect(usageLines(() => load({ "c.yaml": two }, "emae"))).toEqual([
      'There is no job "emae". Did you mean emea? The jobs are: emea, us.',
    ]);
    expect(load({ "c.yaml": "jobs: { emea: {} }" }).job).toBe("emea");
  });

  it("is called default in a configuration without jobs", () => {
    expect(load({ "c.yaml": "" })).toMatchObject({ job: "default", named: false });
    expect(load({ "c.yaml": "" }, "default")).toMatchObject({ job: "default", named: false });
    expect(usageLines(() => load({ "c.yaml": "" }, "emea"))).toEqual([
      'There is no job "emea". The only job is: default.',
    ]);
  });
});

describe("faults of jobs", () => {
  const faults = (yaml: string, job = "emea", files: Readonly<Record<string, string>> = {}) =>
    usageLines(() => load({ "c.yaml": yaml, ...files }, job));

  it("point into the place of the job", () => {
    expect(faults("jobs:\n  emea:\n    entra:\n      tenantId: nonsense!\n      tenantid: x\n")).toEqual([
      'c.yaml:4:17: jobs.emea.entra.tenantId must be the directory (tenant) ID, a GUID, or a verified domain name of the directory such as example.onmicrosoft.com, but is "nonsense!"',
      'c.yaml:5:7: unknown key "jobs.emea.entra.tenantid"; did you mean "entra.tenantId"?',
    ]);
  });

  it("point into the shared part if they are there", () => {
    expect(faults("drift: never\njobs: { emea: { onNull: keep } }")).toEqual([
      'c.yaml:1:8: drift must be one of correct, report, but is "never"',
    ]);
  });

  it("point to a list of the job although there is a longer one in the shared part", () => {
    const yaml = `
notify: { receivers: [ { kind: slack, url: "https://example.com/a" }, { kind: teams, url: "https://example.com/b" } ] }
jobs: { emea: { notify: { receivers: [ { kind: slack } ] } } }`;
    expect(faults(yaml)[0]).toMatch(/^c\.yaml:3:\d+: jobs\.emea\.notify\.receivers\[0\]\.url is missing/);
  });

  it("name the variable of a job", () => {
    const env = { LATTICE_URL__EMEA: "nonsense" };
    expect(usageLines(() => load({ "c.yaml": two }, "emea", env))[0]).toMatch(
      /^LATTICE_URL__EMEA: lattice\.url/,
    );
    expect(load({ "c.yaml": two }, "us", env).config.lattice.url).toMatch(/^https:/);
  });

  it("refuse keys of the process in a job", () => {
    expect(faults("jobs:\n  emea:\n    http: { listen: 127.0.0.1:1 }\n    log: { level: debug }")).toEqual([
      "c.yaml:3:5: jobs.emea.http cannot be set for one job, because all jobs share the process: move http to the top of the configuration file",
      "c.yaml:4:5: jobs.emea.log cannot be set for one job, because all jobs share the process: move log to the top of the configuration file",
    ]);
    expect(faults("jobs: { emea: { jobs: { us: {} } } }")[0]).toMatch(/a job cannot have jobs itself/);
  });

  it.each([
    ["jobs:\n", "c.yaml:1:1: jobs names no job: name one, or remove the key"],
    ["jobs: {}", "c.yaml:1:1: jobs names no job: name one, or remove the key"],
    [
      "jobs: [emea]",
      "c.yaml:1:1: jobs must be a section: each job's name with its keys below it, or directory: FOLDER",
    ],
    [
      "jobs: { Emea: {} }",
      'c.yaml:1:9: "Emea" cannot be the name of a job: use 1 to 63 characters of a-z, 0-9 and -, and begin with a letter or digit',
    ],
    ["jobs: { emea: 5 }", "c.yaml:1:15: jobs.emea must be a section with indented keys"],
    [
      "jobs: { directory: jobs.d, us: {} }",
      'c.yaml:1:28: jobs.directory is set, so that each job has a file of its own: move "us" there',
    ],
    [
      "jobs: { directory: }",
      "c.yaml:1:20: jobs.directory must be the path of a folder, relative to this file",
    ],
    [
      "jobs: { directory: jobs.d }",
      "c.yaml:1:20: jobs.directory names jobs.d, which cannot be read: there is no such file",
    ],
  ])("refuse %j", (yaml, message) => {
    expect(faults(yaml)).toEqual([message]);
  });
});

describe("a folder of jobs", () => {
  const shared = "lattice: { timeout: 10s }\njobs: { directory: jobs.d }\n";
  const files = {
    "config/c.yaml": shared,
    "config/jobs.d/emea.yaml": "lattice:\n  tokenFile: emea.key\nmapping: maps/emea.yaml\n",
    "config/jobs.d/emea.key": "token-of-emea\n",
    "config/jobs.d/maps/emea.yaml": "- { source: mail, target: userName }\n",
    "config/jobs.d/us.yaml": "",
    "config/jobs.d/x.mapping-test.yaml": "[]",
    "config/jobs.d/.emea.yaml.swp": "x",
    "config/jobs.d/notes.txt": "x",
  };
  const configuration = (more: Readonly<Record<string, string>> = {}) =>
    openConfiguration({ file: "config/c.yaml", env: {}, cwd: workplace({ ...files, ...more }) });

  it("has one file for each job; paths in it are relative to it", () => {
    const { names, load: loadOne } = configuration();
    expect(names).toEqual(["emea", "us"]);
    const emea = loadOne("emea");
    expect(emea.config.lattice).toMatchObject({ timeoutMs: 10_000 });
    expect(requireLattice(emea.config).token.reveal()).toBe("token-of-emea");
    expect(emea.mappingSource.origin).toBe("config/jobs.d/maps/emea.yaml");
    expect(loadOne("us").config.lattice.token).toBeUndefined();
  });

  it("reports a fault of a job with its own file, and leaves the other jobs alone", () => {
    const { load: loadOne } = configuration({
      "config/jobs.d/us.yaml": "lattice:\n  maxConcurrency: many\n",
    });
    expect(usageLines(() => loadOne("us"))).toEqual([
      'config/jobs.d/us.yaml:2:19: lattice.maxConcurrency must be a whole number from 1 to 64, but is "many"',
    ]);
    expect(loadOne("emea").job).toBe("emea");
  });

  it("leaves a file that is not YAML to its job", () => {
    const { names, load: loadOne } = configuration({ "config/jobs.d/us.yaml": "a: [\n" });
    expect(names).toEqual(["emea", "us"]);
    expect(usageLines(() => loadOne("us"))[0]).toMatch(/^config\/jobs\.d\/us\.yaml:/);
  });

  it("refuses names that would be overlooked", () => {
    expect(
      usageLines(() => configuration({ "config/jobs.d/apac.yml": "", "config/jobs.d/A b.yaml": "" })),
    ).toEqual([
      "config/c.yaml:2:20: jobs.directory names jobs.d, and the name of A b.yaml in it cannot be the name of a job: use 1 to 63 characters of a-z, 0-9 and -, and begin with a letter or digit",
      "config/c.yaml:2:20: jobs.directory names jobs.d, and apac.yml in it is not read: rename it to end in .yaml",
    ]);
  });
});

describe("environment variables", () => {
  const own = "jobs: { emea: { lattice: { token: of-the-job } }, us-east: {} }";
  const token = (job: string, env: Record<string, string>, files = {}): string | undefined =>
    load({ "c.yaml": own, ...files }, job, env).config.lattice.token?.reveal();

  it("without the name of a job are what all jobs share: the job's section and its own variables count more", () => {
    expect(token("emea", { LATTICE_API_KEY: "shared" })).toBe("of-the-job");
    expect(token("us-east", { LATTICE_API_KEY: "shared" })).toBe("shared");
    expect(token("us-east", { LATTICE_API_KEY: "shared", LATTICE_API_KEY__US_EAST: "own" })).toBe("own");
    expect(token("emea", { LATTICE_API_KEY__EMEA_FILE: "key" }, { key: "from-a-file" })).toBe("from-a-file");
  });

  it("for a job that does not exist, or for a key of the process, are refused", () => {
    const said = (env: Record<string, string>) => usageLines(() => load({ "c.yaml": own }, "emea", env));
    expect(said({ LATTICE_API_KEY__EMAE_FILE: "key" })).toEqual([
      "LATTICE_API_KEY__EMAE_FILE is for a job that does not exist; did you mean LATTICE_API_KEY__EMEA? The jobs are: emea, us-east",
    ]);
    expect(said({ ALS_HTTP_TOKEN__EMEA: "0123456789abcdef" })).toEqual([
      "ALS_HTTP_TOKEN__EMEA: http.token cannot be set for one job, because all jobs share the process: use ALS_HTTP_TOKEN",
    ]);
  });

  it("are not used, and this is said, if the configuration has no jobs", () => {
    const { config, notes } = load({ "c.yaml": "" }, undefined, { LATTICE_API_KEY__EMEA: "x" });
    expect(config.lattice.token).toBeUndefined();
    expect(notes).toEqual([
      "LATTICE_API_KEY__EMEA is not used: it is for one job, and the configuration has no jobs",
    ]);
  });
});

it("the example of two jobs is valid with the files that it names, and shows the keys of a job", () => {
  const files = Object.fromEntries(
    ["emea", "us"].flatMap((job) =>
      ["entra-client-secret", "lattice-api-key"].map((name) => [
        `secrets/${job}-${name}`,
        `${name}-of-${job}`,
      ]),
    ),
  );
  const cwd = workplace({ "c.yaml": readFileSync("config/azure-lattice-sync.jobs.example.yaml"), ...files });
  const jobs = loadJobs(openConfiguration({ file: "c.yaml", env: {}, cwd }));
  expect(faultsOf(jobs)).toBeNull();
  const [emea, us] = soundJobs(jobs).map(({ config }) => config);
  expect(emea).toMatchObject({ schedule: { kind: "every" }, guard: { maxDeactivations: 20 } });
  expect(us).toMatchObject({
    schedule: { kind: "cron" },
    guard: { maxDeactivations: 5 },
    workers: { maxJobsAtOnce: 2 },
  });
  expect(us?.lattice.token?.reveal()).toBe("lattice-api-key-of-us");
});

it("config show of a job says where each value comes from", () => {
  const shown = showConfig(load({ "c.yaml": two }, "us", { LATTICE_API_KEY__US: "x" }));
  expect(shown).toContain("tenantId: 00000000-0000-4000-8000-000000000002 # c.yaml:18:17");
  expect(shown).toContain("timeout: 10s # c.yaml:6:12");
  expect(shown).toContain('token: "***" # environment LATTICE_API_KEY__US');
  expect(shown).toMatch(/path: \/.*\/state\/us\.db # default, by the name of the job/);
});

it("the JSON Schema describes jobs in the file and in a folder", () => {
  const { properties } = configJsonSchema() as { properties: Record<string, unknown> };
  expect(properties.jobs).toMatchObject({
    anyOf: [
      { properties: { directory: { type: "string" } }, required: ["directory"], additionalProperties: false },
      {
        propertyNames: { pattern: "^[a-z0-9][a-z0-9-]{0,62}$" },
        additionalProperties: { properties: { entra: expect.anything(), guard: expect.anything() } },
      },
    ],
  });
  const below = JSON.stringify(properties.jobs);
  for (const key of ["http", "log", "metrics", "workers"]) expect(below).not.toContain(`"${key}":{`);
});
