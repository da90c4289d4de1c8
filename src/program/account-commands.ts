import { Option } from "commander";
import type { CommandIO } from "../process/io.ts";
import type { DocumentedCommand, Finish } from "./documented-command.ts";
import { configOption, jobOption, reason, sandboxOption } from "./options.ts";

/** Commands by which a person decides about single accounts: `protect`, `unprotect`. */
export function addAccountCommands(program: DocumentedCommand, io: CommandIO, finish: Finish): void {
  program
    .command("protect")
    .description("protect a Lattice account: nothing is ever sent to it, whatever the plan says")
    .argument("<account>", "Lattice id or userName of the account")
    .addOption(configOption())
    .addOption(jobOption())
    .addOption(reasonOption("reason, shown wherever the protection is shown"))
    .addOption(sandboxOption())
    .manual({
      notes:
        "For administrators and break-glass accounts. It works at once, also while a cycle runs, and is kept until unprotect. The account is neither updated, deactivated nor linked to another person; what is due for it is shown as skipped (protectedAccount). matching.protected in the configuration does the same, before the first cycle and after a lost database too.",
      examples: [
        ["azure-lattice-sync protect root@example.com --reason break-glass"],
        ["azure-lattice-sync accounts", "all accounts, and which of them are protected"],
        ["azure-lattice-sync unprotect root@example.com --reason ticket-4711"],
      ],
      exitCodes:
        "0 protected, now or before; 64 no such account is known, or wrong usage or configuration; 1 the state database cannot be written",
    })
    .action(async (account: string, options) => {
      const { protect } = await import("../commands/protect.ts");
      finish(await protect({ ...options, account }, io));
    });

  program
    .command("unprotect")
    .description("end the protection of a Lattice account; the next cycle sends what is due for it")
    .argument("<account>", "Lattice id or userName of the account")
    .addOption(configOption())
    .addOption(jobOption())
    .addOption(reasonOption("reason, shown in the log and in notifications"))
    .addOption(sandboxOption())
    .manual({
      examples: [
        ["azure-lattice-sync unprotect root@example.com --reason ticket-4711"],
        ["azure-lattice-sync sync --dry-run", "what is sent from then on"],
      ],
      exitCodes:
        "0 no longer protected, or it was not; 64 no such account is known, the configuration protects it, or wrong usage; 1 the state database cannot be written",
    })
    .action(async (account: string, options) => {
      const { unprotect } = await import("../commands/protect.ts");
      finish(await unprotect({ ...options, account }, io));
    });
}

function reasonOption(text: string): Option {
  return new Option("--reason <text>", text).argParser(reason).makeOptionMandatory();
}
