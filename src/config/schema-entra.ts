import { z } from "zod";
import { CLOUD_NAMES, CLOUDS } from "./clouds.ts";
import { choice, endpoint, flag, SECTION_MESSAGE, secret, text } from "./fields.ts";

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DOMAIN_NAME = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/i;

const TENANT_MESSAGE =
  "must be the directory (tenant) id, a GUID, or one of its verified domain names such as example.onmicrosoft.com";

const CREDENTIALS = [
  "auto",
  "clientSecret",
  "certificate",
  "managedIdentity",
  "workloadIdentity",
  "default",
] as const;

const filterSchema = z
  .strictObject(
    {
      name: text().optional().describe("What the filter is for, in your words."),
      clauses: z
        .array(
          z
            .strictObject(
              {
                attribute: text().describe("Entra attribute, such as department."),
                operator: text().describe(
                  "EQUALS, NOT EQUALS, IS TRUE, IS FALSE, IS NULL, IS NOT NULL, REGEX MATCH, NOT REGEX MATCH, GREATER_THAN, GREATER_THAN_OR_EQUALS, INCLUDES, ENDS_WITH, & or !&. Case counts; the last two test bits of whole numbers.",
                ),
                value: z
                  .union([z.string(), z.number(), z.boolean()], {
                    error: "must be text, a number, true or false",
                  })
                  .optional()
                  .describe("What the attribute is compared with; the IS operators take none."),
                match: choice(["whole", "anywhere"])
                  .optional()
                  .describe(
                    "With REGEX MATCH and NOT REGEX MATCH: whether the whole value must match (default) or any part of it. Entra does not document which.",
                  ),
              },
              { error: SECTION_MESSAGE },
            )
            .describe("One condition."),
          { error: "must be a list of clauses" },
        )
        .min(1, { error: "must be a list of at least one clause" })
        .describe("Conditions that must all hold."),
    },
    { error: SECTION_MESSAGE },
  )
  .describe("One scoping filter.");

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
        .optional()
        .describe("Directory (tenant) id, a GUID, or a verified domain name of the directory."),
      clientId: text()
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
