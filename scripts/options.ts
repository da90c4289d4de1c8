import { type ParseArgsOptionDescriptor, parseArgs } from "node:util";

/** An option of a script, with what it is for. */
interface Option extends ParseArgsOptionDescriptor {
  readonly about: string;
}

interface Described<Options> {
  /** A sentence that says what the script does. */
  readonly about: string;
  readonly options: Options;
}

type Values<Options extends Readonly<Record<string, Option>>> = ReturnType<
  typeof parseArgs<{ options: Options }>
>["values"];

/** The options of this script. With `--help`, or an option that it does not have, the process ends with the usage. */
export function optionsOf<const Options extends Readonly<Record<string, Option>>>(
  described: Described<Options>,
): Values<Options> {
  return argumentsOf(described, false).values;
}

/** The same for a script that takes names too. */
export function optionsAndNamesOf<const Options extends Readonly<Record<string, Option>>>(
  described: Described<Options>,
): { readonly values: Values<Options>; readonly names: readonly string[] } {
  return argumentsOf(described, true);
}

function argumentsOf<const Options extends Readonly<Record<string, Option>>>(
  { about, options }: Described<Options>,
  allowPositionals: boolean,
): { readonly values: Values<Options>; readonly names: readonly string[] } {
  const usage = usageOf(about, options);
  if (process.argv.slice(2).some((one) => one === "--help" || one === "-h")) {
    process.stdout.write(usage);
    process.exit(0);
  }
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals });
    return { values, names: positionals };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    process.stderr.write(`${error.message}\n\n${usage}`);
    process.exit(64);
  }
}

function usageOf(about: string, options: Readonly<Record<string, Option>>): string {
  const lines = Object.entries(options).map(([name, { type, default: given, about: what }]) => ({
    name: `--${name}${type === "string" ? " VALUE" : ""}`,
    what: typeof given === "string" ? `${what} (default: ${given})` : what,
  }));
  const width = Math.max(...lines.map(({ name }) => name.length));
  return `${about}\n\n${lines.map(({ name, what }) => `  ${name.padEnd(width)}  ${what}\n`).join("")}`;
}
