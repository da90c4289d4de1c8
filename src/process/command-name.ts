import { realpathSync, statSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";

/** Sets the command line for messages, if the program cannot know it: `docker exec NAME azure-lattice-sync`. */
export const commandVariable = "ALS_COMMAND";

const command = "azure-lattice-sync";

/** A command line that works in this installation, for messages. */
export function commandLine(args: string): string {
  const said = process.env[commandVariable] ?? "";
  return `${said === "" ? command : said} ${args}`;
}

/** The options that a command needs to work on the same configuration, ends and state as another command. */
export interface Place {
  readonly config?: string | undefined;
  readonly job?: string | undefined;
  readonly sandbox?: "both" | "lattice" | undefined;
}

/** The flags of a command that is to be called next in the same place, each after a space. */
export function placeFlags({ config, job, sandbox }: Place): string {
  const ends = sandbox === "lattice" ? " --sandbox=lattice" : sandbox === "both" ? " --sandbox" : "";
  const named = job === undefined ? "" : ` --job ${job}`;
  return `${ends}${config === undefined ? "" : ` --config ${inShell(config)}`}${named}`;
}

/** How a process was started. */
export interface Start {
  /** The script as Node received it. */
  readonly script: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder of the package that runs. */
  readonly packageRoot: string;
}

/** The command line that starts the same program in the same folder. */
export function commandOf({ script, cwd, env, packageRoot }: Start): string {
  const inPackage = cwd === packageRoot;
  if (script.endsWith(".ts")) return inPackage ? "npx node src/cli.ts" : `node ${inShell(script)}`;
  if (env.npm_lifecycle_event === "npx") return `npx ${command}`;
  if (isOnPath(script, env.PATH ?? "")) return command;
  if (inPackage && isFile(join(packageRoot, "src/cli.ts"))) return `npx ${command}`;
  return basename(script) === command ? inShell(script) : `node ${inShell(script)}`;
}

/** Whether a shell starts this script for the bare name. */
function isOnPath(script: string, path: string): boolean {
  const first = path
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, process.platform === "win32" ? `${command}.cmd` : command))
    .find(isFile);
  if (first === undefined) return false;
  // On Windows npm makes a script that starts ours from the folder of packages next to it.
  if (process.platform === "win32") return script.startsWith(dirname(first));
  return realpathSync(first) === realpathSync(script);
}

/** A file that this user may not look at counts as missing: PATH may name folders of other users. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Quotes a path, if necessary, so that a shell takes it for one word. */
export function inShell(path: string): string {
  return /[\s"'$`\\&|;<>()]/.test(path) ? JSON.stringify(path) : path;
}
