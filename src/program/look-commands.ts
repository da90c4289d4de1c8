import { Option } from "commander";
import type { CommandIO } from "../process/io.ts";
import type { DocumentedCommand, Finish } from "./documented-command.ts";
import { anyJobOption, configOption, jobOption, positive, sandboxOption } from "./options.ts";

/** Commands that only read: `check`, `status`, `user`, `history`, `accounts`. */
export function addLookCommands(program: DocumentedCommand, io: CommandIO, finish: Finish): void {
  program
    .command("check")
    .description("test credentials, permissions, clocks, schema and database")
    .addOption(configOption())
    .addOption(anyJobOption())
    .addOption(sandboxOption())
    .manual({
      examples: [
        ["azure-lattice-sync check"],
        ["azure-lattice-sync check --config /etc/azure-lattice-sync/config.yaml"],
      ],
      exitCodes: "0 all checks passed, 1 a check failed; its line says how to fix it",
    })
    .action(async (options) => {
      const { check } = await import("../commands/check.ts");
      finish(await check(options, io));
    });

  program
    .command("status")
    .description("show the last cycles, the next one, what the guard holds, and retries")
    .addOption(configOption())
    .addOption(anyJobOption())
    .addOption(new Option("--format <format>", "output format").choices(["table", "json"]).default("table"))
    .addOption(sandboxOption())
    .manual({
      examples: [
        ["azure-lattice-sync status", "with several jobs: a line for each, the nearest trouble first"],
        ["azure-lattice-sync status --job emea"],
        ["azure-lattice-sync status --format json | jq .guard"],
      ],
    })
    .action(async (options) => {
      const { status } = await import("../commands/status.ts");
      finish(await status(options, io));
    });

  program
    .command("user")
    .description(
      "explain one person: source values, scope, mapping step by step, account, what is due, history",
    )
    .argument(
      "<person>",
      "part of a name or e-mail address, user principal name, object id, Lattice id, or userName in Lattice",
    )
    .addOption(configOption())
    .addOption(jobOption())
    .option("--live", "ask Entra and Lattice about this person now; write nothing", false)
    .addOption(new Option("--format <format>", "output format").choices(["table", "json"]).default("table"))
    .addOption(sandboxOption())
    .manual({
      notes:
        "Without --live, only the state database is read, as the last cycle left it. No request is sent, and no credential is needed.",
      examples: [
        ["azure-lattice-sync user kim.example@example.com"],
        ["azure-lattice-sync user kim.example@example.com --live"],
        ["azure-lattice-sync user kim.example@example.com --format json | jq .decision"],
      ],
      exitCodes: "0 explained, 1 no person found, several people found (they are listed), or an error",
    })
    .action(async (person: string, options) => {
      const { user } = await import("../commands/user.ts");
      finish(await user({ ...options, user: person }, io));
    });

  program
    .command("history")
    .description("show the provisioning log: what was done to whom, when and why")
    .addOption(configOption())
    .addOption(jobOption())
    .option("--user <person>", "only one person: part of a name, a user name or an id")
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
      new Option("--outcome <outcomes...>", "only these outcomes").choices([
        "done",
        "failed",
        "held",
        "cancelled",
        "reported",
        "sending",
        "planned",
      ]),
    )
    .option("--since <time>", "from a date, a time (UTC) or a time ago: 2026-01-31, 2026-01-31T08:30, 7d")
    .option("--until <time>", "up to a date, a time or a time ago; a date includes that day")
    .addOption(new Option("--cycle <id>", "only one cycle").argParser(positive))
    .addOption(
      new Option("--limit <number>", "show at most this many entries, newest first")
        .argParser(positive)
        .default(50),
    )
    .option("--all", "show every entry", false)
    .addOption(
      new Option("--format <format>", "output format").choices(["table", "json", "csv"]).default("table"),
    )
    .option("--out <file>", "write to a file")
    .addOption(sandboxOption())
    .manual({
      examples: [
        ["azure-lattice-sync history --user kim.example@example.com"],
        ["azure-lattice-sync history --outcome failed --since 7d"],
        [
          "azure-lattice-sync history --action deactivate --since 2026-01-01 --all --format csv --out deactivations.csv",
        ],
      ],
    })
    .action(async (options) => {
      const { history } = await import("../commands/history.ts");
      finish(await history(options, io));
    });

  program
    .command("accounts")
    .description("show every Lattice account as last read, and whose it is: who has access, and who has left")
    .addOption(configOption())
    .addOption(jobOption())
    .addOption(
      new Option("--kind <kinds...>", "only these kinds").choices(["linked", "left", "unlinked", "nobodys"]),
    )
    .option("--active", "leave out accounts that are known to be inactive", false)
    .addOption(
      new Option("--format <format>", "output format").choices(["table", "json", "csv"]).default("table"),
    )
    .option("--out <file>", "write to a file")
    .addOption(sandboxOption())
    .manual({
      notes:
        "linked: to a person in scope. left: linked to a person who is disabled, deleted or out of scope. unlinked: not linked, although a user of the directory matches. nobodys: no user of the directory. Only the state database is read, as the last cycle left it; no request is sent.",
      examples: [
        ["azure-lattice-sync accounts --kind nobodys left --active"],
        ["azure-lattice-sync accounts --format csv --out accounts.csv"],
        ["azure-lattice-sync accounts --format json | jq .summary"],
      ],
    })
    .action(async (options) => {
      const { accounts } = await import("../commands/accounts.ts");
      finish(await accounts(options, io));
    });
}
