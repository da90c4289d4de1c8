import { writeFileSync } from "node:fs";
import { stringify } from "yaml";
import { configVariable, defaultStateVariable, environmentVariables } from "../src/config/environment.ts";
import { jobsKey } from "../src/config/job-files.ts";
import { jobsSchema } from "../src/config/json-schema.ts";
import { type KnownKey, knownKeys } from "../src/config/keys.ts";

// Writes docs/configuration.md from the schema, to the file that is named or else to stdout: what the program
// accepts and what the documentation says cannot drift apart.

const page = `\
<!-- Made by "npm run generate:docs" from the schema in src/config: change it there. -->

# Configuration

\`azure-lattice-sync config init\` writes a first file with every key, its default and its meaning;
[config/azure-lattice-sync.example.yaml](../config/azure-lattice-sync.example.yaml) is an annotated example.
\`config check\` tests the configuration without contacting Entra or Lattice, \`config show\` prints the values in force
and where each came from, \`config schema\` prints the JSON Schema for editors.

A value is taken from the first of these that has it: the command line, the environment, the file, the default. The
file is the one that \`--config\` names, else the one that \`${configVariable}\` names, else
\`config/azure-lattice-sync.yaml\` in the current folder, if it exists. An unknown key is an error. Durations are written \`90s\`, \`45m\`, \`2h\`,
\`1d\` or \`1h30m\`.

## Environment

Each variable can also be given as \`NAME_FILE\`, the path of a file that holds the value and nothing else. An empty
variable counts as not set.

With [several jobs](#jobs), a variable sets the key for all jobs that do not set it themselves. For one job, put two underscores and its name in
capitals behind the name of the variable, with \`_\` for \`-\`: \`LATTICE_API_KEY__US_EAST\` or \`LATTICE_API_KEY__US_EAST_FILE\` for the job \`us-east\`.
It counts more than the file. A variable for a job that does not exist is refused.

| variable | sets |
|---|---|
${environmentVariables.map(({ name, key }) => `| \`${name}\` | \`${key}\` |\n`).join("")}\
| \`${configVariable}\` | the configuration file |
| \`${defaultStateVariable}\` (no file) | the default of \`state.path\`, for an image |

## Keys
${knownKeys()
  .filter(({ key }) => !key.includes("."))
  .map(chapter)
  .join("")}
### ${jobsKey}

${jobsSchema.description}

[config/azure-lattice-sync.jobs.example.yaml](../config/azure-lattice-sync.jobs.example.yaml) is an example;
[Several jobs](operating.md#several-jobs) describes how to run them. A name has 1 to 63 characters of \`a-z\`, \`0-9\` and \`-\`.
A list of a job replaces the shared list. A key or variable of a job that is an alternative to a shared one (\`schedule.cron\` to
\`schedule.every\`, \`lattice.tokenFile\` to \`lattice.token\`) replaces it.
`;

const file = process.argv[2];
if (file === undefined) process.stdout.write(page);
else writeFileSync(file, page);

function chapter(top: KnownKey): string {
  const below = knownKeys().filter(({ key, section }) => key.startsWith(`${top.key}.`) && !section);
  const rows = top.section ? below : [top];
  const table =
    rows.length === 0
      ? ""
      : `\n| key | default | meaning |\n|---|---|---|\n${rows.map((row) => line(row)).join("")}`;
  return `\n### ${top.key}\n\n${top.section ? `${top.description}\n` : ""}${table}`.replace("\n\n\n", "\n\n");
}

function line({ key, description, secret, defaultValue }: KnownKey): string {
  const shown = defaultValue === undefined ? "" : `\`${stringify(defaultValue).trim()}\``;
  return `| \`${key}\` | ${shown} | ${cell(secret ? `${description} A secret: \`config show\` masks it.` : description)} |\n`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
