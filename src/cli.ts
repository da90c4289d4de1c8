#!/usr/bin/env node
import { setFlagsFromString } from "node:v8";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { type CommandIO, exitCode } from "./commands/io.ts";
import { DomainError, InterruptedError, LeaseHeldError, UsageError } from "./domain/errors.ts";
import { packageVersion } from "./package-root.ts";

// Flags only: each command is loaded when it is called for. The one place where errors become exit codes.

// A sync waits for Lattice, not for the processor: a smaller heap is worth a fifth more work. Measured with 20,000
// people and both ends embedded: 187 MB instead of 385 MB at the peak, 26 s of processor time instead of 21 s.
setFlagsFromString("--memory-saver-mode");

const signalCodes = { SIGINT: 130, SIGTERM: 143 } as const;
const stop = new AbortController();
let stoppedBy: keyof typeof signalCodes | null = null;

const io: CommandIO = {
  env: process.env,
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stop.signal,
};

for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.on(name, () => {
    // The first asks to finish what is in flight, the second does not wait.
    if (stoppedBy !== null) process.exit(signalCodes[name]);
    stoppedBy = name;
    stop.abort(
      new InterruptedError(`stopped by ${name}; what was sent has been recorded, the next run goes on`),
    );
  });
}
// A reader that closes the pipe early (head) has seen enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCode.done);
  throw error;
});

const program = new Command("azure-lattice-sync")
  .description("Keeps Lattice accounts equal to an Entra ID (Azure AD) directory.")
  .version(packageVersion(), "-V, --version")
  .exitOverride()
  .configureHelp({ showGlobalOptions: true })
  .showSuggestionAfterError(true);

const configOption = () =>
  new Option("--config <file>", "configuration file (default: config/azure-lattice-sync.yaml)");
const sandboxOption = () =>
  new Option(
    "--sandbox [end]",
    "embedded Entra and Lattice with an invented company; =lattice: Lattice alone",
  )
    .choices(["both", "lattice"])
    .preset("both");

const formatOption = () =>
  new Option("--format <format>", "report format")
    .choices(["table", "json", "markdown", "html"])
    .default("table");

program
  .command("sync")
  .description("run one cycle now")
  .addOption(configOption())
  .option("--dry-run", "plan only: writes nothing anywhere", false)
  .option("--full", "read both ends in full, whatever the watermark says", false)
  .option("--user <upn-or-id...>", "up to 20 people on demand: a dry run first, then a question")
  .option("--yes", "with --user: send it without a question", false)
  .addOption(formatOption())
  .option("--out <file>", "write the report to a file")
  .option("--detailed-exitcode", "with --dry-run: exit 2 where changes are pending", false)
  .option("--wait <seconds>", "wait for another run to end", seconds, 0)
  .addOption(sandboxOption())
  .addOption(new Option("--people <number>", "size of a new sandbox company").argParser(people))
  .addHelpText(
    "after",
    `
Examples:
  azure-lattice-sync sync --dry-run                      what would change, person by person
  azure-lattice-sync sync --dry-run --format json --out plan.json
  azure-lattice-sync sync --user kim.example@example.com            shows it, and asks on a terminal
  azure-lattice-sync sync --user kim.example@example.com sam.example@example.com --yes

Exit codes: 0 done, 1 error, 2 changes pending (--detailed-exitcode), 3 held by the guard, 4 some people failed,
5 another run holds the lease, 64 wrong usage or configuration, 130/143 interrupted`,
  )
  .action(async (options) => {
    const { sync } = await import("./commands/sync.ts");
    finish(await sync({ ...options, waitSeconds: options.wait }, io));
  });

program
  .command("release")
  .description("let go what the guard holds of one plan, and run a cycle")
  .argument("<plan-id>", "the held plan; status names it")
  .addOption(configOption())
  .option("--only <users...>", "only these people, by user principal name or object id")
  .option("--reject <users...>", "leave these people alone until Entra says something new of them")
  .option("--dry-run", "show what would go: writes nothing anywhere", false)
  .addOption(formatOption())
  .option("--out <file>", "write the report to a file")
  .option("--wait <seconds>", "wait for another run to end", seconds, 0)
  .addOption(sandboxOption())
  .addHelpText(
    "after",
    `
With neither --only nor --reject everything that the plan holds is let go; with --reject alone, nothing is. A change is let
go only while it is still the same. Exit codes are those of sync.`,
  )
  .action(async (planId: string, options) => {
    const { release } = await import("./commands/release.ts");
    finish(await release({ ...options, planId, waitSeconds: options.wait }, io));
  });

