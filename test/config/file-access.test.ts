import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { thisMachine } from "../../src/config/file-access.ts";
import { writeStarterConfig } from "../../src/config/init.ts";
import { loadConfig } from "../../src/config/load.ts";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { openStore } from "../../src/state/sqlite/store.ts";
import { usageLines, workplace } from "./workplace.ts";

const host = { posix: true, container: false };
const container = { posix: true, container: true };

/** Loads the configuration in the folder, as on a machine of this kind. */
function load(cwd: string, machine = host, env: Record<string, string> = {}) {
  return loadConfig({ file: "c.yaml", env, cwd, machine });
}

function withModes(files: Record<string, string>, modes: Record<string, number>): string {
  const cwd = workplace(files);
  for (const name of Object.keys(files)) chmodSync(join(cwd, name), 0o600);
  for (const [name, mode] of Object.entries(modes)) chmodSync(join(cwd, name), mode);
  // The folders of a test are for its user alone; others come this far here.
  chmodSync(cwd, 0o755);
  return cwd;
}

const withKey = "lattice: { token: not-a-real-key }";
const receiver = "notify: { receivers: [{ kind: slack, urlFile: slack }] }";

describe("a file that every user of the machine can write is refused", () => {
  it.each([
    ["the configuration", { "c.yaml": "onNull: keep" }, "c.yaml", "c.yaml"],
    ["the mapping", { "c.yaml": "mapping: m.yaml", "m.yaml": "[]" }, "m.yaml", "m.yaml (mapping)"],
    ["the database", { "c.yaml": "state: { path: s.db }", "s.db": "" }, "s.db", "s.db (state.path)"],
    [
      "a secret of notify",
      { "c.yaml": receiver, slack: "https://hooks.example.com/secret" },
      "slack",
      "slack (notify.receivers[0].urlFile)",
    ],
    [
      "the certificate",
      { "c.yaml": "entra: { certificate: { path: cert.pem } }", "cert.pem": "" },
      "cert.pem",
      "cert.pem (entra.certificate.path)",
    ],
    [
      "the authority of a database",
      {
        "c.yaml": 'state: { url: "postgres://db.example.com/als?sslmode=verify-full&sslrootcert=ca.pem" }',
        "ca.pem": "",
      },
      "ca.pem",
      "ca.pem (sslrootcert in state.url)",
    ],
  ])("%s", (_, files, opened, name) => {
    const cwd = withModes(files, { [opened]: 0o602 });
    for (const machine of [host, container]) {
      expect(usageLines(() => load(cwd, machine))).toEqual([
        expect.stringMatching(
          new RegExp(
            `${name.replaceAll(/[.[\]()]/g, "\\$&")} can be written by every user of this machine .*chmod o-w `,
          ),
        ),
      ]);
    }
  });

  it("except if all data is invented", () => {
    const cwd = withModes({ "c.yaml": "onNull: keep" }, { "c.yaml": 0o666 });
    const options = { file: "c.yaml", env: {}, cwd, machine: host };
    expect(loadConfig({ ...options, sandbox: "both" }).notes).toEqual([]);
    expect(() => loadConfig({ ...options, sandbox: "lattice" })).toThrow("every user of this machine");
  });

  it.each(["LATTICE_API_KEY_FILE", "NODE_EXTRA_CA_CERTS", "AZURE_FEDERATED_TOKEN_FILE"])(
    "the file that %s names",
    (variable) => {
      const cwd = withModes({ "c.yaml": "", given: "one-line" }, { given: 0o606 });
      expect(usageLines(() => load(cwd, host, { [variable]: "given" }))).toEqual([
        expect.stringContaining(`given (${variable}) can be written by every user`),
      ]);
    },
  );
});

describe("a folder that every user of the machine can write is refused on a host", () => {
  it("because a user can replace the file in it", () => {
    const cwd = withModes({ "c.yaml": withKey }, {});
    chmodSync(cwd, 0o777);
    expect(usageLines(() => load(cwd))).toEqual([
      expect.stringMatching(/^the folder .* could replace c.yaml: /),
    ]);
  });

  it("also if it is above a folder, or above the target of a link", () => {
    const cwd = withModes({ "c.yaml": "state: { path: link/s.db }" }, {});
    mkdirSync(join(cwd, "open", "private"), { recursive: true });
    writeFileSync(join(cwd, "open/private/s.db"), "", { mode: 0o600 });
    chmodSync(join(cwd, "open"), 0o777);
    symlinkSync("open/private", join(cwd, "link"));
    expect(usageLines(() => load(cwd))).toEqual([
      expect.stringContaining(`the folder ${cwd}/open can be written`),
    ]);
  });

  it("but not if it has the sticky bit, if others cannot enter it, or in a container", () => {
    const cwd = withModes({ "c.yaml": withKey }, {});
    chmodSync(cwd, 0o1777);
    expect(load(cwd).notes).toEqual([]);
    chmodSync(cwd, 0o777);
    expect(load(cwd, container).notes).toEqual([]);
    chmodSync(cwd, 0o776);
    expect(load(cwd).notes).toEqual([]);
  });
});

