import { writeFileSync } from "node:fs";
import { type Example, type ExpressionFunction, signature } from "../src/mapping/functions/definition.ts";
import { expressionFunctions } from "../src/mapping/functions/table.ts";

// Writes docs/mapping.md: the functions come from the table that the evaluator uses, so that they cannot drift apart.

const all = [...expressionFunctions.values()];
const page = `\
<!-- Made by "npm run generate:docs" from scripts/mapping-doc.ts and src/mapping/functions: change it there. -->

# Attribute mapping

The key \`mapping\` of the configuration is a list, or the name of a file that holds one; without it the default applies, the
mapping that Lattice documents for Azure ([config/default-mapping.yaml](../config/default-mapping.yaml)). Each entry has a
\`target\` (a SCIM path) and one of

- \`source\`: an attribute of the Entra user, by its Graph name or the older one that Entra's portal shows;
- \`constant\`: a fixed value;
- \`expression\`: Entra's expression language, as written in the portal.

| key | meaning |
|---|---|
| \`matchingPrecedence\` | 1, 2, …: how an existing Lattice account is found; on userName and externalId |
| \`apply\` | \`always\`, or \`onCreate\`: sent when the account is made, never again |
| \`onNull\` | \`clear\`, or \`keep\`: what happens when the source has no value any more |
| \`default\` | value for a new account whose source has none |

## Expressions

A call \`Name(argument, …)\`, an attribute \`[mail]\`, a text \`"…"\` (\`\\"\` and \`\\\\\` inside), a number, or \`True\` and \`False\`.
Nothing between two commas is an argument left out. Comparisons (\`=\`, \`<>\`, \`<\`, \`<=\`, \`>\`, \`>=\`) stand in IIF and CBool alone;
one with an attribute that has no value does not hold. Names are case-sensitive. At most 10,000 characters.

- Each expression sees the whole person as last read, so that a part that has not changed is never taken to be empty.
- A value of the wrong type (a text where a date is expected) leaves this attribute of this person as it is in Lattice; the
  log says why. Where it is the userName, the person is left alone.
- Dates are in UTC. Formats are .NET's custom and standard ones, with English names.
- Regular expressions are .NET's, carried out in linear time: looking ahead or behind, references back and conditions are
  refused when the configuration is read.
- Guid and RandomString need \`apply: onCreate\`: they would change everybody in each cycle.
- What depends on Now() is looked at when the person changes, and in each full comparison (\`reconcile.every\`).
- What Redact surrounds is sent, and stands as \`[Redact]\` in reports. The state database holds it.

## Functions

\`azure-lattice-sync mapping functions\` prints this list.
${all
  .filter(({ refused }) => refused === undefined)
  .map(chapter)
  .join("")}
## Functions that cannot be used

| function | why |
|---|---|
${all.flatMap(({ name, refused }) => (refused === undefined ? [] : [`| ${name} | ${refused} |\n`])).join("")}`;

const file = process.argv[2];
if (file === undefined) process.stdout.write(page);
else writeFileSync(file, page);

function chapter(entry: ExpressionFunction): string {
  return `\n### ${entry.name}\n\n\`${signature(entry)}\`\n\n${entry.summary}\n${exampleOf(entry.example)}`;
}

function exampleOf({ expression, attributes = {}, result }: Example): string {
  const given = Object.entries(attributes).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  const lines = [
    expression,
    ...given.map((line) => `  ${line}`),
    ...(result === null ? [] : [`→ ${result}`]),
  ];
  return `\n\`\`\`\n${lines.join("\n")}\n\`\`\`\n`;
}
