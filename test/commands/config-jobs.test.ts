import { expect, it } from "vitest";
import { configJobs } from "../../src/commands/config-jobs.ts";
import { UsageError } from "../../src/domain/errors.ts";
import { workplace } from "../config/workplace.ts";
import { terminal } from "./terminal.ts";

const config = "config.yaml";

it("prints the names of the jobs, one a line, whatever else is wrong", () => {
  const written = { guard: 7, jobs: { us: { lattice: "nonsense" }, emea: {}, "Not A Name": {} } };
  const { io, output, notes } = terminal(workplace({ [config]: JSON.stringify(written) }), {
    LATTICE_API_KEY__NOBODY: "x",
  });
  expect(configJobs({ config }, io)).toBe(0);
  expect([output(), notes()]).toEqual(["us\nemea\n", ""]);
});

it("prints default without jobs, and refuses a file that is not there", () => {
  const { io, output } = terminal(workplace({ [config]: "" }));
  expect(configJobs({ config }, io)).toBe(0);
  expect(output()).toBe("default\n");
  expect(() => configJobs({ config: "missing.yaml" }, io)).toThrow(UsageError);
});
