import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/built-program.ts",
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: "forks",
    // Left alone, a machine of two cores would get one.
    maxWorkers: 2,
  },
});
