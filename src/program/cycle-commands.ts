import { Option } from "commander";
import type { CommandIO } from "../process/io.ts";
import type { DocumentedCommand, Finish } from "./documented-command.ts";
import {
  anyJobOption,
  canaryPeople,
  configOption,
  formatOption,
  jobOption,
  people,
  reason,
  sandboxOption,
  seconds,
} from "./options.ts";

/** Commands that run cycles, or stop them from sending: `sync`, `release`, `pause`, `resume`, `daemon`, `demo`. */
export function addCycleCommands(program: DocumentedCommand, io: CommandIO, finish: Finish): void {
  program
    .command("sync")
    .description("run one cycle now")
    .addOption(configOption())
    .addOption(anyJobOption())
    .option("--dry-run", "plan only; write nothing", false)
    .option("--full", "read Entra and Lattice in full; ignore the watermark", false)
    .option(
      "--against <file>",
      "with --dry-run: plan with another configuration too, from the same data, and show who is planned otherwise",
    )
    .option("--offline", "with --against: plan from the last known data; send nothing", false)
    .option(
      "--user <person...>",
      "provision up to 20 people, by user principal name, object id or name: a dry run first, then a question",
    )
    .option(
      "--leavers",
      "only deactivate people who were disabled or deleted since the last read, as the daemon does between cycles",
      false,
    )
    .addOption(
      new Option(
        "--canary <number>",
        "send for this many people, evenly chosen, and hold everything else until it is released",
      ).argParser(canaryPeople),
    )
    .option("--yes", "with --user: send without a question", false)
    .addOption(formatOption())
    .option("--out <file>", "write the report to a file")
    .option("--detailed-exitcode", "with --dry-run: exit with 2 if changes are pending", false)
    .option("--wait <seconds>", "wait up to this long for another run to end", seconds, 0)
    .option("--here", "run in this process, also if daemons share the job's database (PostgreSQL)", false)
    .addOption(sandboxOption())
    .addOption(new Option("--people <number>", "number of people in a new sandbox company").argParser(people))
    .manual({
      examples: [
        ["azure-lattice-sync sync --dry-run", "what would change, person by person"],
        ["azure-lattice-sync sync --dry-run --format json --out plan.json"],
        [
          "azure-lattice-sync sync --user kim.example@example.com",
          "shows the changes, and asks on a terminal",
        ],
        ["azure-lattice-sync sync --user kim.example@example.com sam.example@example.com --yes"],
        [
          "azure-lattice-sync sync --dry-run --against new.yaml",
          "who would be planned otherwise, attribute by attribute",
        ],
        ["azure-lattice-sync sync --dry-run --against new.yaml --offline", "from the last known data"],
        [
          "azure-lattice-sync sync --canary 10",
          "10 people and leavers first; release sends the rest (rollout.canary does it after each change)",
        ],
        [
          "azure-lattice-sync sync --leavers",
          "only who was disabled or deleted: for a timer every 5 minutes, next to that of sync",
        ],
        ["azure-lattice-sync sync --job emea", "one of several jobs; without --job all, one after another"],
        ["azure-lattice-sync sync --job emea --here", "not by one of the daemons that share its database"],
        ["azure-lattice-sync sync --sandbox=lattice --dry-run", "your own directory, an embedded Lattice"],
      ],
      exitCodes:
        "0 done, 1 error, 2 changes pending (--detailed-exitcode), 3 held by the guard, 4 some people failed, 5 another run holds the lease, 6 sending is paused, 64 wrong usage or configuration, 130/143 interrupted. With several jobs, the worst of theirs: 64, 1, 5, 3, 6, 4, 2, 0",
    })
    .action(async (options) => {
      const { sync } = await import("../commands/sync.ts");
      finish(await sync({ ...options, waitSeconds: options.wait }, io));
    });

  program
    .command("release")
    .description("release what the guard holds of a plan, and run a cycle")
    .argument("<plan-id>", "id of the held plan (see status)")
    .addOption(configOption())
    .addOption(jobOption())
    .option("--only <users...>", "release only these people, by user principal name or object id")
    .option(
      "--reject <users...>",
      "reject the held changes of these people: they are not sent while they stay the same",
    )
    .option(
      "--undo-reject <users...>",
      "undo the rejections of these people: the guard checks the changes again",
    )
    .addOption(
      new Option(
        "--reason <text>",
        "reason for the decision: kept with who decided, shown in history and in notifications",
      ).argParser(reason),
    )
    .option("--dry-run", "show what would be sent; write nothing", false)
    .addOption(formatOption())
    .option("--out <file>", "write the report to a file")
    .option("--wait <seconds>", "wait up to this long for another run to end", seconds, 0)
    .option("--here", "run in this process, also if daemons share the job's database (PostgreSQL)", false)
    .addOption(sandboxOption())
    .manual({
      notes:
        "Without --only and --reject, everything that the plan holds is released. With --reject or --undo-reject alone, nothing is released. A change is released only if it is still the same. The exit codes are those of sync.",
      examples: [
        ["azure-lattice-sync status", "what is held and why, and the id of the plan"],
        ["azure-lattice-sync release PLAN_ID --dry-run", "what would be sent"],
        ["azure-lattice-sync release PLAN_ID"],
        ["azure-lattice-sync release PLAN_ID --only kim.example@example.com"],
        ["azure-lattice-sync release PLAN_ID --reject kim.example@example.com"],
        ["azure-lattice-sync release PLAN_ID --reason ticket-4711", "the reason is kept with the decision"],
        ["azure-lattice-sync release PLAN_ID --here", "not by one of the daemons that share its database"],
        [
          "azure-lattice-sync release PLAN_ID --undo-reject kim.example@example.com",
          "the guard checks the changes again",
        ],
      ],
    })
    .action(async (planId: string, options) => {
      const { release } = await import("../commands/release.ts");
      finish(await release({ ...options, planId, waitSeconds: options.wait }, io));
    });

  program
    .command("pause")
    .description("pause sending to Lattice: cycles go on reading and planning")
    .addOption(configOption())
    .addOption(anyJobOption())
    .addOption(
      new Option("--reason <text>", "reason, shown wherever the pause is shown")
        .argParser(reason)
        .makeOptionMandatory(),
    )
    .option("--until <time>", "end by itself at this time (UTC, or with a zone), or after this long (2h)")
    .option("--leavers-too", "do not deactivate people who are disabled or deleted in Entra either", false)
    .addOption(sandboxOption())
    .manual({
      notes:
        "It works at once, also while a cycle runs: that sends what it has begun, at most two batches. The pause is kept over restarts. While sending is paused, sync ends with exit code 6; sync --user and a release are refused.",
      examples: [
        ["azure-lattice-sync pause --reason reorganisation --until 2h"],
        ["azure-lattice-sync pause --reason ticket-4711 --until 2030-01-31T08:30Z --leavers-too"],
        ["azure-lattice-sync status", "whether sending is paused, by whom and why"],
      ],
      exitCodes: "0 paused, 64 wrong usage or configuration, 1 the state database cannot be written",
    })
    .action(async (options) => {
      const { pause } = await import("../commands/pause.ts");
      finish(await pause(options, io));
    });

  program
    .command("resume")
    .description("end a pause of sending; the next cycle sends what is due")
    .addOption(configOption())
    .addOption(anyJobOption())
    .addOption(
      new Option("--reason <text>", "reason, shown in the log and in notifications").argParser(reason),
    )
    .addOption(sandboxOption())
    .manual({
      examples: [["azure-lattice-sync resume"], ["azure-lattice-sync resume --job emea"]],
      exitCodes:
        "0 resumed, or sending was not paused; 64 wrong usage or configuration; 1 the state database cannot be written",
    })
    .action(async (options) => {
      const { resume } = await import("../commands/pause.ts");
      finish(await resume(options, io));
    });

  program
    .command("daemon")
    .description("run cycles on the schedule until stopped")
    .addOption(configOption())
    .addOption(anyJobOption())
    .option("--listen <address>", "address and port, or unix:PATH, of the dashboard, API, health and metrics")
    .addOption(sandboxOption())
    .manual({
      notes:
        "On SIGTERM or SIGINT the daemon finishes the writes in flight and stops; a second signal stops it at once. SIGHUP reloads the configuration.",
      examples: [
        ["azure-lattice-sync daemon"],
        ["azure-lattice-sync daemon --config /etc/azure-lattice-sync/config.yaml --listen 127.0.0.1:9464"],
        ["azure-lattice-sync daemon --job emea", "only one of several jobs"],
        ["azure-lattice-sync daemon --sandbox", "a rehearsal with an invented company"],
      ],
    })
    .action(async (options) => {
      const { daemon } = await import("../commands/daemon.ts");
      finish(await daemon(options, io));
    });

  program
    .command("demo")
    .description("show the whole job on an invented company: dry run, sync, a day passes, dry run, sync")
    .addOption(jobOption())
    .option(
      "--bad-day",
      "show the guard at work: a mistake in Entra removes half of the company from the scope",
      false,
    )
    .manual({
      notes: "The demo asks no questions and touches nothing outside this machine.",
      examples: [
        ["azure-lattice-sync demo"],
        [
          "azure-lattice-sync demo --bad-day",
          "a mistake in Entra, what the guard holds, and what to do about it",
        ],
      ],
    })
    .action(async (options) => {
      const { demo } = await import("../commands/demo.ts");
      finish(await demo(options, io));
    });
}
