import { z } from "zod";
import { cloudNames, cloudsByName } from "./clouds.ts";
import { choice, endpoint, flag, secret, sectionMessage, text, timeZone } from "./fields.ts";

const guidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const domainName = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/i;

const tenantMessage =
  "must be the directory (tenant) ID, a GUID, or a verified domain name of the directory such as example.onmicrosoft.com";

const clientMessage =
  "must be the application (client) ID of the app registration, a GUID (the name of an enterprise application belongs in entra.scope.application)";

/** Ids that stand in examples for those of a company. */
const placeholders: ReadonlySet<string> = new Set([
  "00000000-0000-0000-0000-000000000000",
  "00000000-1111-2222-3333-444444444444",
  "55555555-6666-7777-8888-999999999999",
]);
const placeholderMessage = "is still the placeholder of an example: replace it with your own";

const credentialKeys = [
  "auto",
  "clientSecret",
  "certificate",
  "managedIdentity",
  "workloadIdentity",
  "default",
] as const;

const clauseMessage = "must have an attribute and an operator, or memberOf alone, or notMemberOf alone";

const clauseSchema = z
  .strictObject(
    {
      attribute: text()
        .optional()
        .describe("Entra attribute, such as department. userType and employeeType are allowed."),
      operator: text()
        .optional()
        .describe(
          "EQUALS, NOT EQUALS, IS TRUE, IS FALSE, IS NULL, IS NOT NULL, REGEX MATCH, NOT REGEX MATCH, GREATER_THAN, GREATER_THAN_OR_EQUALS, INCLUDES, ENDS_WITH, & or !&; for dates IN THE PAST, IN THE FUTURE, WITHIN DAYS, UP TO DAYS AHEAD or UP TO DAYS AGO. Values are case-sensitive; & and !& test the bits of a whole number.",
        ),
      value: z
        .union([z.string(), z.number(), z.boolean()], { error: "must be text, a number, true or false" })
        .optional()
        .describe(
          "Value to compare with; a number of days for the operators with DAYS. The IS and IN THE operators take no value.",
        ),
      match: choice(["whole", "anywhere"])
        .optional()
        .describe(
          "For REGEX MATCH and NOT REGEX MATCH: whether the whole value (default) or any part of it must match. Entra does not document which of the two it does.",
        ),
      memberOf: text()
        .optional()
        .describe(
          "Instead of attribute and operator: object ID or display name of a group that the person must be a member of.",
        ),
      notMemberOf: text()
        .optional()
        .describe("Instead of attribute and operator: a group that the person must not be a member of."),
    },
    { error: sectionMessage },
  )
  .refine(isOneClause, { error: clauseMessage })
  .describe("One clause.");

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
      name: text().optional().describe("Purpose of the filter, for people who read this file."),
      clauses: z
        .array(clauseSchema, { error: "must be a list of clauses" })
        .min(1, { error: "must have at least one clause" })
        .describe("Clauses that must all hold."),
    },
    { error: sectionMessage },
  )
  .describe("One scoping filter.");

/** People by name. */
function people() {
  return z.array(text("must be a user principal name or an object ID"), {
    error: "must be a list of user principal names and object IDs",
  });
}

const scopeSchema = z
  .strictObject(
    {
      mode: choice(["assigned", "all", "groups"])
        .prefault("assigned")
        .describe(
          "Who is provisioned: the people assigned to the enterprise application (assigned), everyone in the directory (all), or the members of entra.scope.groups (groups).",
        ),
      application: text()
        .optional()
        .describe(
          "For mode assigned: object ID, application (client) ID or display name of the enterprise application whose assignments count. Default: the application of entra.clientId.",
        ),
      groups: z
        .array(text("must be the object ID or the display name of a group"), {
          error: "must be a list of groups",
        })
        .prefault([])
        .describe(
          "For mode groups: object IDs or display names of the groups whose members are provisioned.",
        ),
      nested: flag()
        .prefault(true)
        .describe(
          "Whether members of nested groups count too. Entra's own provisioning counts direct members only.",
        ),
      guests: flag()
        .optional()
        .describe("Whether guest users are provisioned. Default: false for mode all, otherwise true."),
      filters: z
        .array(filterSchema, { error: "must be a list of filters" })
        .prefault([])
        .describe(
          "Scoping filters. A person who passes any one of them is in scope; to pass a filter, all its clauses must hold. An attribute without a value fails every clause except IS NULL.",
        ),
      include: people()
        .prefault([])
        .describe(
          "User principal names or object IDs of people who are always in scope, whatever mode, filters and guests say.",
        ),
      exclude: people()
        .prefault([])
        .describe(
          "User principal names or object IDs of people who are never in scope, even if include names them.",
        ),
      timezone: timeZone()
        .prefault("UTC")
        .describe("Time zone that decides when a day begins, for filters on dates such as employeeHireDate."),
    },
    { error: sectionMessage },
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
      tenantId: text(tenantMessage)
        .refine((value) => guidPattern.test(value) || domainName.test(value), { error: tenantMessage })
        .refine((value) => !placeholders.has(value), { error: placeholderMessage })
        .optional()
        .describe("Directory (tenant) ID, a GUID, or a verified domain name of the directory."),
      clientId: text(clientMessage)
        .refine((value) => guidPattern.test(value), { error: clientMessage })
        .refine((value) => !placeholders.has(value), { error: placeholderMessage })
        .optional()
        .describe("Application (client) ID of the app registration, or of a user-assigned managed identity."),
      clientSecret: secret()
        .optional()
        .describe(
          "Client secret of the app registration. Prefer AZURE_CLIENT_SECRET_FILE or clientSecretFile.",
        ),
      clientSecretFile: text()
        .optional()
        .describe("File that holds the client secret, relative to this file."),
      certificate: z
        .strictObject(
          {
            path: text()
              .optional()
              .describe("PEM file with the certificate and its private key, relative to this file."),
            password: secret().optional().describe("Password of the private key, if it has one."),
            passwordFile: text().optional().describe("File that holds that password, relative to this file."),
          },
          { error: sectionMessage },
        )
        .transform(({ passwordFile: _, ...certificate }) => certificate)
        .prefault({})
        .describe("Client certificate, instead of a client secret."),
      credential: choice(
        credentialKeys,
        `accepts only ${credentialKeys.join(", ")}; a secret belongs in entra.clientSecret`,
      )
        .prefault("auto")
        .describe(
          "How to sign in. auto uses the certificate if its path is set, else the client secret, else workload identity if AZURE_FEDERATED_TOKEN_FILE is set, else the default chain of @azure/identity.",
        ),
      cloud: choice(cloudNames)
        .prefault("global")
        .describe("Microsoft cloud of the directory. It decides the defaults of authorityHost and graphUrl."),
      authorityHost: endpoint()
        .optional()
        .describe("URL of the sign-in service, without a path. Default: the one of entra.cloud."),
      graphUrl: endpoint()
        .optional()
        .describe("URL of Microsoft Graph, without a path. Default: the one of entra.cloud."),
      scope: scopeSchema.prefault({}).describe("Who is provisioned."),
    },
    { error: sectionMessage },
  )
  .transform(({ clientSecretFile: _, ...entra }) => ({
    ...entra,
    authorityHost: entra.authorityHost ?? cloudsByName[entra.cloud].authorityHost,
    graphUrl: entra.graphUrl ?? cloudsByName[entra.cloud].graphUrl,
  }));
