import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { usageLines, workplace } from "./workplace.ts";

/** The message about `text` as `config/x.yaml`. */
function complaints(text: string | Uint8Array, env: Readonly<Record<string, string>> = {}): string[] {
  const cwd = workplace({ "config/x.yaml": text });
  return usageLines(() => loadConfig({ file: "config/x.yaml", env, cwd }));
}

describe("an unknown key of the configuration", () => {
  it.each([
    [
      "entra:\n  tenentId: x",
      'config/x.yaml:2:3: unknown key "entra.tenentId"; did you mean "entra.tenantId"?',
    ],
    ["tenantId: x", 'config/x.yaml:1:1: unknown key "tenantId"; did you mean "entra.tenantId"?'],
    [
      "every: 1h",
      'config/x.yaml:1:1: unknown key "every"; did you mean "schedule.every" or "leavers.every" or "reconcile.every"?',
    ],
    ["latice:\n  token: x", 'config/x.yaml:1:1: unknown key "latice"; did you mean "lattice"?'],
    [
      "actions: { remove: true }",
      'config/x.yaml:1:12: unknown key "actions.remove"; allowed here: create, update, deactivate, outOfScope, onDelete, onDisable',
    ],
    [
      "entra:\n  tenentId:\n",
      'config/x.yaml:2:3: unknown key "entra.tenentId"; did you mean "entra.tenantId"?',
    ],
    ["__proto__: { a: 1 }", /^config\/x\.yaml:1:1: unknown key "__proto__"; allowed here: entra, lattice, /],
    [
      "notify: { webhook: x }",
      'config/x.yaml:1:11: unknown key "notify.webhook"; allowed here: instance, receivers, ping, digestAt, expiryDays, silentAfter',
    ],
    [
      "entra:\n  scope:\n    filters:\n      - clauses:\n          - { attribute: a, oprator: EQUALS, operator: EQUALS }",
      'config/x.yaml:5:29: unknown key "entra.scope.filters[0].clauses[0].oprator"; did you mean "entra.scope.filters[].clauses[].operator"?',
    ],
  ])("%j is named with the nearest right one", (text, line) => {
    expect(complaints(text)).toEqual([typeof line === "string" ? line : expect.stringMatching(line)]);
  });
});

