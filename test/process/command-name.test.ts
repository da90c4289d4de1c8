import { spawnSync } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandOf, type Start } from "../../src/process/command-name.ts";
import { quietProgram } from "../program/program.ts";
import { program } from "./real-process.ts";

const root = join(import.meta.dirname, "../..");
let folder = "";
let bin = "";

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "als name ")));
  bin = join(folder, "bin");
  mkdirSync(bin);
  symlinkSync(program, join(bin, "azure-lattice-sync"));
  // The file that a shell finds as "node".
  symlinkSync(process.execPath, join(bin, "node"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** How a message writes the command when it is started with this command line. */
function calledIn(start: readonly [string, ...string[]], environment: Record<string, string> = {}) {
  const [file, ...args] = start;
  const env = { PATH: `/usr/bin${delimiter}/bin`, ...environment };
  const { stderr } = spawnSync(file, [...args, "status", "--config", "missing.yaml"], {
    cwd: folder,
    env,
    encoding: "utf8",
  });
  const name = /"(?<name>.*) config init"/.exec(stderr)?.groups?.name;
  if (name === undefined) throw new Error(stderr);
  return { name, works: spawnSync("sh", ["-c", `${name} --version`], { cwd: folder, env }).status === 0 };
}

describe("the command in messages can be typed where the program runs", () => {
  it("by its name if a shell finds it", () => {
    const PATH = [bin, "/usr/bin", "/bin"].join(delimiter);
    const named = { name: "azure-lattice-sync", works: true };
    expect(calledIn([join(bin, "azure-lattice-sync")], { PATH })).toEqual(named);
    expect(calledIn([process.execPath, program], { PATH })).toEqual(named);
  });

  it("by its path if a shell does not find it", () => {
    mkdirSync(join(folder, "elsewhere"));
    symlinkSync(process.execPath, join(folder, "elsewhere/node"));
    const PATH = [join(folder, "elsewhere"), "/usr/bin", "/bin"].join(delimiter);
    expect(calledIn([join(bin, "azure-lattice-sync")], { PATH })).toEqual({
      name: `"${join(bin, "azure-lattice-sync")}"`,
      works: true,
    });
    expect(calledIn([process.execPath, program], { PATH })).toEqual({
      name: `node ${typed(program)}`,
      works: true,
    });
    const sources = join(root, "src/cli.ts");
    expect(calledIn([process.execPath, sources], { PATH })).toEqual({
      name: `node ${typed(sources)}`,
      works: true,
    });
  });

  it("as ALS_COMMAND says, if it can only be typed elsewhere", () => {
    const ALS_COMMAND = "docker exec als azure-lattice-sync";
    expect(calledIn([process.execPath, program], { ALS_COMMAND }).name).toBe(ALS_COMMAND);
    expect(calledIn([process.execPath, program], { ALS_COMMAND: "" }).name).toBe(`node ${typed(program)}`);
  });
});

/** A path as a shell takes it. */
function typed(path: string): string {
  return /^[\w./@:-]+$/.test(path) ? path : `"${path}"`;
}

describe("in the folder of a checkout", () => {
  const start = (change: Partial<Start>): Start => ({
    script: join(root, "src/cli.ts"),
    cwd: root,
    env: { PATH: "/usr/bin:/bin" },
    packageRoot: root,
    ...change,
  });

  it("the sources are run by the Node of the checkout", () => {
    expect(commandOf(start({}))).toBe("npx node src/cli.ts");
    const asInReadme = spawnSync(process.execPath, ["src/cli.ts", "status", "--config", "missing.yaml"], {
      cwd: root,
      env: { PATH: process.env.PATH ?? "" },
      encoding: "utf8",
    });
    expect(asInReadme.stderr).toContain('"npx node src/cli.ts config init"');
  });

  it("the built program is run by npx", () => {
    expect(commandOf(start({ script: join(root, "dist/start.cjs") }))).toBe("npx azure-lattice-sync");
    const npx = { npm_lifecycle_event: "npx", PATH: "/usr/bin:/bin" };
    const script = join(dirname(root), "_npx/1/node_modules/.bin/azure-lattice-sync");
    expect(commandOf(start({ script, env: npx }))).toBe("npx azure-lattice-sync");
  });
});

it("no message writes the command in its own way", () => {
  const commands = quietProgram(new PassThrough()).below.map((command) => command.name());
  expect(commands).toContain("sync");
  const named = new RegExp(`azure-lattice-sync (${commands.join("|")})\\b`);
  const files = globSync("src/**/*.{ts,js}", { cwd: root }).filter(
    (file) => !/^src\/program\/|^src\/daemon\/http\/page\//.test(file),
  );
  expect(files.length).toBeGreaterThan(200);
  const lines = files.flatMap((file) =>
    readFileSync(join(root, file), "utf8")
      .split("\n")
      .filter((line) => named.test(line) && !/^\s*(\/\/|\*|\/\*)/.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
  // The path of an imported file is not a command to type.
  expect(lines.filter((line) => !line.includes("mapping import"))).toEqual([]);
});
