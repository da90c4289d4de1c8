import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  constants,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DockerfileParser, type From, type Instruction } from "dockerfile-ast";
import { validate } from "dockerfile-utils";
import { describe, expect, inject, it, onTestFinished } from "vitest";

const root = join(import.meta.dirname, "../..");
const text = readFileSync(join(root, "Dockerfile"), "utf8");
const instructions = DockerfileParser.parse(text).getInstructions();
const isRoot = process.getuid?.() === 0;

/** Instructions of the last stage: what the image is. */
function lastStage(): readonly Instruction[] {
  return instructions.slice(instructions.findLastIndex((one) => one.getKeyword() === "FROM"));
}

function wordsOf(keyword: string): readonly string[] {
  const found = lastStage().findLast((one) => one.getKeyword() === keyword);
  if (found === undefined) throw new Error(`the last stage has no ${keyword}`);
  return found.getArguments().map((argument) => argument.getValue());
}

/** The list of an instruction in its exec form. */
function listOf(keyword: string): readonly string[] {
  const written = lastStage()
    .findLast((one) => one.getKeyword() === keyword)
    ?.getRawArgumentsContent();
  return JSON.parse((written ?? "").replace(/^[^[]*/, ""));
}

describe("the Dockerfile", () => {
  it("is one in which a parser finds nothing", () => {
    expect(validate(text)).toEqual([]);
    expect(validate(text.replace("USER 10001:10001", "USER"))).not.toEqual([]);
  });

  it("takes the same base in every stage, and it can be another", () => {
    const bases = instructions.filter((one): one is From => one.getKeyword() === "FROM");
    expect(bases.length).toBeGreaterThan(1);
    for (const base of bases) expect(base.getImage()).toBe("$" + "{NODE_IMAGE}");
    expect(text).toMatch(/^ARG NODE_IMAGE=node:24-/m);
  });

  it("runs the daemon without privileges, says when it is well, and keeps its state on a volume", () => {
    expect(wordsOf("USER")).toEqual(["10001:10001"]);
    expect(wordsOf("STOPSIGNAL")).toEqual(["SIGTERM"]);
    expect(wordsOf("VOLUME")).toEqual(["/app/state"]);
    expect(listOf("ENTRYPOINT")).toEqual(["node", "/app/dist/cli.js"]);
    expect(listOf("CMD")).toEqual(["daemon"]);
    expect(lastStage().map((one) => one.getKeyword())).toContain("HEALTHCHECK");
  });
});

/**
 * The tree of the image as the last stage copies it, with the program as it was built for these tests. Of the libraries
 * only the one that is not part of the program: the others are there to be looked at.
 */
function layOut(): string {
  const image = mkdtempSync(join(tmpdir(), "als-image-"));
  onTestFinished(() => rmSync(image, { recursive: true, force: true }));
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
  mkdirSync(join(app, "state"), { mode: 0o700 });
  return app;
}

describe.runIf(isRoot && process.platform === "linux")("what the image starts", () => {
  it("works for a user without rights on a tree that nobody writes to, is healthy, and stops when it is told to", async () => {
    const app = layOut();
    const uid = 10_001;
    await asRoot(["chown", `${uid}:${uid}`, join(app, "state")]);
    // Everything but the volume is root's; and the folder above, which mkdtemp makes for root alone, can be entered.
    chmodSync(dirname(app), 0o755);
    // The checkout may be where this user cannot go.
    const node = join(dirname(app), "node");
    copyFileSync(process.execPath, node, constants.COPYFILE_FICLONE);
    const port = await freePort();
    const [, script = ""] = listOf("ENTRYPOINT");
    const child = spawn(
      node,
      [script.replace("/app", app), ...listOf("CMD"), "--sandbox", "--listen", `127.0.0.1:${port}`],
      {
        cwd: app,
        uid,
        gid: uid,
        env: { NODE_ENV: "production", LOG_LEVEL: "info" },
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    onTestFinished(() => void child.kill("SIGKILL"));
    await said(child, /"cycle finished"/);
    // The health check of the image, its port aside.
    const [, flag = "", check = ""] = listOf("HEALTHCHECK");
    expect(await exitOf(spawn(process.execPath, [flag, check.replace("9464", String(port))]))).toBe(0);
    expect(await exitOf(spawn(process.execPath, [flag, check.replace("9464", "1")]))).toBe(1);
    const ended = exitOf(child);
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(statSync(join(app, "state")).uid).toBe(uid);
    expect(statSync(join(app, "dist")).uid).toBe(0);
  });
});

const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((done) => child.once("close", (code) => done(code)));

async function asRoot([command = "", ...args]: readonly string[]): Promise<void> {
  expect(await exitOf(spawn(command, args))).toBe(0);
}

function said(child: ChildProcess, pattern: RegExp): Promise<void> {
  let text = "";
  return new Promise((found, failed) => {
    child.stderr?.on("data", (chunk) => {
      text += String(chunk);
      if (pattern.test(text)) found();
    });
    child.once("close", () => failed(new Error(`it ended without saying ${pattern}: ${text}`)));
  });
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => done(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
