import { copyFileSync, cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sandboxFile } from "../../src/job/rehearsal.ts";
import { exitCode } from "../../src/process/io.ts";
import { packageRoot } from "../../src/process/package-root.ts";
import { pathOf } from "../../src/program/documented-command.ts";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { schemaExport } from "../mapping/schema-export.ts";
import { documentedLines } from "../program/documented-lines.ts";
import { manuals } from "../program/markdown.ts";
import { everyCommand, quietProgram } from "../program/program.ts";
import { type Ended, startIn } from "./real-process.ts";

const commands = everyCommand(quietProgram()).filter(({ below }) => below.length === 0);
/** Runs until it is stopped, writes where only root may, or asks servers that a document makes up. */
const notRun = /^(daemon|demo$|notify test)|--config \/etc\//;
const lines = [
  ...new Map(
    manuals.flatMap(documentedLines).map((one): [string, typeof one] => [one.words.join(" "), one]),
  ).values(),
].filter(({ words }) => !notRun.test(words.join(" ")));

const caseFile = "config/default.mapping-test.yaml";
let prepared = "";
let planId = "";

/** A company in which the guard holds what is due for kim.example@example.com, and Lattice has the account root@example.com. */
beforeAll(async () => {
  prepared = mkdtempSync(join(tmpdir(), "als-documents-"));
  for (const name of ["config", "state", "backups"]) mkdirSync(join(prepared, name));
  writeFileSync(
    join(prepared, "config/azure-lattice-sync.yaml"),
    "entra: { scope: { include: [kim.example@example.com, sam.example@example.com] } }\nguard: { maxDeactivations: 0, deactivationFloor: 0 }\n",
  );
  copyFileSync(
    join(packageRoot, "config/default-mapping.mapping-test.example.yaml"),
    join(prepared, caseFile),
  );
  writeFileSync(join(prepared, "schema.json"), JSON.stringify(schemaExport()));
  const file = sandboxFile(join(prepared, "state/azure-lattice-sync.db"), "both");
  await inCompany(file, ({ directory, lattice }) => {
    lattice.create({ userName: "root@example.com", emails: [{ value: "root@example.com", type: "work" }] });
    for (const name of ["kim.example", "sam.example", "robin.example"])
      directory.createUser({
        userPrincipalName: `${name}@example.com`,
        displayName: name,
        accountEnabled: true,
      });
  });
  expect(await run(["sync", "--sandbox"], prepared)).toMatchObject({ code: exitCode.done });
  await inCompany(file, ({ directory }) => {
    const kim = directory.byUserPrincipalName("kim.example@example.com");
    directory.updateUser(kim?.id ?? "", { accountEnabled: false });
  });
  expect(await run(["sync", "--sandbox"], prepared)).toMatchObject({ code: exitCode.held });
  const { stdout } = await run(["status", "--sandbox", "--format", "json"], prepared);
  planId = JSON.parse(stdout).guard.planId;
  expect(await run(["state", "backup", "backups/state.db", "--sandbox"], prepared)).toMatchObject({
    code: exitCode.done,
  });
}, 120_000);

afterAll(() => rmSync(prepared, { recursive: true, force: true, maxRetries: 3 }));

it("runs most of the command lines of the documents", () => {
  expect(lines.length).toBeGreaterThan(35);
});

