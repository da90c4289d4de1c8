import { dirname, relative } from "node:path";
import { styleText } from "node:util";
import { commandLine, inShell } from "../command-name.ts";
import { loadConfig } from "../config/load.ts";
import { nextDay } from "../sandbox/day.ts";
import { type Sandbox, startSandbox } from "../sandbox/sandbox.ts";
import { type CommandIO, exitCode, print } from "./io.ts";
import { sandboxFile } from "./session.ts";
import { sync } from "./sync.ts";

/**
 * The main job on the embedded company: a dry run and a sync, a day passes, a dry run and a sync again. Everything
 * is kept in the state folder; running it again is the next day.
 */
export async function demo(io: CommandIO): Promise<number> {
  const { config } = loadConfig({ env: io.env, cwd: io.cwd });
  const sandbox = await startSandbox({ file: sandboxFile(config.state.path, "both") });
  try {
    // Shorter, and right wherever the checkout is, as long as it is typed here.
    return await story(io, sandbox, relative(io.cwd, dirname(config.state.path)) || ".");
  } finally {
    await sandbox.close();
  }
}

async function story(io: CommandIO, sandbox: Sandbox, folder: string): Promise<number> {
  const run = (dryRun: boolean, limit: number): Promise<number> =>
    sync(
      {
        sandbox: "both",
        runningSandbox: sandbox,
        quiet: true,
        dryRun,
        full: false,
        format: "table",
        detailedExitcode: false,
        waitSeconds: 0,
        limit,
      },
      io,
    );

  heading(io, "1. What would happen: sync --sandbox --dry-run");
  await run(true, 6);
  heading(io, "2. Do it: sync --sandbox");
  const first = await run(false, 3);
  heading(io, "3. A day passes in the company");
  for (const sentence of nextDay(sandbox)) print(io, `  ${sentence}`);
  heading(io, "4. The difference, person by person: sync --sandbox --dry-run");
  await run(true, 40);
  heading(io, "5. Send the difference, nothing else: sync --sandbox");
  const second = await run(false, 0);
  heading(io, "What to try next");
  for (const line of nextSteps(io, folder)) print(io, `  ${line}`);
  return first === exitCode.done ? second : first;
}

function heading(io: CommandIO, text: string): void {
  const color = io.stdout.isTTY === true && (io.env.NO_COLOR ?? "") === "";
  const line = `── ${text} ${"─".repeat(Math.max(0, 76 - text.length))}`;
  print(io, `\n${color ? styleText("cyan", line, { validateStream: false }) : line}`);
}

function nextSteps(io: CommandIO, folder: string): readonly string[] {
  const again = io.env.npm_lifecycle_event === "start" ? "npm start" : commandLine("demo");
  const steps = [
    [again, "the next day of the same company"],
    [commandLine("sync --sandbox --dry-run --format json"), "the plan for a program"],
    [commandLine("daemon --sandbox"), "the dashboard, at http://127.0.0.1:9464"],
    [commandLine("sync --sandbox=lattice --dry-run"), "your own directory, an embedded Lattice"],
    [commandLine("config init"), "a configuration file for your tenant"],
    [`rm ${inShell(`${folder}/`)}*sandbox*`, "a new company"],
  ] as const;
  const width = Math.max(...steps.map(([typed]) => typed.length)) + 2;
  return steps.map(([typed, meaning]) => `${typed.padEnd(width)}${meaning}`);
}