describe("a wrong value in the configuration", () => {
  it.each([
    [
      "lattice:\n  maxConcurrency: many",
      'config/x.yaml:2:19: lattice.maxConcurrency must be a whole number from 1 to 64, but is "many"',
    ],
    [
      "lattice: { maxConcurrency: 65 }",
      "config/x.yaml:1:28: lattice.maxConcurrency must be a whole number from 1 to 64, but is 65",
    ],
    [
      "lattice: { maxRequestsPerSecond: 0 }",
      "config/x.yaml:1:34: lattice.maxRequestsPerSecond must be a number above 0, or null for no limit, but is 0",
    ],
    [
      "guard: { maxRenames: 1.5 }",
      "config/x.yaml:1:22: guard.maxRenames must be a whole number, 0 or more, but is 1.5",
    ],
    [
      "guard: { maxClearsPercent: 101 }",
      "config/x.yaml:1:28: guard.maxClearsPercent must be a number from 0 to 100, but is 101",
    ],
    ["actions: { create: yes }", 'config/x.yaml:1:20: actions.create must be true or false, but is "yes"'],
    [
      "actions: { onDisable: remove }",
      'config/x.yaml:1:23: actions.onDisable must be deactivate, ignore, or a section such as { do: deactivate, afterDays: 7 }, but is "remove"',
    ],
    [
      "actions: { onDelete: { do: ignore, afterDays: 3 } }",
      "config/x.yaml:1:22: actions.onDelete takes afterDays only with do: deactivate",
    ],
    [
      "entra:\n  scope:\n    filters: [{ clauses: [{ memberOf: Sales, attribute: city }] }]",
      "config/x.yaml:3:27: entra.scope.filters[0].clauses[0] must have an attribute and an operator, or memberOf alone, or notMemberOf alone",
    ],
    [
      "entra:\n  scope: { timezone: Berlin }",
      'config/x.yaml:2:22: entra.scope.timezone must be an IANA time zone such as Europe/Berlin, but is "Berlin"',
    ],
    [
      "entra:\n  scope: { include: kim@example.com }",
      'config/x.yaml:2:21: entra.scope.include must be a list of user principal names and object IDs, but is "kim@example.com"',
    ],
    [
      "actions: { onDelete: { do: deactivate, afterDays: 1.5 } }",
      "config/x.yaml:1:22: actions.onDelete must be deactivate, ignore, or a section such as { do: deactivate, afterDays: 7 }, but is a section",
    ],
    ["onNull: null", "config/x.yaml:1:9: onNull must be one of clear, keep, but is null"],
    [
      "schedule: { every: 45 }",
      "config/x.yaml:1:20: schedule.every must be a duration such as 90s, 45m, 2h or 1d (1m or more), but is 45",
    ],
    [
      "schedule: { every: 30s }",
      'config/x.yaml:1:20: schedule.every must be a duration such as 90s, 45m, 2h or 1d (1m or more), but is "30s"',
    ],
    [
      "lattice: { timeout: 1h }",
      'config/x.yaml:1:21: lattice.timeout must be a duration such as 90s, 45m, 2h or 1d (from 100ms to 10m), but is "1h"',
    ],
    [
      "reconcile: { every: sometimes }",
      'config/x.yaml:1:21: reconcile.every must be a duration such as 90s, 45m, 2h or 1d (1m or more), or never, but is "sometimes"',
    ],
    [
      "schedule: { cron: '* * * * * *' }",
      'config/x.yaml:1:19: schedule.cron must be a cron expression with five fields, but is "* * * * * *"',
    ],
    [
      "schedule: { cron: '61 * * * *' }",
      'config/x.yaml:1:19: schedule.cron must be a cron expression with five fields, but is "61 * * * *"',
    ],
    [
      "schedule: { every: 1h, cron: '0 * * * *' }",
      "config/x.yaml:1:30: schedule.cron and schedule.every are both set: keep only one",
    ],
    [
      "schedule: { timezone: Berlin }",
      'config/x.yaml:1:23: schedule.timezone must be an IANA time zone such as Europe/Berlin, but is "Berlin"',
    ],
    [
      "entra: { tenantId: contoso }",
      'config/x.yaml:1:20: entra.tenantId must be the directory (tenant) ID, a GUID, or a verified domain name of the directory such as example.onmicrosoft.com, but is "contoso"',
    ],
    [
      "entra: { clientId: 123 }",
      "config/x.yaml:1:20: entra.clientId must be the application (client) ID of the app registration, a GUID (the name of an enterprise application belongs in entra.scope.application), but is 123",
    ],
    [
      "entra:\n  scope: { mode: groups }",
      "config/x.yaml:2:10: entra.scope.groups needs at least one group, because entra.scope.mode is groups",
    ],
    [
      "entra: { scope: { groups: Sales } }",
      'config/x.yaml:1:27: entra.scope.groups must be a list of groups, but is "Sales"',
    ],
    [
      "http: { listen: 9464 }",
      "config/x.yaml:1:17: http.listen must be an address and port such as 127.0.0.1:9464 or [::1]:9464, or unix: and the path of a socket, but is 9464",
    ],
    [
      "http: { listen: 'localhost:99999' }",
      'config/x.yaml:1:17: http.listen must be an address and port such as 127.0.0.1:9464 or [::1]:9464, or unix: and the path of a socket, but is "localhost:99999"',
    ],
    ["http: { token: short }", "config/x.yaml:1:16: http.token must have at least 16 characters"],
    [
      "http: { trustedHeader: X-User }",
      "config/x.yaml:1:7: http.trustedProxies is missing: http.trustedHeader is accepted only from the proxies that http.trustedProxies names",
    ],
    [
      "http: { trustedHeader: Host, trustedProxies: [10.1.0.7] }",
      'config/x.yaml:1:24: http.trustedHeader must be a header that only the proxy sets, such as X-Forwarded-User, not one that browsers or proxies send anyway, but is "Host"',
    ],
    [
      "http: { trustedHeader: X-User, trustedProxies: [0.0.0.0/0] }",
      `config/x.yaml:1:49: http.trustedProxies[0] must be the proxies' own addresses, not a network that covers most of the internet, but is "0.0.0.0/0"`,
    ],
    [
      "http: { hosts: ['https://sync.example.com'] }",
      'config/x.yaml:1:17: http.hosts[0] must be a host name or an IP address, such as sync.example.com, without https:// and without a port, but is "https://sync.example.com"',
    ],
    [
      "http: { trustedHeader: X-User, trustedProxies: [proxy] }",
      'config/x.yaml:1:49: http.trustedProxies[0] must be an IP address or a network such as 10.1.0.0/16, or unix, but is "proxy"',
    ],
    [
      "http: { publicUrl: 'https://x.example.com/path' }",
      'config/x.yaml:1:20: http.publicUrl must be a URL without a path or a user name, such as https://sync.example.com, but is "https://x.example.com/path"',
    ],
    [
      "http: { publicUrl: 'https://:a-password@sync.example.com' }",
      'config/x.yaml:1:20: http.publicUrl must be a URL without a path or a user name, such as https://sync.example.com, but is "https://***@sync.example.com"',
    ],
    [
      "mapping: 5",
      "config/x.yaml:1:10: mapping must be the path of a YAML file, or a list of attribute mappings, but is 5",
    ],
    ["guard: 5", "config/x.yaml:1:8: guard must be a section with indented keys, but is a number"],
    ["- a", "config/x.yaml:1:1: the configuration must be a section with indented keys, but is a list"],
  ])("%j is answered with what is allowed and what was given", (text, line) => {
    expect(complaints(text)).toEqual([line]);
  });

  it("from the environment is named by its variable", () => {
    expect(complaints("log: { level: info }", { LOG_LEVEL: "loud", AZURE_TENANT_ID: "contoso" })).toEqual([
      'AZURE_TENANT_ID: entra.tenantId must be the directory (tenant) ID, a GUID, or a verified domain name of the directory such as example.onmicrosoft.com, but is "contoso"',
      'LOG_LEVEL: log.level must be one of trace, debug, info, warn, error, fatal, silent, but is "loud"',
    ]);
  });

  it("from the command line is named as such", () => {
    const load = () => loadConfig({ env: {}, cwd: workplace(), overrides: { "http.listen": "9464" } });
    expect(usageLines(load)).toEqual([
      'command line: http.listen must be an address and port such as 127.0.0.1:9464 or [::1]:9464, or unix: and the path of a socket, but is "9464"',
    ]);
  });

  it("does not hide other faults: all are reported together", () => {
    const text =
      "entra:\n  tenentId: x\n  graphUrl: http://graph.example.com\nlattice:\n  maxConcurrency: 0\nonNul: keep\n";
    const lines = complaints(text, { LOG_LEVEL: "loud", LATTICE_URL: "http://lattice.example.com/scim" });
    expect(lines).toHaveLength(6);
    expect(lines.map((line) => line.split(": ")[0]).sort()).toEqual([
      "LATTICE_URL",
      "LOG_LEVEL",
      "config/x.yaml:2:3",
      "config/x.yaml:3:13",
      "config/x.yaml:5:19",
      "config/x.yaml:6:1",
    ]);
  });
});

