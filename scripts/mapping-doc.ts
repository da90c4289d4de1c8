import { writeFileSync } from "node:fs";
import {
  type Example,
  type ExpressionFunction,
  signature,
} from "../src/mapping/language/functions/definition.ts";
import { expressionFunctions } from "../src/mapping/language/functions/table.ts";

// Writes docs/mapping.md: the functions come from the table that the evaluator uses, so that they cannot drift apart.

const all = [...expressionFunctions.values()];
const page = `\
<!-- Made by "npm run generate:docs" from scripts/mapping-doc.ts and src/mapping/language/functions: change it there. -->

# Attribute mapping

The key \`mapping\` of the configuration is a list, or the name of a file that holds one; without it the default applies, the
mapping that Lattice documents for Azure ([config/default-mapping.yaml](../config/default-mapping.yaml)). Each entry has a
\`target\` (a SCIM path) and one of

- \`source\`: an attribute of the Entra user, by its Graph name or the older one that Entra's portal shows ([sources](#sources));
- \`constant\`: a fixed value;
- \`expression\`: Entra's expression language, as written in the portal.

| key | meaning |
|---|---|
| \`matchingPrecedence\` | 1, 2: how an existing Lattice account is found, the first that finds one decides; on userName and externalId, which Lattice can be asked for. The source may be an expression |
| \`apply\` | \`always\`, or \`onCreate\`: sent when the account is made, never again |
| \`onNull\` | \`clear\`, or \`keep\`: what happens when the source has no value any more |
| \`default\` | value for a new account whose source has none |
| \`required\` | \`true\`: a person without a value, or with one of the wrong type, is skipped with the reason; always so for userName. People who have left are still deactivated |
| \`type\` | for an attribute of your own ([targets](#targets)): \`text\` (default), \`number\`, \`boolean\`, \`date\`, \`dateTime\`, \`timezone\`, \`email\` |
| \`timezone\` | with type \`date\`: in which time zone a moment is a day; UTC without it |

## Sources

- Plain properties of Graph's user, such as \`employeeType\` or \`onPremisesSamAccountName\`; one of a list by its place from 0, as
  \`businessPhones[0]\`. Older names do as well: objectId, telephoneNumber, mobile, physicalDeliveryOfficeName,
  facsimileTelephoneNumber, dirSyncEnabled, lastDirSyncTime, immutableId, sipProxyAddress, refreshTokensValidFromDateTime,
  userState, userStateChangedOn.
- \`onPremisesExtensionAttributes.extensionAttribute1\` to 15, or \`extensionAttribute1\` alone; \`employeeOrgData.division\` and
  \`employeeOrgData.costCenter\`; directory extensions as \`extension_APPID_NAME\`.
- \`IsSoftDeleted\`: disabled, deleted or out of scope. \`userPrincipalName\` of a guest is without \`#EXT#\` and the tenant's domain,
  as Entra provisions it; \`originalUserPrincipalName\` is the name as it is.
- \`manager\` is a reference, for the target manager alone. \`manager.displayName\`, \`manager.mail\`, \`manager.employeeId\` and so on are
  the manager's own attributes, whether or not the manager is in scope; where one of them changes, the reports are looked
  at again in the same cycle. A manager who was deleted is none. Of a manager who is no user of the directory (a contact)
  nothing is known: such an attribute is left as it is.
- \`customSecurityAttributes.SET.ATTRIBUTE\` needs the application permission CustomSecAttributeAssignment.Read.All beside the
  others. Without it Graph shows no values and no error, so that a cycle with a token that lacks it stops before anything is
  cleared, and \`check\` says so. Graph's rounds of changes do not have these attributes: a change of one is seen in the next
  full read (\`reconcile.every\`, \`sync --full\`) or when the person is asked for by name (\`sync --user\`).
- What Graph gives of one user at a time only (skills, aboutMe and the like), lists of objects (licences, identities) and
  pictures cannot be mapped.

## Targets

What Lattice documents; other attributes are refused with the reason when the configuration is read.

| target | type |
|---|---|
| userName | an e-mail address; required. Letter case is no difference, here and in e-mail addresses (RFC 7643): a name that differs in case alone is not sent |
| externalId, nickName | text, sent when the account is made. An externalId that several people map to makes no account for any of them; who has one keeps it |
| active | boolean |
| displayName, title, name.formatted, name.givenName, name.familyName, name.middleName | text |
| timezone | an Olson name such as America/Los_Angeles |
| \`emails[type eq "work"].value\`, or another type | e-mail |
| \`phoneNumbers[type eq "work"].value\`, or another type but mobile and fax | text |
| URN of the enterprise extension, with employeeNumber, department, division, organization, costCenter | text |
| the same with manager | reference: its source is \`manager\` |
| \`urn:ietf:params:scim:schemas:extension:lattice:attributes:1.0:User:\` with birthDate, startDate | date, or \`type: dateTime\` |
| the same with gender | text |
| the same with the name of an attribute of your own in camelCase | text, or what \`type\` says; a multiple choice is a text |

- A type in brackets is how a mapping says which of several values it means. It never goes to Lattice, which takes no
  filters: the list is sent whole, with the values of other types as they are. So the account is read first, and what was added in
  Lattice stays. Where Lattice shows no entry of the type, a sole entry without any type is the one that is meant, or the primary one of several
  (RFC 7643); if several types of the list are mapped, it is that of \`work\`.
- \`date\` is sent as \`2026-01-31\`. A day stays that day; a moment, which is how Graph has employeeHireDate, becomes the day that it
  is in \`timezone\`. \`dateTime\` is sent in UTC, as \`2026-01-31T09:00:00Z\`.
- A value of the wrong type leaves this attribute of this person as it is in Lattice; the log names the attribute, and at
  level debug the value.
- Where Lattice publishes its schemas, \`check\` names mapped attributes that are not there or have another type.

\`\`\`yaml
- target: urn:ietf:params:scim:schemas:extension:lattice:attributes:1.0:User:startDate
  source: employeeHireDate
  timezone: America/New_York
- target: urn:ietf:params:scim:schemas:extension:lattice:attributes:1.0:User:level
  source: extensionAttribute4
  type: number
- target: urn:ietf:params:scim:schemas:extension:lattice:attributes:1.0:User:managerEmail
  source: manager.mail
\`\`\`

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
meet in life. Unchanged: booleans, \`userType\`, \`creationType\`, \`externalUserState\`, and what
\`--keep ATTRIBUTE…\` names. A mapping or filter that compares with a value (\`department\` in Switch, say) needs that attribute
kept to be tested; where filters decide otherwise of the made-up values, a note says so. Of the manager the case has what the mapping
reads, made up as well; the groups that filters ask for are those of the last cycle, by the filter's name for them. Where the person
was read from Entra they are not asked for, and a note says so. Read a case before you share it.

## Expressions

A call \`Name(argument, …)\`, an attribute \`[mail]\`, a text \`"…"\` (\`\\"\` and \`\\\\\` inside), a number, or \`True\` and \`False\`.
Nothing between two commas is an argument left out. Comparisons (\`=\`, \`<>\`, \`<\`, \`<=\`, \`>\`, \`>=\`) stand in IIF and CBool alone;
one with an attribute that has no value does not hold. Names are case-sensitive. At most 10,000 characters.

- Each expression sees the whole person as last read, so that a part that has not changed is never taken to be empty.
- A value of the wrong type (a text where a date is expected) leaves this attribute of this person as it is in Lattice; the
  log says why. Where it is the userName, or another that is \`required\`, the person is skipped.
- Dates are in UTC. Formats are .NET's custom and standard ones, with English names.
- Regular expressions are .NET's, carried out in linear time: looking ahead or behind, references back and conditions are
  refused when the configuration is read, and so are patterns of more than 500 characters and very large ones. \`\\b\` is
  understood in texts of ASCII alone (of another person the attribute is left as it is), and \`$\` is the very end.
- What an expression may cost for one person is bounded, in work and not in time: nested functions on texts of many thousand
  characters are given up, and the attribute is left as it is. Texts of Entra are a hundred times shorter.
- Contradictions of Entra's own documentation are taken as they are written: IsPresent and IsNullOrEmpty within Switch and IIF
  do what they say; \`[country] = ""\` never holds, since a comparison with a missing value does not.
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
| IN THE PAST, IN THE FUTURE | is a date that has come, is still to come |
| WITHIN DAYS, UP TO DAYS AHEAD, UP TO DAYS AGO | is a date so near; see [scope.md](scope.md#dates) |

A clause may also be \`memberOf\` or \`notMemberOf\` and a group. These, filters on dates, people by name, and what becomes of the accounts
of those who are out are described in [scope.md](scope.md).

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
