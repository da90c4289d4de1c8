import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, inject, it, onTestFinished } from "vitest";
import { parseListen } from "../../src/config/listen.ts";

const folder = join(import.meta.dirname, "../../deploy/systemd");
const units = readdirSync(folder).filter((name) => /\.(service|timer)$/.test(name));
const services = units.filter((name) => name.endsWith(".service"));
const analyze = spawnSync("systemd-analyze", ["--version"]).status === 0;

/** The units in a folder of their own. */
function copies(change: (text: string) => string = (text) => text): readonly string[] {
  const place = mkdtempSync(join(tmpdir(), "als-units-"));
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  return units.map((name) => {
    const text = readFileSync(join(folder, name), "utf8").replace(/^Documentation=.*\n/m, "");
    const path = join(place, name);
    writeFileSync(path, change(text));
    return path;
  });
}

const verify = (paths: readonly string[]): string =>
  spawnSync("systemd-analyze", ["verify", ...paths], { encoding: "utf8" }).stderr.trim();

// On CI it is installed; elsewhere it may be a different system.
describe.skipIf(!analyze && process.env.CI === undefined)("the systemd units", () => {
  it("are accepted by systemd", () => {
    expect(verify(copies())).toBe("");
    expect(verify(copies((text) => text.replace("ProtectHome=yes", "ProtectHome=perhaps")))).toContain(
      "Failed to parse protect home value",
    );
  });

  it("are hardened", () => {
    for (const unit of copies().filter((path) => path.endsWith(".service"))) {
      const { stdout, status } = spawnSync(
        "systemd-analyze",
        ["security", "--offline=true", "--threshold=15", unit],
        { encoding: "utf8" },
      );
      expect(status, stdout).toBe(0);
    }
  });
});

/** Values of a setting in a unit. */
const valuesOf = (unit: string, key: string): readonly string[] =>
  [...readFileSync(join(folder, unit), "utf8").matchAll(new RegExp(`^${key}=(.*)$`, "gm"))].map(([, value]) =>
    String(value),
  );

describe("runs by systemd and runs by hand", () => {
  const environment = readFileSync(join(folder, "als.env"), "utf8");
  const variable = (name: string): string => new RegExp(`^${name}=(.*)$`, "m").exec(environment)?.[1] ?? "";

  it("have one environment, one user and one database", () => {
    expect(services).toHaveLength(2);
    for (const unit of services) {
      expect(valuesOf(unit, "EnvironmentFile")).toEqual(["/etc/azure-lattice-sync/als.env"]);
      expect(valuesOf(unit, "Environment").filter((value) => value.startsWith("ALS_"))).toEqual([]);
      expect(valuesOf(unit, "User")).toEqual(["azure-lattice-sync"]);
      expect(variable("ALS_STATE")).toMatch(new RegExp(`^/var/lib/${valuesOf(unit, "StateDirectory")[0]}/`));
      expect(valuesOf(unit, "LimitCORE")).toEqual(["0"]);
    }
    // Systemd and a shell read it the same way.
    expect(environment).toMatch(/^(#.*\n|[A-Z_]+=[^\s'"]+\n)+$/);
    expect(variable("ALS_COMMAND")).toBe("als");
  });

  it("leave the metrics of a run where the collector picks them up", () => {
    const [copy = ""] = valuesOf("azure-lattice-sync-once.service", "ExecStopPost");
    const place = makePlace().folder;
    const script = copy
      .replace(/^-\+\/bin\/sh -c '(.*)'$/, "$1")
      .replace("/var/lib/prometheus/node-exporter", place)
      .replace(variable("ALS_METRICS_PATH"), join(place, "metrics.prom"));
    writeFileSync(join(place, "metrics.prom"), "of a run", { mode: 0o600 });
    expect(spawnSync("/bin/sh", ["-c", script]).status).toBe(0);
    expect(readFileSync(join(place, "azure-lattice-sync.prom"), "utf8")).toBe("of a run");
    expect(statSync(join(place, "azure-lattice-sync.prom")).mode & 0o777).toBe(0o644);
    expect(readdirSync(place).filter((name) => name.includes("partial"))).toEqual([]);
    // Root copies it: a link would lead to files that other users must not read.
    rmSync(join(place, "metrics.prom"));
    writeFileSync(join(place, "of-root"), "not to be seen");
    symlinkSync(join(place, "of-root"), join(place, "metrics.prom"));
    expect(spawnSync("/bin/sh", ["-c", script]).status).not.toBe(0);
    expect(readFileSync(join(place, "azure-lattice-sync.prom"), "utf8")).toBe("of a run");
  });

  it("find the command where npm installed it", () => {
    const place = makePlace();
    for (const unit of services) {
      const [start = ""] = valuesOf(unit, "ExecStart");
      expect(start).toMatch(/^\/usr\/bin\/env azure-lattice-sync (daemon|sync)$/);
      const [file = "", name = ""] = start.split(" ");
      const { status } = spawnSync(file, [name, "--version"], { env: { PATH: place.path } });
      expect(status).toBe(0);
    }
  });

  it("put the dashboard on a socket in a folder of the unit, which others cannot enter", () => {
    const socket = variable("ALS_HTTP_LISTEN");
    const [directory] = valuesOf("azure-lattice-sync.service", "RuntimeDirectory");
    expect(parseListen(socket)).toEqual({ path: `/run/${directory}/http.sock` });
    expect(valuesOf("azure-lattice-sync.service", "RuntimeDirectoryMode")).toEqual(["0750"]);
  });

  it("als reads the database, the configuration and the secrets of the units", () => {
    const place = makePlace();
    for (const name of ["entra", "lattice"]) writeFileSync(join(place.folder, name), `secret-of-${name}`);
    writeFileSync(
      join(place.folder, "als.env"),
      environment
        .replace(variable("ALS_CONFIG"), join(place.folder, "azure-lattice-sync.yaml"))
        .replace(variable("ALS_STATE"), join(place.folder, "unit.db")),
    );
    const als = (...args: string[]) =>
      spawnSync(join(folder, "als"), args, {
        cwd: "/",
        env: { PATH: place.path, ALS_FOLDER: place.folder },
        encoding: "utf8",
      });
    expect(als("status").stderr).toContain('"als config init"');
    writeFileSync(
      join(place.folder, "azure-lattice-sync.yaml"),
      "entra: { tenantId: 5b6c1f5e-9d3a-4e21-8a77-0c1d2e3f4a5b }",
    );
    expect(als("state", "check").stdout).toContain(join(place.folder, "unit.db"));
    const shown = als("config", "show").stdout;
    expect(shown).toMatch(/LATTICE_API_KEY_FILE/);
    expect(shown).toMatch(/AZURE_CLIENT_SECRET_FILE/);
    expect(shown).not.toContain("secret-of");
    // A variable of the file itself comes first.
    rmSync(join(place.folder, "entra"));
    expect(als("config", "show").stdout).not.toMatch(/AZURE_CLIENT_SECRET_FILE/);
  });
});

/** A folder with the command and Node on the path. */
function makePlace(): { readonly folder: string; readonly path: string } {
  const place = mkdtempSync(join(tmpdir(), "als-place-"));
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  const bin = join(place, "bin");
  mkdirSync(bin);
  symlinkSync(inject("program"), join(bin, "azure-lattice-sync"));
  symlinkSync(process.execPath, join(bin, "node"));
  return { folder: place, path: `${bin}:/usr/bin:/bin` };
}
