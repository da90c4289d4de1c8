import { spawnSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Copy, DockerfileParser, type Instruction, PropertyInstruction } from "dockerfile-ast";
import { ended, tryPostgres } from "./try-postgres.ts";

// Follows the Dockerfile without a container engine: each stage is a folder, what it copies is copied, and what it runs is run
// there by this machine's Node and npm. Then the command of the last stage says its version, checks, plans and sends, with its state
// in a file and in a real PostgreSQL. The base image differs from that of a real build; that the tree works read-only is for
// test/deploy/image.test.ts.

const root = dirname(import.meta.dirname);
const folder = mkdtempSync(join(tmpdir(), "als-image-"));
const dockerfile = readFileSync(join(root, "Dockerfile"), "utf8");

/** Stages by name; the last has none. */
const stages = new Map<string, string>();
let stage = "";
let workingFolder = "/";
let entrypoint: readonly string[] = [];
/** The variables that the last stage sets. */
let variables: Readonly<Record<string, string>> = {};

try {
  for (const instruction of DockerfileParser.parse(dockerfile).getInstructions()) follow(instruction);
  run(["--version"]);
  run(["check", "--sandbox"]);
  run(["sync", "--sandbox", "--people", "30", "--dry-run"]);
  run(["sync", "--sandbox"]);
  run(["sync", "--sandbox", "--dry-run"]);
  await tryPostgres(folder, (args, environment) => {
    const [file = "", ...before] = startsOf()[0] ?? [];
    const env = { PATH: process.env.PATH ?? "", ...variables, ...environment };
    return ended(file, [...before, ...args], { cwd: join(stage, workingFolder), env });
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function follow(instruction: Instruction): void {
  const words = instruction.getArguments().map((argument) => argument.getValue());
  const rest = instruction.getRawArgumentsContent() ?? "";
  switch (instruction.getKeyword()) {
    case "FROM": {
      const name = words.at(-2)?.toUpperCase() === "AS" ? (words.at(-1) ?? "") : "";
      stage = join(folder, name === "" ? "image" : name);
      stages.set(name, stage);
      mkdirSync(join(stage, "usr/local/bin"), { recursive: true });
      variables = {};
      break;
    }
    case "WORKDIR":
      workingFolder = words[0] ?? "/";
      mkdirSync(join(stage, workingFolder), { recursive: true });
      break;
    case "COPY":
      if (instruction instanceof Copy) copy(instruction.getFromFlag()?.getValue() ?? null, words);
      break;
    case "RUN":
      shell(rest.replaceAll("\\\n", " "));
      break;
    case "ENV":
      if (instruction instanceof PropertyInstruction)
        variables = { ...variables, ...variablesOf(instruction) };
      break;
    case "ENTRYPOINT":
      entrypoint = JSON.parse(rest);
      break;
  }
}

/** Paths of the image's folder are in the folder of the stage. */
function variablesOf(instruction: PropertyInstruction): Readonly<Record<string, string>> {
  return Object.fromEntries(
    instruction
      .getProperties()
      .map((one) => [one.getName(), (one.getValue() ?? "").replace(/^\/app(?=\/)/, join(stage, "app"))]),
  );
}

/** @param from the stage, `null` for the checkout */
function copy(from: string | null, paths: readonly string[]): void {
  const target = paths.at(-1) ?? "";
  const into = join(stage, workingFolder, target);
  for (const source of paths.slice(0, -1)) {
    if (from === null) {
      for (const file of context(source))
        cpSync(join(root, file), join(into, source === "." ? file : source));
      continue;
    }
    const path = join(stages.get(from) ?? "", source);
    const isFolder = statSync(path).isDirectory();
    cpSync(path, isFolder ? into : join(into, source.split("/").at(-1) ?? ""), { recursive: true });
  }
}

/** Files of the checkout that .dockerignore lets in. It leaves everything out but what it names. */
function context(source: string): readonly string[] {
  const patterns = readFileSync(join(root, ".dockerignore"), "utf8")
    .split("\n")
    .filter((line) => line !== "");
  if (patterns.shift() !== "**") throw new Error(".dockerignore does not begin with leaving everything out");
  const allowed = patterns.flatMap((pattern) => {
    const path = pattern.replace(/^!/, "");
    if (!statSync(join(root, path)).isDirectory()) return [path];
    return globSync(`${path}/**/*`, { cwd: root }).filter((file) => statSync(join(root, file)).isFile());
  });
  return source === "." ? allowed : allowed.filter((file) => file === source);
}

function shell(script: string): void {
  const here = join(stage, workingFolder);
  // Paths from the root of the image are in the folder of the stage.
  const moved = script.replaceAll(/(?<=\s)\/(?=(app|usr)\/)/g, `${stage}/`);
  const ended = spawnSync("sh", ["-ec", moved], { cwd: here, encoding: "utf8" });
  if (ended.status !== 0)
    throw new Error(`the image cannot be built: ${script}\n${ended.stdout}${ended.stderr}`);
  process.stdout.write(`ok RUN ${script.replaceAll(/\s+/g, " ")}\n`);
}

/** The entry point of the image, and its command for `docker exec`. */
function startsOf(): readonly (readonly string[])[] {
  const [, ...started] = entrypoint;
  // Flags of Node, and the program in the stage.
  const words = started.map((word) => (word.startsWith("/") ? join(stage, word) : word));
  return [[process.execPath, ...words], [join(stage, "usr/local/bin/azure-lattice-sync")]];
}

function run(args: readonly string[]): void {
  const cwd = join(stage, workingFolder);
  for (const [file = "", ...before] of startsOf()) {
    const ended = spawnSync(file, [...before, ...args], { cwd, encoding: "utf8" });
    if (ended.status !== 0) {
      throw new Error(
        `the image fails: ${args.join(" ")}: exit ${ended.status}\n${ended.stdout}${ended.stderr}`,
      );
    }
  }
  process.stdout.write(`ok ${args.join(" ")}\n`);
}
