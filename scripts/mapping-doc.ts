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

The key \`mapping\` of the configuration is a list, or the name of a file that holds one. Without it the default applies: the mapping that Lattice
documents for Azure ([config/default-mapping.yaml](../config/default-mapping.yaml)). Each entry has a \`target\` (a SCIM path) and one of

- \`source\`: an attribute of the Entra user, by its Graph name or the older one that Entra's portal shows ([sources](#sources));
- \`constant\`: a fixed value;
- \`expression\`: Entra's expression language, as written in the portal.

| key | meaning |
|---|---|
| \`matchingPrecedence\` | 1, 2: the order in which attributes are used to find an existing Lattice account; the first match counts. Allowed on userName and externalId, which Lattice can search for. The source may be an expression |
| \`apply\` | \`always\`, or \`onCreate\`: sent when the account is created, never again |
| \`onNull\` | \`clear\`, or \`keep\`: what happens when the source no longer has a value |
| \`owner\` | who decides about a value that was edited by hand in Lattice. \`entra\`: it is corrected. \`report\`: it is only reported. \`lattice\`: Entra gives a value where Lattice has none, and never changes or clears one, so that the field is Lattice's to edit. Default: as [\`drift\`](configuration.md#drift) says. Not for userName, externalId and active |
| \`default\` | value for a new account whose source has none |
| \`required\` | \`true\`: a person without a value, or with one of the wrong type, is skipped with the reason. userName is always required. People who have left are still deactivated |
| \`type\` | for a custom attribute ([targets](#targets)): \`text\` (default), \`number\`, \`boolean\`, \`date\`, \`dateTime\`, \`timezone\`, \`email\` |
| \`timezone\` | with type \`date\`: the time zone in which a moment becomes a day; UTC by default |

## Sources

- Plain properties of Graph's user, such as \`employeeType\` or \`onPremisesSamAccountName\`; an element of a list by its index from 0, such as
  \`businessPhones[0]\`. Older names are accepted too: objectId, telephoneNumber, mobile, physicalDeliveryOfficeName, facsimileTelephoneNumber,
  dirSyncEnabled, lastDirSyncTime, immutableId, sipProxyAddress, refreshTokensValidFromDateTime, userState, userStateChangedOn.
- \`onPremisesExtensionAttributes.extensionAttribute1\` to 15, or \`extensionAttribute1\` alone; \`employeeOrgData.division\` and
  \`employeeOrgData.costCenter\`; directory extensions as \`extension_APPID_NAME\`.
- \`IsSoftDeleted\`: true for a person who is disabled, deleted or out of scope.
- \`userPrincipalName\` of a guest comes without \`#EXT#\` and the tenant's domain, as Entra provisions it; \`originalUserPrincipalName\` is the unchanged
  name.
- \`manager\` is a reference, for the target manager alone. \`manager.displayName\`, \`manager.mail\`, \`manager.employeeId\` and so on are the manager's own
  attributes, whether or not the manager is in scope. When one of them changes, the reports are planned again in the same cycle. A deleted manager
  counts as no manager. If the manager is not a user of the directory (a contact), their attributes are unknown, and such a target stays unchanged.
- \`customSecurityAttributes.SET.ATTRIBUTE\` needs the application permission CustomSecAttributeAssignment.Read.All in addition to the others. Without
  it Graph shows no values and no error; so if the token lacks it, the cycle stops before anything is cleared, and \`check\` says so. Graph's delta
  queries do not report these attributes: a change is seen in the next full read (\`reconcile.every\`, \`sync --full\`) or when the person is synced by
  name (\`sync --user\`).
- You cannot map what Graph returns for one user at a time only (skills, aboutMe and the like), lists of objects (licences, identities) and photos.

## Targets

These are the attributes that Lattice documents. Any other is refused, with the reason, when the configuration is read.

| target | type |
|---|---|
| userName | an e-mail address; required. Letter case does not matter, here and in e-mail addresses (RFC 7643): a name that differs in case alone is not sent |
| externalId, nickName | text, sent when the account is created. If several people map to one externalId, no account is created for any of them; a person who has one keeps it |
| active | boolean |
| displayName, title, name.formatted, name.givenName, name.familyName, name.middleName | text |
| timezone | an Olson name such as America/Los_Angeles |
| \`emails[type eq "work"].value\`, or another type | e-mail |
| \`phoneNumbers[type eq "work"].value\`, or another type except mobile and fax | text |
| URN of the enterprise extension, with employeeNumber, department, division, organization, costCenter | text |
| the same with manager | reference: its source is \`manager\` |
| \`urn:ietf:params:scim:schemas:extension:lattice:attributes:1.0:User:\` with birthDate, startDate | date, or \`type: dateTime\` |
| the same with gender | text |
| the same with the camelCase name of a custom attribute | text, or what \`type\` says; a multiple choice is a text |

- A type in brackets says which of several values the mapping means. It is never sent to Lattice, which accepts no filters: the list is sent whole,
  and the values of other types stay unchanged. So the account is read first, and values that were added in Lattice stay. If Lattice shows no entry of
  that type, a single entry without a type is used, or the primary one of several (RFC 7643); if several types of the list are mapped, that entry
  counts as \`work\`.
- \`date\` is sent as \`2026-01-31\`. A day stays that day; a moment, which is how Graph has employeeHireDate, becomes the day that it is in \`timezone\`.
  \`dateTime\` is sent in UTC, as \`2026-01-31T09:00:00Z\`.
- If a value has the wrong type, this attribute of this person stays unchanged in Lattice; the log names the attribute, and at level debug the value.
- If Lattice publishes its schemas, \`check\` names mapped attributes that are missing there or have another type.

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

\`azure-lattice-sync mapping import FILE\` reads a provisioning schema as Entra exports it (portal: Provisioning, attribute mapping, review your schema;
or \`GET /servicePrincipals/{id}/synchronization/jobs/{jobId}/schema\`) and writes it as configuration: mappings, scoping filters, and which actions are
on. \`--out FILE\` writes a new file.

- Everything that is not imported, or is changed, is reported with its reason on stderr and at the top of the file, such as the nine attributes that
  Lattice refuses.
- A scoping filter that cannot be imported stops the import, because without it other people would be in scope.
- An export does not contain these settings; set them by hand: whether all or assigned users are in scope, the threshold of accidental deletions,
  SkipOutOfScopeDeletions, and credentials.
- The attribute lists of both directories, the largest part of an export, are not needed.

| in the export | here |
|---|---|
| \`source.expression\`, or the tree of \`parameters\` where it is missing | \`source\`, \`constant\` or \`expression\` |
| \`source: null\` with \`defaultValue\` | \`constant\` with \`apply: onCreate\` |
| \`defaultValue\` next to a source | \`default\` |
| \`flowType: ObjectAddOnly\` | \`apply: onCreate\`; the other AddOnly kinds are imported as always applied, with a note |
| \`matchingPriority\` | \`matchingPrecedence\`, on userName and externalId |
| \`scope.groups\` | \`entra.scope.filters\` |
| \`flowTypes\` | \`actions\`; without Update no one is deactivated either, as in Entra. Delete is left out: Lattice accounts are never deleted |
| a mapping of users that is disabled | all actions off |
| mappings of groups | left out, with a note |

## Test it

A case gives a source user and the expected result; \`azure-lattice-sync mapping test\` and \`config check\` run the cases. They are in files whose names
end in \`.mapping-test.yaml\`, next to the configuration or the mapping ([an example](../config/default-mapping.mapping-test.example.yaml)):

\`\`\`yaml
- name: Guests have their home address
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
| \`user\` | Graph properties of the person, as Graph writes them; a property that is not given has no value. \`manager\`: object id of the manager, or \`{ id, … }\` with the manager's own properties |
| \`member\` | \`false\`: not a member of the scope. Default \`true\` |
| \`memberOf\` | groups that the person is a member of, as the scoping filters and expressions name them |
| \`presence\` | \`present\` (default), \`softDeleted\`, \`deleted\` |
| \`newAccount\` | \`true\`: the account is new, so a \`default\` applies |
| \`now\` | the time, for Now() and filters on dates. Default 2026-01-01T12:00:00Z. Guid() and RandomString() give the same in each run |
| \`expect\` | values by target attribute: its SCIM path, or its short name as in reports (\`department\`, \`emails.work\`, \`manager\`) |

- Only what \`expect\` names is compared. With \`exact: true\` everything else must have no value.
- \`null\` means no value; \`{ problem: part of the reason }\` a value that cannot be computed; \`{ leftAlone: true }\` an attribute that
  IgnoreFlowIfNullOrEmpty leaves unchanged.
- \`outOfScope\` is a part of the reason why the person is out of scope; without it a member must be in scope.
- The manager is compared by object id.
- A number and a text are equal if they read the same: put \`"00042"\` in quotes.

### Record a case

\`mapping test --record USER\` makes a case of a person, with the current result of the mapping as the expectation. The case contains nothing of the
real person: names, addresses, titles, departments, places, numbers, ids, dates, and every attribute of unknown content are made up. They keep their
shape, so that the mapping meets realistic values: letters, digits, capitals, punctuation and spaces in the same places; the same word where the same
word was; addresses at example.com; dates on the same side of the time; a guest stays a guest.

- Unchanged: booleans, \`userType\`, \`creationType\`, \`externalUserState\`, and the attributes of \`--keep ATTRIBUTE…\`.
- If a mapping or filter compares an attribute with a value (\`department\` in Switch, for example), keep that attribute, or it is not tested. If the
  filters decide differently for the made-up values, a note says so.
- The manager has the properties that the mapping reads, also made up.
- The groups of filters and expressions are those of the last cycle, under the names that they have there. If the person was read from Entra they are unknown, and a
  note says so.

Read a case before you share it.

## Expressions

An expression is a call \`Name(argument, …)\`, an attribute \`[mail]\`, a text \`"…"\` (\`\\"\` and \`\\\\\` inside), a number, or \`True\` and \`False\`. An empty
place between two commas is an omitted argument. Comparisons (\`=\`, \`<>\`, \`<\`, \`<=\`, \`>\`, \`>=\`) are allowed in IIF and CBool only; a comparison with an
attribute that has no value is false. Names are case-sensitive. The limit is 10,000 characters.

- Each expression sees the whole person as last read, so an unchanged part is never taken to be empty.
- If a value has the wrong type (a text where a date is expected), this attribute of this person stays unchanged in Lattice; the log says why. If the
  attribute is the userName, or another that is \`required\`, the person is skipped.
- Dates are in UTC. Formats are .NET's custom and standard ones, with English names.
- Regular expressions are .NET's, executed in linear time. Lookahead, lookbehind, backreferences and conditions are refused when the configuration is
  read, and so are patterns of more than 500 characters and very large ones. \`\\b\` works in ASCII texts only (for other texts the attribute stays
  unchanged), and \`$\` is the very end.
- The cost of an expression for one person is limited, by work and not by time: nested functions on texts of many thousand characters are stopped, and
  the attribute stays unchanged. Entra's texts are a hundred times shorter.
- Where Entra's documentation contradicts itself, it is taken literally: IsPresent and IsNullOrEmpty work inside Switch and IIF; \`[country] = ""\` is
  never true, since a comparison with a missing value is false.
- Guid and RandomString need \`apply: onCreate\`: otherwise they would change everyone in each cycle.
- An expression that depends on Now() is evaluated when the person changes, and in each full comparison (\`reconcile.every\`).
- MemberOf and FirstMemberOf give a value by membership of groups. The members are read in each cycle, as those of groups in scoping filters are
  (\`GroupMember.Read.All\`; \`entra.scope.nested\` counts here too), and a person who enters or leaves such a group is planned again in the same cycle. A
  group's name must be a text in quotation marks. If a group is missing or has a name that another group has too, the cycle stops before anything is
  changed. Neither userName nor externalId can depend on groups.
- A value inside Redact is sent, and shown as \`[Redact]\` in reports. The state database contains it.

## Scoping filters

A person who passes one of the filters of \`entra.scope.filters\` is in scope; all clauses of a filter must hold. As in Entra, an attribute without a
value fails every clause except IS NULL: "department NOT EQUALS Sales" excludes a person without a department.

| operator | holds if the value |
|---|---|
| EQUALS, NOT EQUALS | is, is not, exactly this text |
| IS TRUE, IS FALSE | is this boolean |
| IS NULL, IS NOT NULL | is missing or empty, is not |
| REGEX MATCH, NOT REGEX MATCH | matches a .NET regular expression, as a whole or, with \`match: anywhere\`, in any part. Entra does not document which; its examples are patterns of the whole value |
| GREATER_THAN, GREATER_THAN_OR_EQUALS | is a whole number greater than this one (or equal to it); both from 0 on |
| INCLUDES, ENDS_WITH | contains this text, ends with it |
| &, !& | is a whole number that has one of these bits, has none of them. Entra's wording is vague; this is what the operator means |
| IN THE PAST, IN THE FUTURE | is a date that has come, is still to come |
| WITHIN DAYS, UP TO DAYS AHEAD, UP TO DAYS AGO | is a date this close; see [scope.md](scope.md#dates) |

A clause may also be \`memberOf\` or \`notMemberOf\` and a group. [scope.md](scope.md) describes these, filters on dates, people by name, and what happens
to the accounts of people who are out of scope.

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

function exampleOf({ expression, attributes = {}, groups = [], result }: Example): string {
  const given = [
    ...Object.entries(attributes).map(([name, value]) => `${name}: ${JSON.stringify(value)}`),
    ...groups.map((group) => `member of ${JSON.stringify(group)}`),
  ];
  const lines = [
    expression,
    ...given.map((line) => `  ${line}`),
    ...(result === null ? [] : [`→ ${result}`]),
  ];
  return `\n\`\`\`\n${lines.join("\n")}\n\`\`\`\n`;
}
