import { Argument } from "commander";
import type { CommandIO } from "../process/io.ts";
import type { DocumentedCommand, Finish } from "./documented-command.ts";

/** Commands for the shell that the program is called from: `completion`. */
export function addShellCommands(program: DocumentedCommand, io: CommandIO, finish: Finish): void {
  program
    .command("completion")
    .description("print a script that completes commands, options, files and jobs in a shell")
    .addArgument(new Argument("<shell>", "the shell").choices(["bash", "zsh", "fish"]))
    .manual({
      notes:
        "The script calls the program only for the names of jobs (config jobs). Print it again after an update.",
      examples: [
        [
          "azure-lattice-sync completion bash > ~/.local/share/bash-completion/completions/azure-lattice-sync",
        ],
        ["azure-lattice-sync completion zsh > ~/.zfunc/_azure-lattice-sync", "a folder of fpath"],
        ["azure-lattice-sync completion fish > ~/.config/fish/completions/azure-lattice-sync.fish"],
      ],
    })
    .action(async (shell: "bash" | "zsh" | "fish") => {
      const { completion } = await import("./completion/completion.ts");
      finish(completion({ shell, program }, io));
    });
}
