import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DCLinter } from "dclint";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { loadConfig } from "../../src/config/load.ts";
import { statePlaceOf } from "../../src/job/state-place.ts";
import { workplace } from "../config/workplace.ts";

const deploy = join(import.meta.dirname, "../../deploy");
const postgres = join(deploy, "compose.postgres.yaml");

function lint(path: string): readonly string[] {
  const linter = new DCLinter({ rules: {}, quiet: false, debug: false, exclude: [] });
  // The package's types lead to files that it does not hold.
  const results: readonly { readonly messages: readonly { readonly message: string }[] }[] = linter.lintFiles(
    [path],
    false,
  );
  return results.flatMap(({ messages }) => messages.map(({ message }) => message));
}

it.each(["compose.yaml", "compose.postgres.yaml"])("%s is a file in which a linter finds nothing", (file) => {
  expect(lint(join(deploy, file))).toEqual([]);
});

it.each(["compose.yaml", "compose.postgres.yaml"])(
  "%s runs the daemon read-only and without privileges, and gives it its secrets as files",
  (file) => {
    const { services, secrets } = parse(readFileSync(join(deploy, file), "utf8"));
    const service = services["azure-lattice-sync"];
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
      ports: ["127.0.0.1:9464:9464"],
      environment: { ALS_COMMAND: `docker exec ${service.container_name} azure-lattice-sync` },
    });
    for (const { environment, secrets: given } of Object.values<Service>(services)) {
      const named = Object.entries(environment).filter(([name]) => name.endsWith("_FILE"));
      expect(named.map(([, value]) => value.replace("/run/secrets/", "")).sort()).toEqual([...given].sort());
      expect(Object.keys(secrets)).toEqual(expect.arrayContaining([...given]));
    }
  },
);

interface Service {
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

it("compose.yaml has /tmp on a disk: a file system in memory would count against mem_limit", () => {
  const service = parse(readFileSync(join(deploy, "compose.yaml"), "utf8")).services["azure-lattice-sync"];
  expect(service.volumes).toContain("temporary:/tmp");
  expect(service.tmpfs).toBeUndefined();
});

describe("compose.postgres.yaml", () => {
  const text = readFileSync(postgres, "utf8");
  const { services, networks } = parse(text);
  const { "azure-lattice-sync": daemon, database } = services;

  it("says how to make the secrets of the database, from which both services know each other", () => {
    const place = mkdtempSync(join(tmpdir(), "als-compose-"));
    onTestFinished(() => rmSync(place, { recursive: true, force: true }));
    mkdirSync(join(place, "secrets"));
    const commands = [...text.matchAll(/^# {3}((?:openssl|printf) .*)$/gm)].map(([, command]) =>
      String(command),
    );
    expect(commands).toHaveLength(2);
    expect(spawnSync("sh", ["-ec", commands.join("\n")], { cwd: place }).status).toBe(0);

    const { config } = loadConfig({
      env: { ALS_STATE_URL_FILE: join(place, "secrets/state-url") },
      cwd: workplace({}),
    });
    expect(statePlaceOf(config, "default", undefined).name).toBe("database/als");
    const url = new URL(config.state.url?.reveal() ?? "");
    expect(url.username).toBe(database.environment.POSTGRES_USER);
    expect(url.pathname).toBe(`/${database.environment.POSTGRES_DB}`);
    expect(url.password).toBe(readFileSync(join(place, "secrets/database"), "utf8").trim());
  });

  it("lets only the daemon reach the database, in a network that ends on this machine", () => {
    expect(database.ports).toBeUndefined();
    expect(database.networks).toEqual(["state"]);
    expect(networks.state).toEqual({ internal: true });
    expect(daemon.networks).toContain("state");
  });

  it("starts the daemon when the database answers, and keeps nothing in the daemon's container", () => {
    expect(daemon.depends_on).toEqual({ database: { condition: "service_healthy" } });
    expect(database.healthcheck.test).toContain("pg_isready");
    expect(daemon.volumes.filter((volume: string) => !volume.endsWith(":ro"))).toEqual([]);
  });
});
