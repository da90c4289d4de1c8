import { type ChildProcess, spawn } from "node:child_process";
import {
  chownSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import Database from "better-sqlite3";
import type { From } from "dockerfile-ast";
import { validate } from "dockerfile-utils";
import { describe, expect, inject, it, onTestFinished } from "vitest";
import { packageRoot } from "../../src/process/package-root.ts";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { configuration } from "../process/real-process.ts";
import { ownDatabase } from "../state/postgres/own-database.ts";
import {
  canBeReadOnly,
  dockerfile,
  type ImageTree,
  imageUser,
  instructions,
  lastStage,
  layOut,
  listOf,
  wordsOf,
} from "./image-tree.ts";

describe("the Dockerfile", () => {
  it("is one in which a parser finds nothing", () => {
    expect(validate(dockerfile)).toEqual([]);
    expect(validate(dockerfile.replace("USER 10001:10001", "USER"))).not.toEqual([]);
  });

  it("uses the same base in every stage, and it can be replaced", () => {
    const bases = instructions.filter((one): one is From => one.getKeyword() === "FROM");
    expect(bases.length).toBeGreaterThan(1);
    for (const base of bases) expect(base.getImage()).toBe("$" + "{NODE_IMAGE}");
    expect(dockerfile).toMatch(/^ARG NODE_IMAGE=node:24-/m);
  });

  it("runs the daemon without privileges, reports its health, and keeps its state on a volume", () => {
    expect(wordsOf("USER")).toEqual(["10001:10001"]);
    expect(wordsOf("STOPSIGNAL")).toEqual(["SIGTERM"]);
    expect(wordsOf("VOLUME")).toEqual(["/app/state"]);
    expect(listOf("ENTRYPOINT")).toEqual(["node", "--disable-sigusr1", "/app/dist/start.cjs"]);
    expect(listOf("CMD")).toEqual(["daemon"]);
    expect(lastStage().map((one) => one.getKeyword())).toContain("HEALTHCHECK");
  });

  it("has what the package has of src, because the program reads it when it runs", () => {
    const copied = lastStage().flatMap((one) => one.getArguments().map((argument) => argument.getValue()));
    const { files } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));
    const read: readonly string[] = files.filter((file: string) => file.startsWith("src/"));
    expect(read).toContain("src/state/postgres/schema/migrations");
    expect(copied).toEqual(expect.arrayContaining(read.flatMap((file) => [`/build/${file}`, `./${file}`])));
  });

  it("has the command under its name, for docker exec", () => {
    const script = listOf("ENTRYPOINT").at(-1) ?? "";
    expect(wordsOf("RUN").join(" ")).toContain(`ln -s ${script} /usr/local/bin/azure-lattice-sync`);
    expect(statSync(inject("program")).mode & 0o111).toBe(0o111);
  });
});

