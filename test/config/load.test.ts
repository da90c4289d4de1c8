import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { usageLines, workplace } from "./workplace.ts";

const minuteMs = 60_000;

describe("loadConfig", () => {
  it("fills in every default when there is neither a file nor an environment", () => {
    const cwd = workplace();
    const { config, file, notes } = loadConfig({ env: {}, cwd });
    expect(file).toBeNull();
    expect(notes).toEqual([]);
    expect(config).toEqual({
      entra: {
        certificate: {},
        credential: "default",
        cloud: "global",
        authorityHost: "https://login.microsoftonline.com",
        graphUrl: "https://graph.microsoft.com",
        scope: {
          mode: "assigned",
          groups: [],
          nested: true,
          guests: true,
          filters: [],
          include: [],
          exclude: [],
          timezone: "UTC",
        },
      },
      lattice: {
        url: "https://api.latticehq.com/scim/v2",
        updateMethod: "auto",
        sharedWith: [],
        listing: "strict",
        maxConcurrency: 8,
        maxRequestsPerSecond: 25,
        timeoutMs: 30_000,
      },
      mapping: { kind: "default" },
      onNull: "clear",
      matching: {
        adoptForeignExternalId: false,
        doubtful: "hold",
        formerOwner: "report",
        protected: [],
        renameRings: "report",
      },
      manager: { missing: "clear", rings: "report" },
      actions: {
        create: true,
        update: true,
        deactivate: true,
        outOfScope: { do: "deactivate", afterMs: 0 },
        onDelete: { do: "deactivate", afterMs: 0 },
        onDisable: { do: "deactivate", afterMs: 0 },
      },
      rollout: { canary: { people: null, users: [], group: null, goesOn: null } },
      schedule: { kind: "every", everyMs: 45 * minuteMs, timezone: "UTC" },
      leavers: { everyMs: 300_000 },
      reconcile: { everyMs: 24 * 60 * minuteMs },
      drift: "correct",
      guard: {
        enabled: true,
        maxDeactivations: 50,
        maxDeactivationPercent: 10,
        deactivationFloor: 3,
        maxReactivations: 50,
        maxReactivationPercent: 10,
        reactivationFloor: 3,
        maxCreates: null,
        maxCreatePercent: 25,
        createFloor: 25,
        maxLinks: null,
        maxLinkPercent: 25,
        linkFloor: 25,
        maxDoubtfulLinks: 0,
        maxLostLinks: 50,
        maxLostLinkPercent: 10,
        lostLinkFloor: 3,
        maxClearsPercent: 20,
        clearFloor: 10,
        maxReplacementPercent: 20,
        replacementFloor: 10,
        maxRenames: 50,
        maxRenamePercent: 10,
        renameFloor: 3,
        maxManagerChanges: 200,
        maxManagerChangePercent: 20,
        managerChangeFloor: 10,
        maxEmailChanges: 50,
        maxEmailChangePercent: 10,
        emailChangeFloor: 3,
        windowMs: 24 * 60 * minuteMs,
      },
      state: {
        path: join(cwd, "state/azure-lattice-sync.db"),
        signIn: "password",
        retentionMs: 90 * 24 * 60 * minuteMs,
        maxLogRows: 1_000_000,
        logValues: "keep",
      },
      metrics: {},
      http: { listen: { host: "127.0.0.1", port: 9464 }, trustedProxies: [], hosts: [] },
      log: { level: "info", format: "auto" },
      notify: {
        instance: "azure-lattice-sync",
        receivers: [],
        ping: null,
        digestAt: { hour: 8, minute: 0, timezone: "UTC" },
        expiryDays: 30,
        silentAfter: 3,
      },
      workers: { maxJobsAtOnce: 4 },
    });
  });

  it("reads the actions for leavers as a word or with a delay", () => {
    const actions =
      "actions: { outOfScope: ignore, onDelete: { do: ignore }, onDisable: { do: deactivate, afterDays: 7 } }";
    const cwd = workplace({ "c.yaml": actions });
    expect(loadConfig({ file: "c.yaml", env: {}, cwd }).config.actions).toMatchObject({
      outOfScope: { do: "ignore" },
      onDelete: { do: "ignore" },
      onDisable: { do: "deactivate", afterMs: 7 * 24 * 60 * minuteMs },
    });
  });

  it("reads the default file if it exists", () => {
    const cwd = workplace({ "config/azure-lattice-sync.yaml": "log: { level: debug }" });
    const { config, file } = loadConfig({ env: {}, cwd });
    expect(file).toBe("config/azure-lattice-sync.yaml");
    expect(config.log.level).toBe("debug");
  });

  it("prefers the file of ALS_CONFIG to the default one, and the named one to both", () => {
    const cwd = workplace({
      "config/azure-lattice-sync.yaml": "onNull: clear",
      "a.yaml": "lattice: { maxConcurrency: 1 }",
      "b.yaml": "lattice: { maxConcurrency: 2 }",
    });
    const env = { ALS_CONFIG: "a.yaml" };
    expect(loadConfig({ env, cwd }).config.lattice.maxConcurrency).toBe(1);
    expect(loadConfig({ file: "b.yaml", env, cwd }).config.lattice.maxConcurrency).toBe(2);
  });

  it("gives the command line precedence over the environment, and the environment over the file", () => {
    const cwd = workplace({
      "c.yaml": "entra: { tenantId: file.example.com }\nlog: { level: error }\nstate: { path: file.db }",
    });
    const { config } = loadConfig({
      file: "c.yaml",
      env: { LOG_LEVEL: "WARN", ALS_STATE: "env.db", LATTICE_API_KEY: "k" },
      cwd,
      overrides: { "state.path": "/flag.db", "http.listen": "[::1]:0", "log.format": undefined },
    });
    expect(config.entra.tenantId).toBe("file.example.com");
    expect(config.log).toEqual({ level: "warn", format: "auto" });
    expect(config.state.path).toBe("/flag.db");
    expect(config.http.listen).toEqual({ host: "::1", port: 0 });
    expect(config.lattice.token?.reveal()).toBe("k");
  });

  it("has another default for the state where an image names one, which anything that is given replaces", () => {
    const cwd = workplace({ "c.yaml": "state: { path: file.db }" });
    const env = { ALS_STATE_DEFAULT: "/app/state/image.db" };
    const pathOf = (given: object, file?: string): string =>
      loadConfig({ ...(file === undefined ? {} : { file }), env: { ...env, ...given }, cwd }).config.state
        .path;
    expect(pathOf({})).toBe("/app/state/image.db");
    expect(pathOf({}, "c.yaml")).toBe(join(cwd, "file.db"));
    expect(pathOf({ ALS_STATE: "/data/given.db" })).toBe("/data/given.db");
    const url = "postgres://als@db.example.com/als";
    expect(loadConfig({ env: { ...env, ALS_STATE_URL: url }, cwd }).config.state.url?.reveal()).toBe(url);
  });

  it("treats a key with nothing after its colon as not given, but an explicit null as null", () => {
    const cwd = workplace({
      "c.yaml": "entra:\n  scope:\nlattice:\n  url:\n  maxRequestsPerSecond: null\nguard:\n  maxRenames:\n",
    });
    const { config } = loadConfig({ file: "c.yaml", env: {}, cwd });
    expect(config.entra.scope.mode).toBe("assigned");
    expect(config.lattice.url).toBe("https://api.latticehq.com/scim/v2");
    expect(config.lattice.maxRequestsPerSecond).toBeNull();
    expect(config.guard.maxRenames).toBe(50);
  });

  it.each([
    ["global", "https://login.microsoftonline.com", "https://graph.microsoft.com"],
    ["usGov", "https://login.microsoftonline.us", "https://graph.microsoft.us"],
    ["usGovDoD", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us"],
    ["china", "https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"],
  ])("knows the addresses of the cloud %s", (cloud, authorityHost, graphUrl) => {
    const cwd = workplace({ "c.yaml": `entra: { cloud: ${cloud} }` });
    expect(loadConfig({ file: "c.yaml", env: {}, cwd }).config.entra).toMatchObject({
      authorityHost,
      graphUrl,
    });
  });

  it("prefers configured addresses to those of the cloud, and removes a slash at their end", () => {
    const cwd = workplace({ "c.yaml": "entra: { cloud: china, graphUrl: 'http://localhost:1/' }" });
    const { entra } = loadConfig({
      file: "c.yaml",
      env: { AZURE_AUTHORITY_HOST: "https://login.microsoftonline.com/" },
      cwd,
    }).config;
    expect(entra.graphUrl).toBe("http://localhost:1");
    expect(entra.authorityHost).toBe("https://login.microsoftonline.com");
  });

  it("excludes guests by default only with mode all", () => {
    const guests = (scope: string) =>
      loadConfig({ file: "c.yaml", env: {}, cwd: workplace({ "c.yaml": `entra: { scope: ${scope} }` }) })
        .config.entra.scope.guests;
    expect(guests("{ mode: all }")).toBe(false);
    expect(guests("{ mode: all, guests: true }")).toBe(true);
    expect(guests("{ mode: groups, groups: [g] }")).toBe(true);
    expect(guests("{ mode: assigned, guests: false }")).toBe(false);
  });

  it("chooses the credential: certificate, then secret, then workload identity, then the default chain", () => {
    const credential = (env: Record<string, string>) =>
      loadConfig({ env, cwd: workplace() }).config.entra.credential;
    const federated = { AZURE_FEDERATED_TOKEN_FILE: "/var/run/token" };
    const secret = { AZURE_CLIENT_SECRET: "s", ...federated };
    expect(credential({ AZURE_CLIENT_CERTIFICATE_PATH: "c.pem", ...secret })).toBe("certificate");
    expect(credential(secret)).toBe("clientSecret");
    expect(credential(federated)).toBe("workloadIdentity");
    expect(credential({})).toBe("default");
  });

  it("resolves paths in the file from its folder, and those in the environment from the current folder", () => {
    const cwd = workplace({ "deep/c.yaml": "entra: { certificate: { path: own.pem } }" });
    const path = (env: Record<string, string>) =>
      loadConfig({ file: "deep/c.yaml", env, cwd }).config.entra.certificate.path;
    expect(path({})).toBe(join(cwd, "deep/own.pem"));
    expect(path({ AZURE_CLIENT_CERTIFICATE_PATH: "env.pem" })).toBe(join(cwd, "env.pem"));
  });

  it("reads a cron schedule instead of the interval", () => {
    const cwd = workplace({ "c.yaml": "schedule: { cron: '0 6 * * 1-5', timezone: Europe/Berlin }" });
    expect(loadConfig({ file: "c.yaml", env: {}, cwd }).config.schedule).toEqual({
      kind: "cron",
      cron: "0 6 * * 1-5",
      timezone: "Europe/Berlin",
    });
  });

  it("switches the reconcile cycle off with never", () => {
    const cwd = workplace({ "c.yaml": "reconcile: { every: never }" });
    expect(loadConfig({ file: "c.yaml", env: {}, cwd }).config.reconcile.everyMs).toBeNull();
  });

  it("accepts the tenant URL of the Azure set-up, strips its flag and says so", () => {
    const cwd = workplace();
    const { config, notes } = loadConfig({
      env: { LATTICE_URL: "https://api.latticehq.com/scim/v2?aadOptscim062020" },
      cwd,
    });
    expect(config.lattice.url).toBe("https://api.latticehq.com/scim/v2");
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain("aadOptscim062020");
  });

  it("reads a file that starts with a byte order mark and has CRLF line ends", () => {
    const cwd = workplace({ "c.yaml": "\uFEFFlog:\r\n  level: debug\r\n" });
    expect(loadConfig({ file: "c.yaml", env: {}, cwd }).config.log.level).toBe("debug");
  });

  it("reads an empty file as no settings", () => {
    const cwd = workplace({ "c.yaml": "# nothing yet\n" });
    expect(loadConfig({ file: "c.yaml", env: {}, cwd }).config.log.level).toBe("info");
  });
});

describe("the mapping source", () => {
  it("is the shipped mapping by default", () => {
    const { mappingSource } = loadConfig({ env: {}, cwd: workplace() });
    expect(mappingSource.origin).toBe("config/default-mapping.yaml");
    expect(mappingSource.rules).toContainEqual(
      expect.objectContaining({ source: "userPrincipalName", target: "userName" }),
    );
  });

  it("is a file relative to the configuration file, passed on as written", () => {
    const cwd = workplace({
      "deep/c.yaml": "mapping: maps/mine.yaml",
      "deep/maps/mine.yaml": "- target: title\n  default:\n",
    });
    const { config, mappingSource } = loadConfig({ file: "deep/c.yaml", env: {}, cwd });
    expect(config.mapping).toEqual({ kind: "file", path: join(cwd, "deep/maps/mine.yaml") });
    expect(mappingSource).toMatchObject({
      origin: "deep/maps/mine.yaml",
      rules: [{ target: "title", default: null }],
    });
    expect(mappingSource.locate([0, "default"])).toBe("deep/maps/mine.yaml:2:11");
  });

  it("is the list in the configuration file itself, passed on as written", () => {
    const cwd = workplace({ "c.yaml": "mapping:\n  - target: title\n    default:\n" });
    const { config, mappingSource } = loadConfig({ file: "c.yaml", env: {}, cwd });
    const rules = [{ target: "title", default: null }];
    expect(config.mapping).toEqual({ kind: "inline", rules });
    expect(mappingSource).toMatchObject({ origin: "c.yaml:2:3", rules });
    expect(mappingSource.locate([0, "default"])).toBe("c.yaml:3:13");
  });

  it("reports a mapping file that does not exist, and one that is not YAML", () => {
    const cwd = workplace({ "deep/c.yaml": "mapping: mine.yaml" });
    const load = () => loadConfig({ file: "deep/c.yaml", env: {}, cwd });
    expect(usageLines(load)).toEqual([
      "deep/c.yaml:1:10: mapping names deep/mine.yaml, but there is no such file",
    ]);
    writeFileSync(join(cwd, "deep/mine.yaml"), "- target: [title");
    expect(usageLines(load)).toEqual([
      "deep/mine.yaml:1:17: the indentation does not match the lines above, or a closing bracket is missing",
    ]);
  });
});