describe("plain http to another machine", () => {
  it.each(["authorityHost", "graphUrl"])("is refused for entra.%s", (key) => {
    expect(complaints(`entra: { ${key}: "http://entra.example.com" }`)[0]).toMatch(
      `entra.${key} must be an https:// URL (http:// only for this machine: 127.0.0.1, localhost), but is "http://entra.example.com"`,
    );
  });

  it("is refused for lattice.url", () => {
    const lines = complaints("lattice:\n  url: http://lattice.example.com/scim/v2");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^config\/x\.yaml:2:8: lattice\.url: .*http/);
  });
});

describe("invalid YAML", () => {
  it.each([
    [
      "log:\n  level: 'info\n",
      "config/x.yaml:3:1: a closing quote or bracket, a colon after a key, or a space is missing here",
    ],
    ["log:\n\tlevel: info", "config/x.yaml:2:1: indentation must be spaces, not tabs"],
    [
      "log:\n  level: a: b",
      "config/x.yaml:2:10: this line has a second colon; put a value that contains a colon and a space in quotes",
    ],
    [
      "log: {}\nonNull: keep\nlog: {}",
      'config/x.yaml:3:1: duplicate key "log" (first on line 1); keep only one',
    ],
    [
      "onNull: keep\n---\nonNull: clear",
      "config/x.yaml:2:1: a second document (---) starts here; a file can hold only one",
    ],
    [
      "lattice:\n  token: *abc",
      "config/x.yaml:2:10: this alias (*) is not valid; put a text that starts with * in quotes",
    ],
    [
      "lattice:\n  token: !abc def",
      "config/x.yaml:2:10: a text that starts with ! is read as a YAML tag; put it in quotes",
    ],
    [
      "lattice:\n  token: @abc",
      "config/x.yaml:2:10: a value cannot start with this character; put it in quotes",
    ],
    [
      "lattice:\n  token:abc\n  url: x",
      "config/x.yaml:2:3: this is not a key and a value: a key ends with a colon and a space",
    ],
  ])("%j is named with line and column", (text, line) => {
    expect(complaints(text)).toEqual([line]);
  });

  it("that grows without bound is refused", () => {
    const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"];
    for (const [from, to] of ["ab", "bc", "cd", "de", "ef"].map((pair) => [...pair])) {
      bomb.push(`${to}: &${to} [${Array(9).fill(`*${from}`).join(", ")}]`);
    }
    expect(complaints(bomb.join("\n"))).toEqual([
      "config/x.yaml: aliases (*) repeat too much of the file; write out the values",
    ]);
  });

  it("that is nested without end is refused", () => {
    expect(complaints(`a: ${"[".repeat(20_000)}`).at(0)).toMatch(/^config\/x\.yaml:\d+:\d+: /);
  });
});