program
  .command("daemon")
  .description("run cycles on the schedule until stopped")
  .addOption(configOption())
  .option("--listen <address>", "address and port of the dashboard, API, health and metrics")
  .addOption(sandboxOption())
  .action(async (options) => {
    const { daemon } = await import("./commands/daemon.ts");
    finish(await daemon(options, io));
  });

program
  .command("check")
  .description("test both credentials, permissions, clock, schema and database")
  .addOption(configOption())
  .addOption(sandboxOption())
  .action(async (options) => {
    const { check } = await import("./commands/check.ts");
    finish(await check(options, io));
  });

program
  .command("status")
  .description("last cycles, the next one, guard and retries")
  .addOption(configOption())
  .addOption(new Option("--format <format>", "output format").choices(["table", "json"]).default("table"))
  .addOption(sandboxOption())
  .action(async (options) => {
    const { status } = await import("./commands/status.ts");
    finish(await status(options, io));
  });

program
  .command("user")
  .description(
    "explain one person: source values, scope, mapping step by step, account, what is due, history",
  )
  .argument("<upn-or-id>", "user principal name, object id, Lattice id, or a userName in Lattice")
  .addOption(configOption())
  .option("--live", "ask both ends for this person now; writes nothing", false)
  .addOption(new Option("--format <format>", "output format").choices(["table", "json"]).default("table"))
  .addOption(sandboxOption())
  .addHelpText(
    "after",
    `
Without --live the state database alone is read, as the last cycle left it: nobody is asked, no credential is needed.

Examples:
  azure-lattice-sync user kim.example@example.com
  azure-lattice-sync user kim.example@example.com --live
  azure-lattice-sync user kim.example@example.com --format json | jq .decision

Exit codes: 0 explained, 1 nobody of this name or id is known (or an error)`,
  )
  .action(async (person: string, options) => {
    const { user } = await import("./commands/user.ts");
    finish(await user({ ...options, user: person }, io));
  });

program
  .command("history")
  .description("the provisioning log: what was done to whom, when and why")
  .addOption(configOption())
  .option("--user <upn-or-id>", "one person")
  .addOption(
    new Option("--action <actions...>", "only these actions").choices([
      "create",
      "update",
      "deactivate",
      "reactivate",
      "link",
    ]),
  )
  .addOption(
    new Option("--outcome <outcomes...>", "only what came to this").choices([
      "done",
      "failed",
      "held",
      "cancelled",
      "reported",
      "sending",
      "planned",
    ]),
  )
  .option("--since <time>", "a date, a time (UTC) or how long ago: 2026-01-31, 2026-01-31T08:30, 7d")
  .option("--until <time>", "the same; a date includes that day")
  .addOption(new Option("--cycle <id>", "one cycle").argParser(positive))
  .addOption(
    new Option("--limit <number>", "entries at most, the newest ones").argParser(positive).default(50),
  )
  .option("--all", "every entry", false)
  .addOption(
    new Option("--format <format>", "output format").choices(["table", "json", "csv"]).default("table"),
  )
  .option("--out <file>", "write to a file")
  .addOption(sandboxOption())
  .addHelpText(
    "after",
    `
Examples:
  azure-lattice-sync history --user kim.example@example.com
  azure-lattice-sync history --outcome failed --since 7d
  azure-lattice-sync history --action deactivate --since 2026-01-01 --all --format csv --out deactivations.csv`,
  )
  .action(async (options) => {
    const { history } = await import("./commands/history.ts");
    finish(await history(options, io));
  });

const notify = program.command("notify").description("notifications: test");
notify
  .command("test")
  .description("send a test message to each receiver, and print what each answered")
  .addOption(configOption())
  .option("--receiver <name>", "only this one")
  .action(async (options) => {
    const { notifyTest } = await import("./commands/notify.ts");
    finish(await notifyTest(options, io));
  });

const mapping = program.command("mapping").description("the attribute mapping: test, import, functions");
mapping
  .command("test")
  .description("run the cases of the mapping: a source user in, the expected Lattice user out")
  .addOption(configOption())
  .option("--cases <files...>", "files of cases (default: *.mapping-test.yaml beside the configuration)")
  .addOption(new Option("--format <format>", "report format").choices(["table", "json"]).default("table"))
  .option("--record <upn-or-id>", "make a case of a person, with made-up values, instead")
  .option("--out <file>", "with --record: write the case to a new file instead of stdout")
  .option("--keep <attributes...>", "with --record: Entra attributes whose values stay")
  .addOption(sandboxOption())
  .action(async (options) => {
    const { mappingTest } = await import("./commands/mapping-test.ts");
    finish(await mappingTest(options, io));
  });
