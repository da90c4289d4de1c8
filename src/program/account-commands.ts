import { Option } from "commander";
import type { CommandIO } from "../process/io.ts";
import type { DocumentedCommand, Finish } from "./documented-command.ts";
import { configOption, jobOption, reason, sandboxOption, seconds } from "./options.ts";

/** Commands by which a person decides about single accounts: `protect`, `unprotect`, `link`, `unlink`. */
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

  program
    .command("link")
    .description("decide that a Lattice account is a user's; the next cycle links them")
    .argument("<user>", "user principal name or object id")
    .argument("<account>", "Lattice id or userName of the account")
    .addOption(configOption())
    .addOption(jobOption())
    .addOption(reasonOption("reason, shown wherever the decision is shown"))
    .option("--dry-run", "show what the next cycle would do; decide nothing", false)
    .addOption(linkFormatOption())
    .option("--wait <seconds>", "wait up to this long for another run to end", seconds, 0)
    .addOption(sandboxOption())
    .manual({
      notes:
        "Lattice is asked for the account, and nothing is sent. The next cycle adopts the account whatever matching says; a leaver's is deactivated. Refused are an account that is linked to another user, that Lattice does not have, or that is protected, and a user who is unknown or has an account: unlink first.",
      examples: [
        ["azure-lattice-sync accounts --kind nobodys unlinked", "accounts that are not linked, and why"],
        ["azure-lattice-sync link robin.example@example.com root@example.com --reason ticket-4711 --dry-run"],
        ["azure-lattice-sync link robin.example@example.com root@example.com --reason ticket-4711"],
      ],
      exitCodes:
        "0 decided, now or before; 5 another run holds the lease; 64 refused, or wrong usage or configuration; 1 error",
    })
    .action(async (user: string, account: string, options) => {
      const { decide } = await import("../commands/link.ts");
      finish(await decide({ ...options, user, account, waitSeconds: options.wait }, io));
    });

  program
    .command("unlink")
    .description("decide that the linked Lattice account is not a user's; matching does not link them again")
    .argument("<user>", "user principal name or object id")
    .addOption(configOption())
    .addOption(jobOption())
    .addOption(reasonOption("reason, shown wherever the decision is shown"))
    .option("--dry-run", "show what the next cycle would do; decide nothing", false)
    .addOption(linkFormatOption())
    .option("--wait <seconds>", "wait up to this long for another run to end", seconds, 0)
    .addOption(sandboxOption())
    .manual({
      notes:
        "Nothing is sent: the account stays as it is in Lattice. As long as it has the user's userName or externalId, the user is skipped (unlinked) and gets no other account; link takes the decision back.",
      examples: [
        ["azure-lattice-sync unlink kim.example@example.com --reason ticket-4711 --dry-run"],
        ["azure-lattice-sync unlink kim.example@example.com --reason ticket-4711"],
        ["azure-lattice-sync user kim.example@example.com", "what was decided, and what follows"],
      ],
      exitCodes:
        "0 decided; 5 another run holds the lease; 64 the user is unknown or has no account, or wrong usage or configuration; 1 error",
    })
    .action(async (user: string, options) => {
      const { decide } = await import("../commands/link.ts");
      finish(await decide({ ...options, user, waitSeconds: options.wait }, io));
    });
}

function linkFormatOption(): Option {
  return new Option("--format <format>", "output format").choices(["table", "json"]).default("table");
}

function reasonOption(text: string): Option {
  return new Option("--reason <text>", text).argParser(reason).makeOptionMandatory();
}
