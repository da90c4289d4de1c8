import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { exitCode } from "../../src/process/io.ts";
import { program } from "./real-process.ts";

/** Runs the command on this Node, which claims to be another version. */
async function runAs(version: string, command: string) {
  const folder = mkdtempSync(join(tmpdir(), "als-node-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const disguise = join(folder, "disguise.cjs");
  const versions = { ...process.versions, node: version };
  writeFileSync(
    disguise,
    `Object.defineProperty(process, "versions", { value: ${JSON.stringify(versions)} });`,
  );
  const child = spawn(process.execPath, ["--require", disguise, command, "--version"]);
  const code = new Promise<number | null>((done) => child.once("close", done));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

it.each(["0.10.48", "16.20.2", "20.20.2", "22.17.9"])(
  "is refused by Node %s with one sentence, before any other file is loaded",
  async (version) => {
    // The entry and the manifest: nothing else is there to be loaded.
    const root = mkdtempSync(join(tmpdir(), "als-entry-"));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    mkdirSync(join(root, "dist"));
    copyFileSync(program, join(root, "dist/start.cjs"));
    copyFileSync(join(dirname(dirname(program)), "package.json"), join(root, "package.json"));
    const ended = await runAs(version, join(root, "dist/start.cjs"));
    expect(ended).toEqual({
      code: exitCode.usage,
      stdout: "",
      stderr: `azure-lattice-sync needs Node 22.18 or newer, and this is Node ${version} (${process.execPath}): install a newer Node from https://nodejs.org, or use the container image.\n`,
    });
  },
);

it.each(["22.18.0", "23.0.0", "24.0.0", "100.1.0"])("starts on Node %s", async (version) => {
  const { version: own } = JSON.parse(readFileSync(join(dirname(dirname(program)), "package.json"), "utf8"));
  expect(await runAs(version, program)).toEqual({ code: 0, stdout: `${own}\n`, stderr: "" });
});

it("has an entry in the syntax of the oldest Node", () => {
  // Comments and texts aside.
  const code = readFileSync(program, "utf8").replaceAll(/\/\/.*|"[^"]*"/g, "");
  expect(code).not.toMatch(/=>|`|\?\.|\?\?|\.\.\.|\b(const|let|class|import|export|async|await|of)\b/);
});