// On CI it must be possible.
describe.runIf(canBeReadOnly || process.env.CI !== undefined)(
  "a container of the image, read-only and without a temporary folder,",
  () => {
    it("checks, plans and sends, with a database and without one", async () => {
      const image = layOut();
      const run = async (...args: string[]) => ended(image.start(args, { LOG_LEVEL: "warn" }));
      expect(await run("check", "--sandbox")).toMatchObject({ code: 0 });
      const first = await run("sync", "--sandbox", "--people", "30", "--dry-run", "--format", "json");
      expect(first).toMatchObject({ code: 0, stderr: "" });
      const { summary, operations } = JSON.parse(first.stdout);
      expect(summary.create).toBeGreaterThan(20);
      expect(existsSync(join(image.app, "state/azure-lattice-sync.sandbox-both.db"))).toBe(false);
      expect(await run("sync", "--sandbox")).toMatchObject({ code: 0 });

      const second = await run("sync", "--sandbox", "--dry-run", "--format", "json");
      expect(second).toMatchObject({ code: 0, stderr: "" });
      const plan = JSON.parse(second.stdout).summary;
      expect(plan.create).toBe(0);
      expect(plan.unchanged).toBeGreaterThanOrEqual(summary.create);
      const { userName } = operations[0];
      for (const args of [
        ["user", userName, "--live", "--sandbox"],
        ["sync", "--user", userName, "--dry-run", "--sandbox"],
        ["sync", "--user", userName, "--yes", "--sandbox"],
        ["status", "--sandbox"],
      ]) {
        expect(await run(...args)).toMatchObject({ code: 0, stderr: "" });
      }
      // It is as read-only as this test says.
      const elsewhere = await run(
        "sync",
        "--sandbox",
        "--dry-run",
        "--out",
        join(tmpdir(), "als-report.txt"),
      );
      expect(elsewhere.stderr).toMatch(/EROFS|read-only/i);
      expect(elsewhere.code).not.toBe(0);
      expect(statSync(join(image.app, "dist")).uid).toBe(0);
    });

    it("keeps its state in PostgreSQL if a file has the URL, and nothing of it on the volume", async () => {
      await using database = await ownDatabase();
      const sandbox = await startSandbox({ file: ":memory:", people: 30 });
      onTestFinished(() => sandbox.close());
      const image = layOut();
      const given = (name: string, content: string): string => {
        const file = join(image.app, "config", name);
        writeFileSync(file, content, { mode: 0o600 });
        chownSync(file, imageUser, imageUser);
        return file;
      };
      const { state: _, ...config } = configuration({ sandbox, statePath: "" });
      const environment = {
        LOG_LEVEL: "warn",
        ALS_CONFIG: given("azure-lattice-sync.yaml", JSON.stringify(config)),
        ALS_STATE_URL_FILE: given("state-url", `${database.url}\n`),
      };
      const run = async (...args: string[]) => ended(image.start(args, environment));
      expect((await run("check")).stdout).toMatch(
        /State database: .* \(PostgreSQL\): nothing of this job yet/,
      );
      expect(await run("sync", "--dry-run")).toMatchObject({ code: 0, stderr: "" });
      expect(await run("sync")).toMatchObject({ code: 0, stderr: "" });
      const next = await run("sync", "--dry-run", "--format", "json");
      expect(next).toMatchObject({ code: 0, stderr: "" });
      expect(JSON.parse(next.stdout).summary).toMatchObject({ create: 0, update: 0, deactivate: 0 });
      expect(await run("status")).toMatchObject({ code: 0, stderr: "" });
      expect(readdirSync(join(image.app, "state"))).toEqual([]);

      const exported = join(image.app, "state/export.db");
      expect(await run("state", "export", exported)).toMatchObject({ code: 0 });
      expect(await run("state", "rebuild", "--yes")).toMatchObject({ code: 0 });
      expect(await run("state", "import", exported)).toMatchObject({ code: 0 });
      expect(await run("sync", "--dry-run", "--detailed-exitcode")).toMatchObject({ code: 0 });
      expect(readdirSync(join(image.app, "state"))).toEqual(["export.db"]);
    });

    it("migrates a database of the first version, for a dry run and for good", async () => {
      const image = layOut();
      const path = join(image.app, "state/azure-lattice-sync.sandbox-both.db");
      const db = new Database(path);
      db.pragma("journal_mode = WAL");
      db.exec(readFileSync(join(image.app, "src/state/sqlite/migrations/001-initial.sql"), "utf8"));
      db.pragma("user_version = 1");
      db.exec(`
      INSERT INTO cycle (plan_id, kind, started_at) VALUES ('p', 'initial', 1);
      WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 40000)
        INSERT INTO operation (cycle_id, object_id, user_name, action, reason, changes, adopts, wave, status, attempt)
        SELECT 1, hex(randomblob(16)), hex(randomblob(180)) || '@example.com', 'create', 'r', '[]', 0, 0, 'done', 1 FROM number`);
      db.close();
      chownSync(path, imageUser, imageUser);
      const old = join(image.app, "state/old.db");
      copyFileSync(path, old);
      chownSync(old, imageUser, imageUser);
      for (const args of [
        ["sync", "--sandbox", "--people", "20", "--dry-run"],
        ["sync", "--sandbox"],
        ["state", "restore", old],
      ]) {
        expect(await ended(image.start(args, { LOG_LEVEL: "silent" }))).toMatchObject({ code: 0 });
      }
    });

    it("runs the daemon, which is healthy, plans for the dashboard, and stops on request", async () => {
      const image = layOut();
      const port = await freePort();
      const child = image.start([...listOf("CMD"), "--sandbox", "--listen", `127.0.0.1:${port}`], {
        LOG_LEVEL: "info",
      });
      await said(child, /"cycle finished"/);
      expect(await healthCheck(image, port)).toBe(0);
      expect(await healthCheck(image, 1)).toBe(1);

      const origin = `http://127.0.0.1:${port}`;
      const started = await fetch(`${origin}/api/cycles`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-requested-by": "test" },
        body: JSON.stringify({ dryRun: true }),
      });
      expect(started.status).toBe(202);
      const { work } = (await started.json()) as { readonly work: string };
      const done = await until(
        async () => (await (await fetch(`${origin}/api/works/${work}`)).json()) as Work,
        ({ finishedAt }) => finishedAt !== null,
      );
      expect(done).toMatchObject({ error: null });

      const stopped = ended(child);
      child.kill("SIGTERM");
      expect(await stopped).toMatchObject({ code: 0 });
      expect(statSync(join(image.app, "state")).uid).toBe(imageUser);
    });
  },
);

interface Work {
  readonly finishedAt: string | null;
  readonly error: string | null;
}

/** Exit code of the image's health check, which asks this port instead of the image's. */
async function healthCheck(image: ImageTree, port: number): Promise<number | null> {
  const [, flag = "", check = ""] = listOf("HEALTHCHECK");
  const child = spawn(process.execPath, [flag, check.replace("9464", String(port))], { cwd: image.app });
  return (await ended(child)).code;
}

async function until<T>(ask: () => Promise<T>, enough: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (enough(answer)) return answer;
    await setTimeout(50);
  }
}

async function ended(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const code = new Promise<number | null>((done) => child.once("close", done));
  const [stdout, stderr] = await Promise.all(
    [child.stdout, child.stderr].map((stream) => (stream === null ? "" : text(stream))),
  );
  return { code: await code, stdout: stdout ?? "", stderr: stderr ?? "" };
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
