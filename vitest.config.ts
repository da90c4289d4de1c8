import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Begun first: what takes longest must not be what everything else has ended before. */
const longest = [
  "process/kill",
  "process/kill-postgres",
  "deploy/image",
  "simulation/simulation",
  "secrets/secrets",
  "http/dashboard",
  "simulation/defects",
  "postgres/worst-day",
  "e2e/state-files",
  "http/work",
  "e2e/main-job",
  "e2e/release",
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

// Files that a test writes are not open to everybody, whatever the machine gives to new ones.
process.umask(0o022);

export default defineConfig({
  test: {
    globalSetup: ["test/built-program.ts", "test/postgres-server.ts"],
    // For what hangs, and not for what is slow: a busy machine takes five times as long.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
    // Left alone, a machine of two cores would get one.
    maxWorkers: 2,
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