it("is recognised as a container by a variable of the image, because not every platform leaves a sign", () => {
  const dockerfile = readFileSync(new URL("../../Dockerfile", import.meta.url), "utf8");
  const container = /^ {4}container=(\w+) /m.exec(dockerfile)?.[1];
  expect(container).toBe("oci");
  expect(thisMachine({ container }).container).toBe(true);
  // As on Kubernetes, which names its API.
  expect(thisMachine({ KUBERNETES_SERVICE_HOST: "10.0.0.1" }).container).toBe(true);
});

describe("a file that every user of the machine can read is reported", () => {
  it("if it contains credentials or personal data", () => {
    const cwd = withModes(
      { "c.yaml": `${withKey}\nstate: { path: s.db }`, "s.db": "", key: "not-a-real-secret" },
      { "c.yaml": 0o644, "s.db": 0o644, key: 0o604 },
    );
    expect(load(cwd, host, { AZURE_CLIENT_SECRET_FILE: "key" }).notes).toEqual([
      `c.yaml holds credentials and can be read by every user of this machine (mode 0644): run chmod o-r ${cwd}/c.yaml.`,
      `key (AZURE_CLIENT_SECRET_FILE) holds a credential and can be read by every user of this machine (mode 0604): run chmod o-r ${cwd}/key.`,
      expect.stringContaining(`s.db (state.path) holds personal data and can be read by every user`),
    ]);
  });

  it("not if it contains neither, or if others cannot reach it", () => {
    const cwd = withModes(
      { "c.yaml": receiver, slack: "https://hooks.example.com/secret" },
      { "c.yaml": 0o644 },
    );
    expect(load(cwd).notes).toEqual([]);
    chmodSync(join(cwd, "slack"), 0o644);
    chmodSync(cwd, 0o750);
    expect(load(cwd).notes).toEqual([]);
  });

  it("if a receiver's secret is written in the configuration itself", () => {
    const inside = "notify: { receivers: [{ kind: slack, url: 'https://hooks.example.com/secret' }] }";
    const cwd = withModes({ "c.yaml": inside }, { "c.yaml": 0o644 });
    expect(load(cwd).notes).toEqual([expect.stringContaining("c.yaml holds credentials")]);
  });
});

it("rights of the group are the administrator's choice: a secret of a pod, a clone with the umask 002", () => {
  const cwd = withModes(
    { "c.yaml": `${withKey}\nstate: { path: s.db }`, "s.db": "", key: "not-a-real-secret" },
    { "c.yaml": 0o660, "s.db": 0o660, key: 0o440 },
  );
  chmodSync(cwd, 0o2775);
  expect(load(cwd, host, { AZURE_CLIENT_SECRET_FILE: "key" }).notes).toEqual([]);
});

it("files without modes, as on Windows, are not checked", () => {
  const cwd = withModes({ "c.yaml": withKey }, { "c.yaml": 0o666 });
  expect(load(cwd, { posix: false, container: false }).notes).toEqual([]);
});

it("a file that this user cannot inspect is left to the command that needs it", () => {
  const cwd = withModes({ "c.yaml": "state: { path: round/s.db }" }, {});
  symlinkSync("round", join(cwd, "round"));
  expect(load(cwd).notes).toEqual([]);
});

it("is never the case for what the program makes itself, whatever the umask: configuration, database, invented company", async () => {
  const cwd = workplace({});
  chmodSync(cwd, 0o755);
  const before = process.umask(0);
  try {
    writeStarterConfig(join(cwd, "config/c.yaml"));
    await openStore(join(cwd, "state/deep/s.db")).close();
    await (await startSandbox({ file: join(cwd, "invented/s.db"), people: 20 })).close();
  } finally {
    process.umask(before);
  }
  for (const path of ["state/deep/s.db", "invented/s.db"]) {
    const env = { ALS_STATE: join(cwd, path) };
    expect(loadConfig({ file: "config/c.yaml", env, cwd, machine: host }).notes).toEqual([]);
  }
});