mapping
  .command("import")
  .description("make mapping, filters and actions from a provisioning schema that Entra has exported")
  .argument("<file>", "the exported JSON")
  .option("--out <file>", "write the configuration to a new file instead of stdout")
  .action(async (file: string, options) => {
    const { mappingImport } = await import("./commands/mapping.ts");
    finish(mappingImport({ ...options, file }, io));
  });
mapping
  .command("functions")
  .description("list the functions of the expression language, with an example each")
  .addOption(new Option("--format <format>", "report format").choices(["table", "json"]).default("table"))
  .action(async (options) => {
    const { mappingFunctions } = await import("./commands/mapping.ts");
    finish(mappingFunctions(options, io));
  });

const config = program.command("config").description("the configuration: check, show, schema, init");
config
  .command("check")
  .description("test the configuration, asking nobody")
  .addOption(configOption())
  .action(async (options) => {
    const { configCheck } = await import("./commands/config.ts");
    finish(await configCheck(options, io));
  });
config
  .command("show")
  .description("print the configuration in force, secrets masked")
  .addOption(configOption())
  .action(async (options) => {
    const { configShow } = await import("./commands/config.ts");
    finish(await configShow(options, io));
  });
config
  .command("schema")
  .description("print the JSON Schema, for editors")
  .action(async () => {
    const { configSchema } = await import("./commands/config.ts");
    finish(await configSchema(io));
  });
config
  .command("init")
  .description("write a first, commented configuration file")
  .addOption(configOption())
  .action(async (options) => {
    const { configInit } = await import("./commands/config.ts");
    finish(await configInit(options, io));
  });

const state = program.command("state").description("the state database: check, backup, restore, rebuild");
state
  .command("check")
  .description("look the whole database through for damage")
  .addOption(configOption())
  .addOption(sandboxOption())
  .action(async (options) => {
    const { stateCheck } = await import("./commands/state.ts");
    finish(await stateCheck(options, io));
  });
state
  .command("backup")
  .description("copy the database, while a daemon runs or not")
  .argument("<file>", "where the backup goes")
  .option("--force", "overwrite an existing file", false)
  .addOption(configOption())
  .addOption(sandboxOption())
  .action(async (file: string, options) => {
    const { stateBackup } = await import("./commands/state.ts");
    finish(await stateBackup({ ...options, file }, io));
  });
state
  .command("restore")
  .description("put a backup in the place of the database, which is kept under a dated name")
  .argument("<file>", "the backup")
  .option("--wait <seconds>", "wait for another run to end", seconds, 0)
  .addOption(configOption())
  .addOption(sandboxOption())
  .action(async (file: string, options) => {
    const { stateRestore } = await import("./commands/state.ts");
    finish(await stateRestore({ ...options, file, waitSeconds: options.wait }, io));
  });
state
  .command("rebuild")
  .description("set a damaged database aside; the next sync finds its links by matching")
  .option("--yes", "set it aside although it is sound", false)
  .option("--wait <seconds>", "wait for another run to end", seconds, 0)
  .addOption(configOption())
  .addOption(sandboxOption())
  .action(async (options) => {
    const { stateRebuild } = await import("./commands/state.ts");
    finish(await stateRebuild({ ...options, waitSeconds: options.wait }, io));
  });

program
  .command("demo")
  .description("the whole job on an invented company: dry run, sync, a day passes, dry run, sync")
  .action(async () => {
    const { demo } = await import("./commands/demo.ts");
    finish(await demo(io));
  });

try {
  await program.parseAsync();
} catch (error) {
  finish(codeOf(error));
}

function finish(code: number): void {
  process.exitCode = code;
}

/** Says what went wrong, in a sentence, and gives the exit code for it. */
function codeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.usage;
  if (error instanceof DomainError) {
    process.stderr.write(`${error.message}\n`);
  } else {
    // A fault of this program: whoever mends it needs the trace.
    process.stderr.write(
      `azure-lattice-sync met an error of its own; please report it with what follows.\n${error instanceof Error ? error.stack : String(error)}\n`,
    );
  }
  if (stoppedBy !== null) return signalCodes[stoppedBy];
  if (error instanceof UsageError) return exitCode.usage;
  return error instanceof LeaseHeldError ? exitCode.leaseHeld : exitCode.error;
}

function seconds(text: string): number {
  const number = Number(text);
  if (!Number.isFinite(number) || number < 0)
    throw new InvalidArgumentError("a number of seconds, 0 or more.");
  return number;
}

function positive(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError("a whole number, 1 or more.");
  return number;
}

function people(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 20) throw new InvalidArgumentError("a whole number, 20 or more.");
  return number;
}
