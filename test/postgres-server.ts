import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { TestProject } from "vitest/node";
import { dropSchemas } from "./state/postgres/schemas.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The PostgreSQL server of this run of the tests: started by the first test that needs one. */
    readonly postgres: {
      /** The folder of the server's data, if it is not the one of DATABASE_URL. Folders whose names go on from it go at the end. */
      readonly folder: string;
      /** The process with which it ends. */
      readonly pid: number;
      /** How the names of this run's schemas begin. */
      readonly schemas: string;
    };
  }
}

const run = `als_test_${process.pid}_${randomBytes(4).toString("hex")}`;
const folder = join(tmpdir(), run);
const longestEndMs = 10_000;
const pollMs = 20;

export function setup(project: TestProject): void {
  project.provide("postgres", { folder, pid: process.pid, schemas: run });
}

/** Waits until the server has ended, and its folder is gone. */
export async function teardown(): Promise<void> {
  const own = process.env.DATABASE_URL;
  if (own !== undefined && own !== "") await dropSchemas(own, run);
  const keeper = join(folder, "keeper");
  let asked = false;
  for (let waitedMs = 0; existsSync(folder) && waitedMs < longestEndMs; waitedMs += pollMs) {
    if (!asked && existsSync(keeper)) {
      process.kill(Number(readFileSync(keeper, "utf8")), "SIGTERM");
      asked = true;
    }
    await sleep(pollMs);
  }
  for (const name of readdirSync(tmpdir()).filter((one) => one.startsWith(`${run}-`))) {
    rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}
