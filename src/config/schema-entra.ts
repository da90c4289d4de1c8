import { z } from "zod";
import { CLOUD_NAMES, CLOUDS } from "./clouds.ts";
import { choice, endpoint, flag, SECTION_MESSAGE, secret, text, timeZone } from "./fields.ts";

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DOMAIN_NAME = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/i;

const TENANT_MESSAGE =
  "must be the directory (tenant) id, a GUID, or one of its verified domain names such as example.onmicrosoft.com";

const CLIENT_MESSAGE =
  "must be the application (client) ID of the app registration, a GUID (an enterprise application goes into entra.scope.application)";

/** Ids that stand in examples for those of a company. */
const PLACEHOLDERS: ReadonlySet<string> = new Set([
  "00000000-0000-0000-0000-000000000000",
  "00000000-1111-2222-3333-444444444444",
  "55555555-6666-7777-8888-999999999999",
]);
const PLACEHOLDER_MESSAGE = "is still the placeholder of an example: write your own";

const CREDENTIALS = [
  "auto",
  "clientSecret",
  "certificate",
  "managedIdentity",
  "workloadIdentity",
  "default",
] as const;

const CLAUSE_MESSAGE = "must have an attribute and an operator, or memberOf alone, or notMemberOf alone";

const clauseSchema = z
  .strictObject(
    {
      attribute: text()
        .optional()
        .describe("Entra attribute, such as department; userType and employeeType are allowed."),
      operator: text()
        .optional()
        .describe(
          "EQUALS, NOT EQUALS, IS TRUE, IS FALSE, IS NULL, IS NOT NULL, REGEX MATCH, NOT REGEX MATCH, GREATER_THAN, GREATER_THAN_OR_EQUALS, INCLUDES, ENDS_WITH, & or !&; on dates IN THE PAST, IN THE FUTURE, WITHIN DAYS, UP TO DAYS AHEAD or UP TO DAYS AGO. Case counts; & and !& test bits of whole numbers.",
        ),
      value: z
        .union([z.string(), z.number(), z.boolean()], { error: "must be text, a number, true or false" })
        .optional()
        .describe(
          "What the attribute is compared with, for the operators with DAYS a number of days; the IS and IN THE operators take none.",
        ),
      match: choice(["whole", "anywhere"])
        .optional()
        .describe(
          "With REGEX MATCH and NOT REGEX MATCH: whether the whole value must match (default) or any part of it. Entra does not document which.",
        ),
      memberOf: text()
        .optional()
        .describe(
          "Instead of attribute and operator: object id or display name of a group that the person must be a member of.",
        ),
      notMemberOf: text()
        .optional()
        .describe("Instead of attribute and operator: a group that the person must not be a member of."),
    },
    { error: SECTION_MESSAGE },
  )
  .refine(isOneClause, { error: CLAUSE_MESSAGE })
  .describe("One condition.");

interface WrittenClause {
  readonly attribute?: string | undefined;
  readonly operator?: string | undefined;
  readonly value?: unknown;
  readonly match?: unknown;
  readonly memberOf?: string | undefined;
  readonly notMemberOf?: string | undefined;
}

function isOneClause({ attribute, operator, value, match, memberOf, notMemberOf }: WrittenClause): boolean {
  const isGiven = (part: unknown): boolean => part !== undefined;
  const comparison = [attribute, operator, value, match];
  const groups = [memberOf, notMemberOf].filter(isGiven).length;
  if (groups > 0) return groups === 1 && !comparison.some(isGiven);
  return isGiven(attribute) && isGiven(operator);
}

const filterSchema = z
  .strictObject(
    {
      name: text().optional().describe("What the filter is for, in your words."),
      clauses: z
        .array(clauseSchema, { error: "must be a list of clauses" })
        .min(1, { error: "must be a list of at least one clause" })
        .describe("Conditions that must all hold."),
    },
    { error: SECTION_MESSAGE },
  )
  .describe("One scoping filter.");

/** People by name. */
function people() {
  return z.array(text("must be a user principal name or an object id"), {
    error: "must be a list of user principal names and object ids",
  });
}

