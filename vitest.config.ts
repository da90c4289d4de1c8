import { accessSync, constants, readFileSync, statfsSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Begun first: what takes longest must not be what everything else has ended before. */
const longest = [
  "simulation/simulation",
  "process/fleet",
  "deploy/image",
  "process/hung-database",
  "secrets/secrets",
  "process/documented-commands",
  "process/move",
  "process/kill",
  "process/kill-postgres",
  "e2e/strict-target",
  "e2e/random-edits",
  "daemon/hanging-ends",
  "http/dashboard",
  "http/dashboard-live",
  "http/dashboard-decide",
  "daemon/jobs",
  "simulation/defects",
  "e2e/release",
  "e2e/state-files",
  "e2e/main-job",
  "daemon/schedule",
  "postgres/worst-day",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const index = longest.findIndex((name) => moduleId.includes(`/${name}.test`));
      return index === -1 ? longest.length : index;
    };
    return (await super.sort(files)).sort((one, other) => place(one) - place(other));
  }
}

/** Tests that start processes, browsers and servers of others. */
const whole = ["test/{daemon,deploy,e2e,fuzz,process,sandbox,secrets,simulation}/**/*.test.ts"];

/** A folder in memory, if this machine has one with room in which programs may be run. */
function folderInMemory(): string | undefined {
  const folder = "/dev/shm";
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bsize } = statfsSync(folder);
    const mount = readFileSync("/proc/mounts", "utf8")
      .split("\n")
      .find((line) => line.includes(` ${folder} `));
    return bavail * bsize > 4e9 && mount?.includes("noexec") === false ? folder : undefined;
  } catch {
    return undefined;
  }
}

// Thousands of tests make a database: what they wait for is a disk.
const quick = folderInMemory();
if (quick !== undefined) process.env.TMPDIR ??= quick;

// Files that a test writes are not open to everybody, whatever the machine gives to new ones.
process.umask(0o022);

export default defineConfig({
  test: {
    globalSetup: ["test/built-program.ts", "test/postgres-server.ts"],
    // For what hangs, and not for what is slow: a busy machine takes five times as long.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    pool: "forks",
    // Twice the cores that it is measured on: half of a file's time passes in waiting, for other processes and for what is due.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    // To load everything anew for each file takes longer than most of them.
    isolate: false,
    // Node runs the sources as the product does: a file is neither rewritten nor is each of its imports looked up at each use.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    projects: [
      { extends: true, test: { name: "whole", include: whole } },
      {
        extends: true,
        test: { name: "parts", include: ["test/**/*.test.ts"], exclude: whole },
      },
    ],
  },
});
