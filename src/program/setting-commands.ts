import { Option } from "commander";
import type { CommandIO } from "../process/io.ts";
import type { DocumentedCommand, Finish } from "./documented-command.ts";
import { anyJobOption, configOption, jobOption, sandboxOption } from "./options.ts";

/** Commands for the settings of the program: `mapping`, `config`, `notify`. */
export function addSettingCommands(program: DocumentedCommand, io: CommandIO, finish: Finish): void {
  const notify = program
    .command("notify")
    .description("notifications: test")
    .manual({ examples: [["azure-lattice-sync notify test"]] });
  notify
    .command("test")
    .description("send a test message to each receiver, and print the answers")
    .addOption(configOption())
    .addOption(anyJobOption())
    .option("--receiver <name>", "test only this receiver")
    .manual({
      examples: [
        ["azure-lattice-sync notify test"],
        ["azure-lattice-sync notify test --receiver siem", "to one receiver"],
      ],
      exitCodes: "0 every receiver accepted the message, 1 at least one did not",
    })
    .action(async (options) => {
      const { notifyTest } = await import("../commands/notify.ts");
      finish(await notifyTest(options, io));
    });

  const mapping = program
    .command("mapping")
    .description("the attribute mapping: test, import, functions")
    .manual({
      examples: [
        ["azure-lattice-sync mapping test"],
        ["azure-lattice-sync mapping import schema.json --out config/azure-lattice-sync.yaml"],
      ],
    });
  mapping
    .command("test")
    .description("run the test cases of the mapping: each has a source user and the expected Lattice user")
    .addOption(configOption())
    .addOption(jobOption())
    .option(
      "--cases <files...>",
      "files with test cases (default: *.mapping-test.yaml next to the configuration)",
    )
    .addOption(new Option("--format <format>", "report format").choices(["table", "json"]).default("table"))
    .option("--record <person>", "do not run cases: make one from a person, with made-up values")
    .option("--out <file>", "with --record: write the case to a new file instead of stdout")
    .option("--keep <attributes...>", "with --record: keep the real values of these Entra attributes")
    .addOption(sandboxOption())
    .manual({
      examples: [
        ["azure-lattice-sync mapping test"],
        ["azure-lattice-sync mapping test --cases contractors.mapping-test.yaml"],
        [
          "azure-lattice-sync mapping test --record kim.example@example.com --keep department --out kim.mapping-test.yaml",
        ],
      ],
      exitCodes: "0 all cases pass, 1 a case fails, 64 a file is malformed or there are no cases",
    })
    .action(async (options) => {
      const { mappingTest } = await import("../commands/mapping-test.ts");
      finish(await mappingTest(options, io));
    });
  mapping
    .command("import")
    .description("make a mapping, filters and actions from a provisioning schema exported from Entra")
    .argument("<file>", "the exported JSON")
    .option("--out <file>", "write the configuration to a new file instead of stdout")
    .manual({
      notes: "Notes on stderr say what was left out and what you must set by hand.",
      examples: [
        ["azure-lattice-sync mapping import schema.json"],
        ["azure-lattice-sync mapping import schema.json --out config/azure-lattice-sync.yaml"],
      ],
    })
    .action(async (file: string, options) => {
      const { mappingImport } = await import("../commands/mapping.ts");
      finish(mappingImport({ ...options, file }, io));
    });
  mapping
    .command("functions")
    .description("list the functions of the expression language, with an example each")
    .addOption(new Option("--format <format>", "report format").choices(["table", "json"]).default("table"))
    .manual({
      examples: [
        ["azure-lattice-sync mapping functions"],
        ["azure-lattice-sync mapping functions --format json"],
      ],
    })
    .action(async (options) => {
      const { mappingFunctions } = await import("../commands/mapping.ts");
      finish(mappingFunctions(options, io));
    });

  const config = program
    .command("config")
    .description("the configuration: check, show, jobs, diff, schema, init")
    .manual({ examples: [["azure-lattice-sync config init"], ["azure-lattice-sync config check"]] });
  config
    .command("check")
    .description("test the configuration without sending a request")
    .addOption(configOption())
    .addOption(anyJobOption())
    .manual({
      examples: [["azure-lattice-sync config check"], ["azure-lattice-sync config check --config new.yaml"]],
    })
    .action(async (options) => {
      const { configCheck } = await import("../commands/config.ts");
      finish(await configCheck(options, io));
    });
  config
    .command("show")
    .description("print the configuration in force, secrets masked")
    .addOption(configOption())
    .addOption(jobOption())
    .manual({ examples: [["azure-lattice-sync config show"]] })
    .action(async (options) => {
      const { configShow } = await import("../commands/config.ts");
      finish(await configShow(options, io));
    });
  config
    .command("jobs")
    .description("print the names of the jobs, one a line")
    .addOption(configOption())
    .manual({
      notes: "A fault elsewhere in the configuration keeps no name from being printed.",
      examples: [["azure-lattice-sync config jobs"], ["azure-lattice-sync config jobs --config new.yaml"]],
    })
    .action(async (options) => {
      const { configJobs } = await import("../commands/config-jobs.ts");
      finish(configJobs(options, io));
    });
  config
    .command("diff")
    .description("show what another configuration changes, and whether everybody is planned again")
    .argument("<other>", "the new configuration file")
    .addOption(configOption())
    .addOption(anyJobOption())
    .addOption(new Option("--format <format>", "report format").choices(["table", "json"]).default("table"))
    .option("--detailed-exitcode", "exit with 2 if the configurations differ", false)
    .manual({
      notes:
        "Nothing is sent, and no database is opened. A secret that differs is only said to have changed. Environment variables count for both.",
      examples: [
        ["azure-lattice-sync config diff new.yaml"],
        ["azure-lattice-sync config diff new.yaml --format json --detailed-exitcode"],
      ],
      exitCodes: "0 done, 2 the configurations differ (--detailed-exitcode), 64 wrong usage or configuration",
    })
    .action(async (other: string, options) => {
      const { configDiff } = await import("../commands/config-diff.ts");
      finish(await configDiff({ ...options, other }, io));
    });
  config
    .command("schema")
    .description("print the JSON Schema, for editors")
    .manual({ examples: [["azure-lattice-sync config schema > azure-lattice-sync.schema.json"]] })
    .action(async () => {
      const { configSchema } = await import("../commands/config.ts");
      finish(await configSchema(io));
    });
  config
    .command("init")
    .description("write a first, commented configuration file")
    .addOption(configOption())
    .manual({
      examples: [
        ["azure-lattice-sync config init"],
        ["azure-lattice-sync config init --config /etc/azure-lattice-sync/config.yaml"],
      ],
    })
    .action(async (options) => {
      const { configInit } = await import("../commands/config.ts");
      finish(await configInit(options, io));
    });
}
