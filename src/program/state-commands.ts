import type { CommandIO } from "../process/io.ts";
import type { DocumentedCommand, Finish } from "./documented-command.ts";
import { configOption, jobOption, sandboxOption, seconds } from "./options.ts";

/** Commands for the state database: `state`. */
export function addStateCommands(program: DocumentedCommand, io: CommandIO, finish: Finish): void {
  const state = program
    .command("state")
    .description("the state database: check, backup, restore, rebuild, export, import")
    .manual({
      examples: [["azure-lattice-sync state check"], ["azure-lattice-sync state backup /backups/state.db"]],
    });
  state
    .command("check")
    .description("check the whole database for damage")
    .addOption(configOption())
    .addOption(jobOption())
    .addOption(sandboxOption())
    .manual({ examples: [["azure-lattice-sync state check"]] })
    .action(async (options) => {
      const { stateCheck } = await import("../commands/state.ts");
      finish(await stateCheck(options, io));
    });
  state
    .command("backup")
    .description("copy the database, also while a daemon runs")
    .argument("<file>", "path of the backup")
    .option("--force", "overwrite an existing file", false)
    .addOption(configOption())
    .addOption(jobOption())
    .addOption(sandboxOption())
    .manual({
      examples: [
        ["azure-lattice-sync state backup /backups/state.db"],
        ["azure-lattice-sync state backup /backups/state.db --force"],
      ],
    })
    .action(async (file: string, options) => {
      const { stateBackup } = await import("../commands/state.ts");
      finish(await stateBackup({ ...options, file }, io));
    });
  state
    .command("restore")
    .description("replace the database with a backup; the previous one is kept under a dated name")
    .argument("<file>", "the backup")
    .option("--wait <seconds>", "wait up to this long for another run to end", seconds, 0)
    .addOption(configOption())
    .addOption(jobOption())
    .addOption(sandboxOption())
    .manual({
      examples: [
        ["azure-lattice-sync state restore /backups/state.db"],
        ["azure-lattice-sync state restore /backups/state.db --wait 60", "wait a minute for a run to end"],
      ],
    })
    .action(async (file: string, options) => {
      const { stateRestore } = await import("../commands/state.ts");
      finish(await stateRestore({ ...options, file, waitSeconds: options.wait }, io));
    });
  state
    .command("rebuild")
    .description(
      "set a damaged database aside, or remove the state from PostgreSQL; the next sync finds the links again by matching",
    )
    .option("--yes", "set it aside even if it is sound", false)
    .option("--wait <seconds>", "wait up to this long for another run to end", seconds, 0)
    .addOption(configOption())
    .addOption(jobOption())
    .addOption(sandboxOption())
    .manual({
      examples: [
        ["azure-lattice-sync state rebuild"],
        ["azure-lattice-sync state rebuild --yes", "even if the database is sound"],
      ],
    })
    .action(async (options) => {
      const { stateRebuild } = await import("../commands/state.ts");
      finish(await stateRebuild({ ...options, waitSeconds: options.wait }, io));
    });
  state
    .command("export")
    .description(
      "write the state to a new SQLite file, to move it to another store; also while a daemon runs",
    )
    .argument("<file>", "path of the new file")
    .option("--force", "overwrite an existing file", false)
    .addOption(configOption())
    .addOption(jobOption())
    .addOption(sandboxOption())
    .manual({
      examples: [
        ["azure-lattice-sync state export /backups/state.db"],
        ["azure-lattice-sync state export /backups/state.db --force"],
      ],
    })
    .action(async (file: string, options) => {
      const { stateExport } = await import("../commands/state-move.ts");
      finish(await stateExport({ ...options, file }, io));
    });
  state
    .command("import")
    .description(
      "put a state that was exported, or any state database, into the empty state of this configuration",
    )
    .argument("<file>", "the SQLite file; it is not changed")
    .option("--dry-run", "check everything, say what would be imported, and write nothing", false)
    .option("--outdated", "runs have gone on since the export: read everything again", false)
    .option("--wait <seconds>", "wait up to this long for another run to end", seconds, 0)
    .addOption(configOption())
    .addOption(jobOption())
    .addOption(sandboxOption())
    .manual({
      examples: [
        ["azure-lattice-sync state import state/azure-lattice-sync.db --dry-run"],
        [
          "azure-lattice-sync state import state/azure-lattice-sync.db",
          "move from a file to PostgreSQL (state.url)",
        ],
        [
          "azure-lattice-sync state import /backups/state.db --outdated",
          "bring back an export of last night",
        ],
      ],
    })
    .action(async (file: string, options) => {
      const { stateImport } = await import("../commands/state-move.ts");
      finish(await stateImport({ ...options, file, waitSeconds: options.wait }, io));
    });
}
