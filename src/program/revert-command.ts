import { Option } from "commander";
import type { CommandIO } from "../process/io.ts";
import type { DocumentedCommand, Finish } from "./documented-command.ts";
import { configOption, jobOption, reason, sandboxOption, seconds } from "./options.ts";

/** The command that takes back what a cycle did: `revert`. */
export function addRevertCommand(program: DocumentedCommand, io: CommandIO, finish: Finish): void {
  program
    .command("revert")
    .description(
      "take back what a cycle did, as far as Lattice still has it: a preview first, then a question",
    )
    .argument("<cycle-or-plan>", "number of a cycle (see history), or the id of its plan")
    .addOption(configOption())
    .addOption(jobOption())
    .option("--only <users...>", "only these people, by user principal name or object id")
    .option("--deactivate-created", "deactivate the accounts that the cycle created", false)
    .option("--dry-run", "show what would be sent, from the state database alone; write nothing", false)
    .option("--yes", "send without a preview and a question", false)
    .option("--release", "send although it exceeds limits of the guard", false)
    .addOption(
      new Option("--reason <text>", "reason: kept with who ordered it, shown in history and user").argParser(
        reason,
      ),
    )
    .addOption(new Option("--format <format>", "output format").choices(["table", "json"]).default("table"))
    .option("--out <file>", "write to a file")
    .option("--wait <seconds>", "wait up to this long for another run to end", seconds, 0)
    .option("--here", "run in this process, also if daemons share the job's database (PostgreSQL)", false)
    .addOption(sandboxOption())
    .manual({
      notes:
        "A value is taken back only if Lattice still has it as the cycle sent it. What is taken back is rejected: the next cycles leave it until the directory wants another value; release PLAN_ID --undo-reject, with the plan of the revert, ends that. It is sent whole or, if it exceeds a limit of the guard, not at all. Accounts of people who are disabled or deleted in Entra stay off, unless --only names them. With --dry-run no request is sent, and no credential is needed.",
      examples: [
        ["azure-lattice-sync history --limit 5", "the numbers of the last cycles"],
        ["azure-lattice-sync revert 1 --dry-run"],
        ["azure-lattice-sync revert 1 --dry-run --only kim.example@example.com --format json"],
        ["azure-lattice-sync revert 1 --dry-run --deactivate-created"],
        ["azure-lattice-sync revert 1", "a preview, then a question"],
        ["azure-lattice-sync revert 1 --yes --reason ticket-4711", "for scripts"],
        ["azure-lattice-sync revert 1 --here", "not by one of the daemons that share its database"],
      ],
      exitCodes:
        "as sync; 3 it exceeds a limit of the guard, and nothing was sent; 64 also if the cycle is not in the log or has changed nothing, state.logValues is not keep, or sending is paused",
    })
    .action(async (which: string, options) => {
      const { revert } = await import("../commands/revert.ts");
      finish(await revert({ ...options, which, waitSeconds: options.wait }, io));
    });
}
