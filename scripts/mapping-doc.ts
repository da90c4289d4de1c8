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

## Bring it over from Entra

\`azure-lattice-sync mapping import FILE\` reads a provisioning schema as Entra exports it (portal: Provisioning, attribute
mapping, review your schema; or \`GET /servicePrincipals/{id}/synchronization/jobs/{jobId}/schema\`) and writes the same as
configuration: mappings, scoping filters, and which actions are on. \`--out FILE\` writes a new file. Whatever is not carried
over, or not as it was, is said on stderr and at the top of the file with its reason, such as the nine attributes that Lattice
refuses; a scoping filter that cannot be carried over stops the import, because without it others would be in scope. Not part
of an export, and so to be set by hand: whether all or assigned users are in scope, the threshold of accidental deletions,
SkipOutOfScopeDeletions, and credentials. The lists of attributes of both directories, the greatest part of an export, are not needed.

| in the export | here |
|---|---|
| \`source.expression\`, or the tree of \`parameters\` where it is missing | \`source\`, \`constant\` or \`expression\` |
| \`source: null\` with \`defaultValue\` | \`constant\` with \`apply: onCreate\` |
| \`defaultValue\` beside a source | \`default\` |
| \`flowType: ObjectAddOnly\` | \`apply: onCreate\`; the other AddOnly kinds are carried over as always applied, with a note |
| \`matchingPriority\` | \`matchingPrecedence\`, on userName and externalId |
| \`scope.groups\` | \`entra.scope.filters\` |
| \`flowTypes\` | \`actions\`; without Update nobody is deactivated either, as in Entra. Delete is left out: Lattice accounts are never deleted |
| a mapping of users that is disabled | all actions off |
| mappings of groups | left out, with a note |

## Test it

Cases say what shall become of whom; \`azure-lattice-sync mapping test\` and \`config check\` run them. They stand in files that end
in \`.mapping-test.yaml\` beside the configuration or the mapping
([an example](../config/default-mapping.mapping-test.example.yaml)):

\`\`\`yaml
- name: Guests have the address of home
  user:
    userPrincipalName: robin_example.net#EXT#@example.onmicrosoft.com
    accountEnabled: true
  expect:
    userName: robin@example.net
    title: null
- name: The kitchen is not provisioned
  user: { userPrincipalName: sam@example.com, department: Kitchen }
  expect: { outOfScope: department }
\`\`\`

| key | meaning |
|---|---|
| \`name\` | what the case is about |
| \`user\` | Graph properties of the person, as Graph writes them; what is not named has no value. \`manager\`: object id of the manager, or \`{ id, … }\` with the manager's own properties |
| \`member\` | \`false\`: not a member of the scope. Default \`true\` |
| \`memberOf\` | groups that the person is a member of, as the scoping filters name them |
| \`presence\` | \`present\` (default), \`softDeleted\`, \`deleted\` |
| \`newAccount\` | \`true\`: the account is to be made, so a \`default\` counts |
| \`now\` | the time, for Now() and filters on dates. Default 2026-01-01T12:00:00Z. Guid() and RandomString() give the same at each run |
| \`expect\` | values by target attribute: its SCIM path, or its short name as in reports (\`department\`, \`emails.work\`, \`manager\`) |

Only what \`expect\` names is compared, unless it has \`exact: true\`: then everything else must have no value. \`null\` is no value;
\`{ problem: part of the reason }\` a value that cannot be worked out; \`{ leftAlone: true }\` one that IgnoreFlowIfNullOrEmpty leaves as it
is. \`outOfScope\` is a part of the reason for which the person is out of scope; without it a member must be in scope. The manager
is compared by object id. Numbers and texts are the same where they read the same: put \`"00042"\` in quotes.

### Record a case

\`mapping test --record USER\` makes a case of a person, and takes what the mapping makes of it now as the expectation. Nothing of the
person is left: names, addresses, titles, departments, places, numbers, ids, dates, and every attribute of unknown content are made up, in
the same shape (as many letters and digits, capitals, marks, blanks and apostrophes where they were; the same word where there was
the same; addresses at example.com; dates on the same side of the time; a guest stays a guest), so that mappings meet what they
meet in life. As they are stay truth values, \`userType\`, \`creationType\`, \`externalUserState\`, and what
\`--keep ATTRIBUTE…\` names. A mapping or filter that compares with a value (\`department\` in Switch, say) needs that attribute
kept to be tested; where filters decide otherwise of the made-up values, a note says so. Read a case before you share it.

## Expressions

A call \`Name(argument, …)\`, an attribute \`[mail]\`, a text \`"…"\` (\`\\"\` and \`\\\\\` inside), a number, or \`True\` and \`False\`.
Nothing between two commas is an argument left out. Comparisons (\`=\`, \`<>\`, \`<\`, \`<=\`, \`>\`, \`>=\`) stand in IIF and CBool alone;
one with an attribute that has no value does not hold. Names are case-sensitive. At most 10,000 characters.

- Each expression sees the whole person as last read, so that a part that has not changed is never taken to be empty.
- A value of the wrong type (a text where a date is expected) leaves this attribute of this person as it is in Lattice; the
  log says why. Where it is the userName, the person is left alone.
- Dates are in UTC. Formats are .NET's custom and standard ones, with English names.
- Regular expressions are .NET's, carried out in linear time: looking ahead or behind, references back and conditions are
  refused when the configuration is read, and so are patterns of more than 500 characters.
- Guid and RandomString need \`apply: onCreate\`: they would change everybody in each cycle.
- What depends on Now() is looked at when the person changes, and in each full comparison (\`reconcile.every\`).
- What Redact surrounds is sent, and stands as \`[Redact]\` in reports. The state database holds it.

## Scoping filters

Who passes one of the filters of \`entra.scope.filters\` is in scope; the clauses of one filter must all hold. As in Entra, an
attribute without a value fails every clause but IS NULL: "department NOT EQUALS Sales" keeps out whoever has none.

| operator | holds where the value |
|---|---|
| EQUALS, NOT EQUALS | is, is not, exactly this text |
| IS TRUE, IS FALSE | is this truth value |
| IS NULL, IS NOT NULL | is missing or empty, is not |
| REGEX MATCH, NOT REGEX MATCH | matches a .NET regular expression, as a whole or, with \`match: anywhere\`, in any part. Entra does not document which; its examples are patterns of the whole value |
| GREATER_THAN, GREATER_THAN_OR_EQUALS | is a greater whole number; both from 0 on |
| INCLUDES, ENDS_WITH | has this text in it, at its end |
| &, !& | is a whole number that has one of these bits, has none of them. Entra's wording is loose; this is what the sign stands for |

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
