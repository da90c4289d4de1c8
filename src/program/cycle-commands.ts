import { Option } from "commander";
import type { CommandIO } from "../process/io.ts";
import type { DocumentedCommand, Finish } from "./documented-command.ts";
import { configOption, formatOption, people, reason, sandboxOption, seconds } from "./options.ts";

/** Commands that run cycles: `sync`, `release`, `daemon`, `demo`. */
export function addCycleCommands(program: DocumentedCommand, io: CommandIO, finish: Finish): void {
  program
    .command("sync")
    .description("run one cycle now")
    .addOption(configOption())
    .option("--dry-run", "plan only: writes nothing anywhere", false)
    .option("--full", "read both ends in full, whatever the watermark says", false)
    .option(
      "--user <person...>",
      "up to 20 people on demand, by user principal name, object id or a name: a dry run first, then a question",
    )
    .option("--yes", "with --user: send it without a question", false)
    .addOption(formatOption())
    .option("--out <file>", "write the report to a file")
    .option("--detailed-exitcode", "with --dry-run: exit 2 where changes are pending", false)
    .option("--wait <seconds>", "wait for another run to end", seconds, 0)
    .addOption(sandboxOption())
    .addOption(new Option("--people <number>", "size of a new sandbox company").argParser(people))
    .manual({
      examples: [
        ["azure-lattice-sync sync --dry-run", "what would change, person by person"],
        ["azure-lattice-sync sync --dry-run --format json --out plan.json"],
        ["azure-lattice-sync sync --user kim.example@example.com", "shows it, and asks on a terminal"],
        ["azure-lattice-sync sync --user kim.example@example.com sam.example@example.com --yes"],
        ["azure-lattice-sync sync --sandbox=lattice --dry-run", "your own directory, an embedded Lattice"],
      ],
      exitCodes:
        "0 done, 1 error, 2 changes pending (--detailed-exitcode), 3 held by the guard, 4 some people failed, 5 another run holds the lease, 64 wrong usage or configuration, 130/143 interrupted",
    })
    .action(async (options) => {
      const { sync } = await import("../commands/sync.ts");
      finish(await sync({ ...options, waitSeconds: options.wait }, io));
    });

  program
    .command("release")
    .description("release what the guard holds of one plan, and run a cycle")
    .argument("<plan-id>", "the held plan; status names it")
    .addOption(configOption())
    .option("--only <users...>", "only these people, by user principal name or object id")
    .option("--reject <users...>", "do not send what is held of these people, as long as it is due as it was")
    .option("--undo-reject <users...>", "take back whatever was rejected of these people, and weigh it again")
    .addOption(
      new Option("--reason <text>", "why: kept with who decided, shown in history and told").argParser(
        reason,
      ),
    )
    .option("--dry-run", "show what would go: writes nothing anywhere", false)
    .addOption(formatOption())
    .option("--out <file>", "write the report to a file")
    .option("--wait <seconds>", "wait for another run to end", seconds, 0)
    .addOption(sandboxOption())
    .manual({
      notes:
        "With neither --only nor --reject everything that the plan holds is released; with --reject or --undo-reject alone, nothing is. A change is released only while it is still the same. Exit codes are those of sync.",
      examples: [
        ["azure-lattice-sync status", "what is held, of whom and why; and the id of the plan"],
        ["azure-lattice-sync release PLAN_ID --dry-run", "what would go"],
        ["azure-lattice-sync release PLAN_ID"],
        ["azure-lattice-sync release PLAN_ID --only kim.example@example.com"],
        ["azure-lattice-sync release PLAN_ID --reject kim.example@example.com"],
        ["azure-lattice-sync release PLAN_ID --reason ticket-4711", "why, for whoever asks later"],
        ["azure-lattice-sync release PLAN_ID --undo-reject kim.example@example.com", "she is weighed again"],
      ],
    })
    .action(async (planId: string, options) => {
      const { release } = await import("../commands/release.ts");
      finish(await release({ ...options, planId, waitSeconds: options.wait }, io));
    });

  program
    .command("daemon")
    .description("run cycles on the schedule until stopped")
    .addOption(configOption())
    .option("--listen <address>", "address and port, or unix:PATH, of the dashboard, API, health and metrics")
    .addOption(sandboxOption())
    .manual({
      notes: "SIGTERM and SIGINT finish the writes in flight; a second one does not wait.",
      examples: [
        ["azure-lattice-sync daemon"],
        ["azure-lattice-sync daemon --config /etc/azure-lattice-sync/config.yaml --listen 127.0.0.1:9464"],
        ["azure-lattice-sync daemon --sandbox", "a rehearsal with an invented company"],
      ],
    })
    .action(async (options) => {
      const { daemon } = await import("../daemon/daemon.ts");
      finish(await daemon(options, io));
    });

  program
    .command("demo")
    .description("the whole job on an invented company: dry run, sync, a day passes, dry run, sync")
    .option("--bad-day", "half of the company falls out of the scope by mistake: the guard at work", false)
    .manual({
      notes: "Nothing is asked and nothing outside this machine is touched.",
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