const scopeSchema = z
  .strictObject(
    {
      mode: choice(["assigned", "all", "groups"])
        .prefault("assigned")
        .describe(
          "Who is provisioned: the people assigned to the enterprise application (assigned), everybody in the directory (all), or the members of entra.scope.groups (groups).",
        ),
      application: text()
        .optional()
        .describe(
          "With mode assigned: object id, application (client) id or display name of the enterprise application whose assignments count. Default: the application of entra.clientId.",
        ),
      groups: z
        .array(text("must be the object id or the display name of a group"), {
          error: "must be a list of groups",
        })
        .prefault([])
        .describe(
          "With mode groups: object ids or display names of the groups whose members are provisioned.",
        ),
      nested: flag()
        .prefault(true)
        .describe(
          "Whether members of groups inside a group count too. Entra's own provisioning takes direct members only.",
        ),
      guests: flag()
        .optional()
        .describe("Whether guest users are provisioned. Default: false with mode all, else true."),
      filters: z
        .array(filterSchema, { error: "must be a list of filters" })
        .prefault([])
        .describe(
          "Scoping filters: who passes one of them is in scope. The clauses of one filter must all hold; an attribute without a value fails every clause but IS NULL.",
        ),
      include: people()
        .prefault([])
        .describe(
          "User principal names or object ids of people who are always in scope, whatever the mode, filters and guests say.",
        ),
      exclude: people()
        .prefault([])
        .describe(
          "User principal names or object ids of people who are never in scope, not even where include names them.",
        ),
      timezone: timeZone()
        .prefault("UTC")
        .describe("Time zone in which a day begins, for filters on dates such as employeeHireDate."),
    },
    { error: SECTION_MESSAGE },
  )
  .transform((scope, context) => {
    if (scope.mode === "groups" && scope.groups.length === 0) {
      context.addIssue({
        code: "custom",
        path: ["groups"],
        message: "needs at least one group, because entra.scope.mode is groups",
        input: scope.groups,
      });
      return z.NEVER;
    }
    return { ...scope, guests: scope.guests ?? scope.mode !== "all" };
  });

/** The source. What `entra.cloud` and the scope mode imply is filled in. */
export const entraSchema = z
  .strictObject(
    {
      tenantId: text(TENANT_MESSAGE)
        .refine((value) => GUID.test(value) || DOMAIN_NAME.test(value), { error: TENANT_MESSAGE })
        .refine((value) => !PLACEHOLDERS.has(value), { error: PLACEHOLDER_MESSAGE })
        .optional()
        .describe("Directory (tenant) id, a GUID, or a verified domain name of the directory."),
      clientId: text(CLIENT_MESSAGE)
        .refine((value) => GUID.test(value), { error: CLIENT_MESSAGE })
        .refine((value) => !PLACEHOLDERS.has(value), { error: PLACEHOLDER_MESSAGE })
        .optional()
        .describe("Application (client) id of the app registration, or of a user-assigned managed identity."),
      clientSecret: secret()
        .optional()
        .describe("Client secret of the app registration. Better given as AZURE_CLIENT_SECRET_FILE."),
      certificate: z
        .strictObject(
          {
            path: text()
              .optional()
              .describe("PEM file with the certificate and its private key, relative to this file."),
            password: secret().optional().describe("Password of the private key, where it has one."),
          },
          { error: SECTION_MESSAGE },
        )
        .prefault({})
        .describe("Client certificate, instead of a client secret."),
      credential: choice(
        CREDENTIALS,
        `takes ${CREDENTIALS.join(", ")}; a secret belongs in entra.clientSecret`,
      )
        .prefault("auto")
        .describe(
          "How to sign in. auto takes the certificate where its path is given, else the client secret, else workload identity where AZURE_FEDERATED_TOKEN_FILE is set, else the default chain of @azure/identity.",
        ),
      cloud: choice(CLOUD_NAMES)
        .prefault("global")
        .describe("Microsoft cloud of the directory: gives authorityHost and graphUrl their defaults."),
      authorityHost: endpoint()
        .optional()
        .describe("Where tokens come from: an origin without a path. Default: that of entra.cloud."),
      graphUrl: endpoint()
        .optional()
        .describe("Where Microsoft Graph is: an origin without a path. Default: that of entra.cloud."),
      scope: scopeSchema.prefault({}).describe("Who is provisioned."),
    },
    { error: SECTION_MESSAGE },
  )
  .transform((entra) => ({
    ...entra,
    authorityHost: entra.authorityHost ?? CLOUDS[entra.cloud].authorityHost,
    graphUrl: entra.graphUrl ?? CLOUDS[entra.cloud].graphUrl,
  }));