it.each(lines)("does what $place says: $line", { timeout: 120_000 }, async ({ words }) => {
  const folder = mkdtempSync(join(tmpdir(), "als-document-"));
  try {
    cpSync(prepared, folder, { recursive: true });
    const own = situations.find(({ line }) => line.test(words.join(" ")));
    await own?.before?.(folder);
    const { code, stdout, stderr } = await run(typed(words, folder), folder, own?.environment);
    expect({ code, stdout, stderr }).toMatchObject({ code: own?.code ?? exitCode.done });
    expect(stderr).not.toContain("a fault of its own");
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
});

/** Conditions for a line to do what it shows, and its exit code if that is not 0. */
interface Situation {
  readonly line: RegExp;
  readonly code?: number;
  readonly before?: (folder: string) => unknown;
  readonly environment?: Readonly<Record<string, string>>;
}

const configuration = "config/azure-lattice-sync.yaml";
const rehearsed = "state/azure-lattice-sync.sandbox-both.db";
const remove = (name: string) => (folder: string) => rmSync(join(folder, name));
const situations: readonly Situation[] = [
  {
    line: /^config diff|--against/,
    before: (folder) => {
      for (const name of ["new.yaml", "OTHER.yaml"])
        writeFileSync(join(folder, name), "guard: { window: 3h }\n");
    },
  },
  { line: /--detailed-exitcode/, code: exitCode.changesPending },
  // Entra shows nothing new since the cycle that the guard has held.
  { line: /^sync --leavers/ },
  { line: /^sync(?!.*--dry-run)(?!.*--user(?!.*--yes))/, code: exitCode.held },
  // The first cycle has reactivated a person, and the guard lets no one be deactivated.
  { line: /^revert (?!.*--dry-run)/, code: exitCode.held },
  {
    line: /^config check/,
    environment: {
      AZURE_TENANT_ID: "3f1b6c1e-6c55-4c1c-9c43-0a2f3a0b8d11",
      AZURE_CLIENT_ID: "8d4a0f52-2f0e-4c8f-8a35-5b6f5c8f1e22",
      AZURE_CLIENT_SECRET: "a-secret-of-entra",
      LATTICE_API_KEY: "a-key-of-lattice",
    },
  },
  { line: /^config init/, before: remove(configuration) },
  { line: /^mapping import .*--out config/, before: remove(configuration) },
  { line: /^mapping test --cases/, before: (folder) => copy(folder, caseFile, "FILE…") },
  { line: /^mapping import/, before: (folder) => copy(folder, "schema.json", "FILE") },
  { line: /^state (backup|export)/, before: remove("backups/state.db") },
  {
    // The file that is moved is not the one of the rehearsal, which is empty.
    line: /^state import state/,
    before: (folder) => rename(folder, rehearsed, "state/azure-lattice-sync.db"),
  },
  { line: /^state import/, before: remove(rehearsed) },
  {
    line: /^state rebuild/,
    before: (folder) => writeFileSync(join(folder, rehearsed), "damaged"),
  },
  {
    // It is weighed again, and held again.
    line: /--undo-reject/,
    code: exitCode.held,
    before: (folder) => run(["release", planId, "--reject", "kim.example@example.com", "--sandbox"], folder),
  },
];

function rename(folder: string, from: string, to: string): void {
  renameSync(join(folder, from), join(folder, to));
}

function copy(folder: string, from: string, to: string): void {
  copyFileSync(join(folder, from), join(folder, to));
}

/** The line as a person would type it in this folder. */
function typed(words: readonly string[], folder: string): string[] {
  const command = commands.find((one) => pathOf(one).every((part, index) => words[index] === part));
  const takesSandbox = command?.options.some(({ long }) => long === "--sandbox") === true;
  const offline = /^mapping test(?!.*--record)/.test(words.join(" "));
  const people: Readonly<Record<string, string>> = {
    A: "kim.example@example.com",
    B: "sam.example@example.com",
    USER: "kim.example@example.com",
  };
  const given = words
    .filter((word) => !word.startsWith("--sandbox"))
    .map((word) => people[word] ?? word)
    .map((word) => word.replace(/^\/backups\//, `${folder}/backups/`).replace("PLAN_ID", planId));
  return [...given, ...(takesSandbox && !offline ? ["--sandbox"] : [])];
}

async function run(
  args: readonly string[],
  folder: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return startIn(folder, args, environment).ended;
}

async function inCompany(
  file: string,
  change: (sandbox: Awaited<ReturnType<typeof startSandbox>>) => void,
): Promise<void> {
  const sandbox = await startSandbox({ file, people: 30 });
  try {
    change(sandbox);
  } finally {
    await sandbox.close();
  }
}
