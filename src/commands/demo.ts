import { dirname, relative } from "node:path";
import { styleText } from "node:util";
import type { LoggedOperation } from "../domain/operation.ts";
import { configuredJob } from "../job/configured-job.ts";
import { sandboxFile } from "../job/rehearsal.ts";
import { commandLine, inShell, placeFlags } from "../process/command-name.ts";
import { type CommandIO, exitCode, print } from "../process/io.ts";
import { readStatus } from "../report/status.ts";
import { badDay, nextDay } from "../sandbox/day.ts";
import { type Sandbox, startSandbox } from "../sandbox/sandbox.ts";
import { status } from "./status.ts";
import { sync } from "./sync.ts";

export interface DemoOptions {
  /** `--job`. */
  readonly job?: string | undefined;
  /** Half of the company falls out of the scope by mistake, and the guard has to hold it. */
  readonly badDay: boolean;
}

/**
 * Shows the main job on the embedded company: a dry run and a sync, a day passes, a dry run and a sync again. Everything is
 * kept in the state folder, so that the next demo is the next day.
 * @returns 0 if everything went as it should; on a bad day that means that the guard held
 */
export async function demo(options: DemoOptions, io: CommandIO): Promise<number> {
  const { config } = configuredJob(io, { job: options.job, sandbox: "both" });
  const sandbox = await startSandbox({ file: sandboxFile(config.state.path, "both") });
  try {
    // A relative path is shorter, and right as long as the command is typed in this folder.
    const folder = relative(io.cwd, dirname(config.state.path)) || ".";
    return await (options.badDay
      ? badStory(io, sandbox, options.job)
      : story(io, sandbox, folder, options.job));
  } finally {
    await sandbox.close();
  }
}

function runner(
  io: CommandIO,
  sandbox: Sandbox,
  job: string | undefined,
): (dryRun: boolean, limit: number) => Promise<number> {
  return (dryRun, limit) =>
    sync(
      {
        job,
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
}

async function story(io: CommandIO, sandbox: Sandbox, folder: string, job?: string): Promise<number> {
  const run = runner(io, sandbox, job);
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
  for (const line of nextSteps(io, folder, job)) print(io, `  ${line}`);
  // The first sync may hold changes of an earlier bad day; the day that passes settles them.
  return first === exitCode.done || first === exitCode.held ? second : first;
}

/** Shows a day on which a mistake in Entra would switch off half of the company if nothing stopped it. */
async function badStory(io: CommandIO, sandbox: Sandbox, job?: string): Promise<number> {
  const run = runner(io, sandbox, job);
  heading(io, "1. The company as it is: sync --sandbox");
  await run(false, 3);
  heading(io, "2. A bad day");
  for (const sentence of badDay(sandbox)) print(io, `  ${sentence}`);
  heading(io, "3. The sync at night: sync --sandbox");
  const night = await run(false, 4);
  if (night !== exitCode.held) {
    print(io, "\nThe guard holds nothing: what it held was decided before, or its limits were raised.");
    return night;
  }
  heading(io, "4. The status in the morning: status --sandbox");
  await status({ job, sandbox: "both", format: "table" }, io);
  heading(io, "What you can do about it");
  for (const [meaning, typed] of await decisions(io, job)) print(io, `  ${meaning}:\n    ${typed}`);
  return exitCode.done;
}

/** The possible decisions about the held plan: what each does, and its command. */
async function decisions(
  io: CommandIO,
  name: string | undefined,
): Promise<readonly (readonly [string, string])[]> {
  const job = configuredJob(io, { job: name, sandbox: "both" });
  const place = placeFlags({ job: name, sandbox: "both" });
  const store = await job.readState();
  if (store === null) return [];
  try {
    const { weighed, held } = await readStatus(store, job.config.schedule, job.clock.now(), {
      cycles: 1,
      mostHeld: Number.POSITIVE_INFINITY,
    });
    const isMistake = ({ evidence }: LoggedOperation): boolean => evidence?.kind === "leftScope";
    const someone = held.find(isMistake)?.userName ?? "";
    const leavers = held.filter((operation) => !isMistake(operation)).map(({ userName }) => userName);
    const release = (flags: string): string =>
      commandLine(`release ${weighed?.planId ?? ""}${place}${flags}`);
    return [
      ["Review it on the dashboard, and release or reject each person", commandLine(`daemon${place}`)],
      ["See why one person is held", commandLine(`user ${someone}${place}`)],
      ...(leavers.length === 0
        ? []
        : [
            [
              "Deactivate only the people who have really left",
              release(` --only ${leavers.join(" ")}`),
            ] as const,
          ]),
      ["Reject the deactivation of one person", release(` --reject ${someone}`)],
      ["See what a release would send", release(" --dry-run")],
      [
        "Wait for the next day: the mistake is corrected in Entra, and the deactivations are no longer due",
        commandLine(`demo${placeFlags({ job: name })}`),
      ],
    ];
  } finally {
    await store.close();
  }
}

function heading(io: CommandIO, text: string): void {
  const color = io.stdout.isTTY === true && (io.env.NO_COLOR ?? "") === "";
  const line = `── ${text} ${"─".repeat(Math.max(0, 76 - text.length))}`;
  print(io, `\n${color ? styleText("cyan", line, { validateStream: false }) : line}`);
}

function nextSteps(io: CommandIO, folder: string, job: string | undefined): readonly string[] {
  const [place, named] = [placeFlags({ job, sandbox: "both" }), placeFlags({ job })];
  const again =
    io.env.npm_lifecycle_event === "start" && job === undefined ? "npm start" : commandLine(`demo${named}`);
  const steps = [
    [again, "the next day of the same company"],
    [commandLine(`sync${place} --dry-run --format json`), "the plan as JSON"],
    [commandLine(`demo --bad-day${named}`), "half of the company disappears from Entra's groups"],
    [commandLine(`daemon${place}`), "the dashboard, at http://127.0.0.1:9464"],
    [commandLine(`sync --sandbox=lattice --dry-run${named}`), "your own directory, an embedded Lattice"],
    [commandLine("config init"), "a configuration file for your tenant"],
    [`rm ${inShell(`${folder}/`)}*sandbox*`, "a new company"],
  ] as const;
  const width = Math.max(...steps.map(([typed]) => typed.length)) + 2;
  return steps.map(([typed, meaning]) => `${typed.padEnd(width)}${meaning}`);
}
