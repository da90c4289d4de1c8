import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: "forks",
    // One failure in six whole runs was seen and could not be repeated, not under double load either: until it is
    // found, CI gives a failing test a second chance. Take this away with the cause.
    retry: process.env.CI === "true" ? 1 : 0,
  },
});
