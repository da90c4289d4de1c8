import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  constants,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DockerfileParser, type Instruction, PropertyInstruction } from "dockerfile-ast";
import { inject, onTestFinished } from "vitest";

const root = join(import.meta.dirname, "../..");

export const dockerfile = readFileSync(join(root, "Dockerfile"), "utf8");
export const instructions = DockerfileParser.parse(dockerfile).getInstructions();
/** The user that the image runs as. */
export const imageUser = 10_001;

/** Instructions of the last stage: what the image is. */
export function lastStage(): readonly Instruction[] {
  return instructions.slice(instructions.findLastIndex((one) => one.getKeyword() === "FROM"));
}

export function wordsOf(keyword: string): readonly string[] {
  const found = lastStage().findLast((one) => one.getKeyword() === keyword);
  if (found === undefined) throw new Error(`the last stage has no ${keyword}`);
  return found.getArguments().map((argument) => argument.getValue());
}

/** The list of an instruction in its exec form. */
export function listOf(keyword: string): readonly string[] {
  const written = lastStage()
    .findLast((one) => one.getKeyword() === keyword)
    ?.getRawArgumentsContent();
  return JSON.parse((written ?? "").replace(/^[^[]*/, ""));
}

/** The image's files in a folder of their own. */
export interface ImageTree {
  /** The files of `/app` in the image. */
  readonly app: string;
  /**
   * Starts what the image starts, with these arguments, as its user: the whole file system is read-only but for the volume,
   * and there is no temporary folder.
   */
  start(args: readonly string[], environment?: Readonly<Record<string, string>>): ChildProcess;
}

/** Whether this machine allows the tests to make everything read-only for one process. */
export const canBeReadOnly =
  process.getuid?.() === 0 &&
  spawnSync("unshare", ["--mount", "setpriv", `--reuid=${imageUser}`, "true"]).status === 0;

/**
 * The tree of the image as the last stage copies it, with the program as it was built for these tests. Of the libraries
 * only the one that is not part of the program: the others are there to be looked at.
 */
export function layOut(): ImageTree {
  const image = mkdtempSync(join(tmpdir(), "als-image-"));
  onTestFinished(() => rmSync(image, { recursive: true, force: true }));
  // mkdtemp makes it for its owner alone.
  chmodSync(image, 0o755);
  const app = join(image, "app");
  mkdirSync(app);
  const program = dirname(inject("program"));
  for (const copy of lastStage().filter((one) => one.getKeyword() === "COPY")) {
    const [target = "", ...sources] = copy
      .getArguments()
      .map((argument) => argument.getValue())
      .filter((value) => !value.startsWith("--"))
      .reverse();
    for (const source of sources.map((path) => path.replace("/build/", ""))) {
      const to = target === "./" ? join(app, source) : join(app, target);
      if (source === "dist")
        cpSync(program, to, { recursive: true, filter: (path) => !path.includes("compiled") });
      else if (source === "node_modules") {
        cpSync(join(root, source, "better-sqlite3"), join(to, "better-sqlite3"), {
          recursive: true,
          filter: (path) => !/\/(deps|src)(\/|$)/.test(path),
        });
      } else cpSync(join(root, source), to, { recursive: true });
    }
  }
  const state = join(app, "state");
  mkdirSync(state, { mode: 0o700 });
  if (spawnSync("chown", [`${imageUser}:${imageUser}`, state]).status !== 0) throw new Error("no chown");
  // The checkout may be in a folder that this user cannot enter.
  const node = join(image, "node");
  copyFileSync(process.execPath, node, constants.COPYFILE_FICLONE);
  const [, ...started] = listOf("ENTRYPOINT");
  return {
    app,
    start: (args, environment = {}) => {
      const child = spawn(
        "unshare",
        [
          "--mount",
          "sh",
          "-ec",
          readOnly,
          "sh",
          state,
          node,
          ...started.map((word) => word.replace("/app", app)),
          ...args,
        ],
        {
          cwd: app,
          env: { PATH: process.env.PATH ?? "", ...environmentOf(app), ...environment },
          stdio: ["ignore", "pipe", "pipe"],
        },
      );
      onTestFinished(() => void child.kill("SIGKILL"));
      return child;
    },
  };
}

/** The variables that the image sets, with the paths of this tree. */
function environmentOf(app: string): Readonly<Record<string, string>> {
  const set = lastStage().filter((one) => one.getKeyword() === "ENV");
  return Object.fromEntries(
    set
      .flatMap((one) => (one instanceof PropertyInstruction ? one.getProperties() : []))
      .map((one) => [one.getName(), (one.getValue() ?? "").replace(/^\/app(?=\/)/, app)]),
  );
}

/** Each mount but the volume loses its right to be written to; the kernel's own stay as they are. */
const readOnly = `
  mount --make-rprivate /
  state=$1; shift
  mount --bind "$state" "$state"
  for place in $(cut -d' ' -f5 /proc/self/mountinfo | grep -vE "^(/proc|/sys|$state)(/|$)"); do
    mount -o remount,bind,ro "$place"
  done
  exec setpriv --reuid=${imageUser} --regid=${imageUser} --clear-groups --no-new-privs --bounding-set=-all "$@"`;