describe("a file that cannot be read", () => {
  it("is refused above 256 KiB", () => {
    expect(complaints("#".repeat(256 * 1024 + 1))).toEqual([
      "config/x.yaml cannot be read: it is larger than 262144 bytes",
    ]);
  });

  it("is refused if it is not UTF-8", () => {
    expect(complaints(Buffer.from("log: {}", "utf16le").fill(0xff, 0, 2))).toEqual([
      "config/x.yaml cannot be read: it is not UTF-8 text",
    ]);
  });

  it("is refused if it is a folder", () => {
    const cwd = workplace();
    mkdirSync(join(cwd, "here"));
    expect(usageLines(() => loadConfig({ file: "here", env: {}, cwd }))).toEqual([
      "here cannot be read: it is a folder",
    ]);
  });

  it("is an error if it was named and does not exist", () => {
    const cwd = workplace({ "config/azure-lattice-sync.yaml": "" });
    const advice = 'but there is no such file; create one with "azure-lattice-sync config init"';
    expect(usageLines(() => loadConfig({ file: "no.yaml", env: {}, cwd }))).toEqual([
      `the command line names no.yaml, ${advice}`,
    ]);
    expect(usageLines(() => loadConfig({ env: { ALS_CONFIG: "no.yaml" }, cwd }))).toEqual([
      `ALS_CONFIG names no.yaml, ${advice}`,
    ]);
  });
});

describe("a credential in the configuration", () => {
  const canary = "canary-7f3a";

  it.each([
    ["of the wrong form", `lattice: { token: "${canary} " }`],
    ["over two lines", `lattice:\n  token: |\n    ${canary}\n    more`],
    ["as a list", `entra: { clientSecret: [${canary}] }`],
    ["one level too high", `lattice: ${canary}`],
    ["one level too high, in a nested section", `entra: { certificate: ${canary} }`],
    ["under entra.credential", `entra: { credential: ${canary} }`],
    ["under an unknown key", `lattice: { apiToken: ${canary} }`],
    ["in an address", `entra: { graphUrl: "https://me:${canary}@graph.example.com" }`],
    [
      "in an address with a path",
      `entra: { graphUrl: "https://me:${canary}@graph.example.com/x/${"y".repeat(90)}" }`,
    ],
    ["in Lattice's address", `lattice: { url: "http://me:${canary}@lattice.example.com/" }`],
    ["with a leading star", `lattice: { token: *${canary} }`],
    ["with a leading exclamation mark", `lattice: { token: !${canary} x }`],
    ["with a leading at sign", `lattice: { token: @${canary} }`],
    ["with a quote too few", `lattice: { token: "${canary} }`],
    ["with a bad escape", `lattice: { token: "\\z${canary}" }`],
    ["with something after it", `lattice:\n  token: "x" ${canary}`],
    ["without a space after the colon", `lattice:\n  token:${canary}\n  url: x`],
  ])("%s never comes back in a message", (_, text) => {
    const message = complaints(text).join("\n");
    expect(message).toMatch(/^config\/x\.yaml:\d+:\d+: /);
    expect(message).not.toContain(canary);
  });

  it("says what is wrong with it", () => {
    expect(complaints("lattice: { token: 12 }\nentra: { clientSecret: ' x' }")).toEqual([
      "config/x.yaml:2:24: entra.clientSecret starts or ends with a space or has a line break: check what was pasted",
      "config/x.yaml:1:19: lattice.token must be text (in quotes if it looks like a number), but is a number",
    ]);
  });
});
