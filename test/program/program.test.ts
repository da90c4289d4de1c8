import { describe, expect, it } from "vitest";
import { pathOf } from "../../src/program/documented-command.ts";
import { everyCommand, quietProgram } from "./program.ts";

const commands = everyCommand(quietProgram()).map((command) => ({
  name: ["azure-lattice-sync", ...pathOf(command)].join(" "),
  command,
}));

describe.each(commands)("$name", ({ name, command }) => {
  it("describes what it does, and each of its options and arguments", () => {
    const texts = [command, ...command.options, ...command.registeredArguments].map((part) =>
      typeof part.description === "string" ? part.description : part.description(),
    );
    expect(texts.filter((text) => text.trim() === "")).toEqual([]);
  });

  it("has its own examples in its help", () => {
    const lines = (command.said?.examples ?? []).map(([line]) => line);
    expect(lines.some((line) => line.startsWith(name))).toBe(true);
    expect(helpOf(name)).toContain(`Examples:\n  ${lines[0]}`);
  });

  it.each((command.said?.examples ?? []).map(([line]) => line))("accepts %s", async (line) => {
    expect(await commandOf(line)).toMatch(/^azure-lattice-sync /);
  });
});

it.each([
  "azure-lattice-sync sync --dry",
  "azure-lattice-sync sync --format yaml",
  "azure-lattice-sync release",
  "azure-lattice-sync state backup a b",
  "azure-lattice-sync state repair",
])("would refuse the example %s", async (line) => {
  await expect(commandOf(line)).rejects.toThrow();
});

it.each([
  ["azure-lattice-sync user --sandbox=kim.example@example.com", /It must be both or lattice\./],
  ["azure-lattice-sync sync --wait soon", /'soon' is invalid\. It must be a number of seconds, 0 or more\./],
  [
    "azure-lattice-sync sync --sandbox --people 5",
    /'5' is invalid\. It must be a whole number, 20 or more\./,
  ],
])("says for %s what to give instead", async (line, sentence) => {
  await expect(commandOf(line)).rejects.toThrow(sentence);
});

it.each([
  ["azure-lattice-sync user --sandbox kim.example@example.com", "both"],
  ["azure-lattice-sync user --sandbox -- kim.example@example.com", "both"],
  ["azure-lattice-sync user --sandbox lattice kim.example@example.com", "lattice"],
  ["azure-lattice-sync user --sandbox=lattice kim.example@example.com", "lattice"],
  ["azure-lattice-sync user kim.example@example.com --sandbox", "both"],
])("reads the person in %s as the person, whatever comes before the name", async (line, sandbox) => {
  const program = quietProgram();
  const user = everyCommand(program).find((command) => command.name() === "user");
  const asked: unknown[] = [];
  user?.action((person: string, options: object) => void asked.push({ person, ...options }));
  await program.parseAsync(line.split(" ").slice(1), { from: "user" });
  expect(asked).toEqual([{ person: "kim.example@example.com", sandbox, live: false, format: "table" }]);
});

/** The command that a line calls, with everything parsed and nothing run. */
async function commandOf(line: string): Promise<string | undefined> {
  const [own = ""] = line.split(/ [|>] /);
  const [name, ...words] = own.split(" ");
  expect(name).toBe("azure-lattice-sync");
  const program = quietProgram();
  let called: string | undefined;
  for (const command of everyCommand(program)) {
    command.configureOutput({ writeErr: () => {} });
    if (command.below.length > 0) continue;
    command.action(() => {
      called = ["azure-lattice-sync", ...pathOf(command)].join(" ");
    });
  }
  await program.parseAsync(words, { from: "user" });
  return called;
}

function helpOf(name: string): string {
  const program = quietProgram();
  const command = everyCommand(program).find(
    (candidate) => ["azure-lattice-sync", ...pathOf(candidate)].join(" ") === name,
  );
  let text = "";
  command?.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command?.outputHelp();
  return text;
}
