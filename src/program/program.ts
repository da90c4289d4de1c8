import type { CommandIO } from "../process/io.ts";
import { packageVersion } from "../process/package-root.ts";
import { addAccountCommands } from "./account-commands.ts";
import { addCycleCommands } from "./cycle-commands.ts";
import { DocumentedCommand, type Finish } from "./documented-command.ts";
import { addLookCommands } from "./look-commands.ts";
import { addRevertCommand } from "./revert-command.ts";
import { addSettingCommands } from "./setting-commands.ts";
import { addShellCommands } from "./shell-commands.ts";
import { addStateCommands } from "./state-commands.ts";

/**
 * The commands and their flags, and nothing more: each command is loaded when it is called. The help, the completion for
 * shells and the manual page are made from it.
 * @param finish takes the exit code of the command that ran
 */
export function createProgram(io: CommandIO, finish: Finish): DocumentedCommand {
  const program = new DocumentedCommand("azure-lattice-sync")
    .description("Keeps Lattice accounts equal to an Entra ID (Azure AD) directory.")
    .version(packageVersion(), "-V, --version")
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError(true)
    .manual({
      examples: [
        ["azure-lattice-sync demo", "the whole job on an invented company"],
        ["azure-lattice-sync config init", "a first configuration file"],
        ["azure-lattice-sync check", "test credentials and connections"],
        ["azure-lattice-sync sync --dry-run", "what would change"],
        ["azure-lattice-sync daemon", "run cycles on the schedule"],
      ],
    });
  addCycleCommands(program, io, finish);
  addRevertCommand(program, io, finish);
  addLookCommands(program, io, finish);
  addAccountCommands(program, io, finish);
  addSettingCommands(program, io, finish);
  addStateCommands(program, io, finish);
  addShellCommands(program, io, finish);
  return program;
}
