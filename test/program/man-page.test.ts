import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { environmentVariables } from "../../src/config/environment.ts";
import { packageRoot } from "../../src/process/package-root.ts";
import { pathOf } from "../../src/program/documented-command.ts";
import { everyCommand, quietProgram } from "./program.ts";

const file = join(packageRoot, "man/azure-lattice-sync.1");
const page = readFileSync(file, "utf8");
const withoutGroff = spawnSync("groff", ["--version"]).error !== undefined;

describe("the manual page", () => {
  it("is made from the commands", () => {
    const made = execFileSync(process.execPath, [join(packageRoot, "scripts/man-page.ts")], {
      encoding: "utf8",
    });
    expect(made).toBe(page);
  });

  it.skipIf(withoutGroff)("causes no warning of groff", () => {
    const { status, stderr } = spawnSync("groff", ["-man", "-ww", "-z", file], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  it.skipIf(withoutGroff)("shows every command, option, example and variable as it is typed", () => {
    const shown = execFileSync("groff", ["-man", "-Tutf8", "-P-cbou", "-rLL=400n", file], {
      encoding: "utf8",
    });
    const commands = everyCommand(quietProgram());
    const expected = [
      ...commands.filter(({ below }) => below.length === 0).map((command) => pathOf(command).join(" ")),
      ...commands
        .flatMap(({ options }) => options.map(({ flags }) => flags))
        .filter((flags) => !flags.startsWith("-V")),
      ...commands.flatMap(({ said }) => (said?.examples ?? []).map(([line]) => line)),
      ...environmentVariables.map(({ name }) => name),
    ];
    expect(expected.filter((text) => !shown.includes(text))).toEqual([]);
  });
});
