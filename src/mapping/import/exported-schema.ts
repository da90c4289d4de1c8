import { z } from "zod";
import { UsageError } from "../../domain/errors.ts";

// The shape of a provisioning schema as Entra exports it ("synchronizationSchema" of Microsoft Graph), as far as it
// concerns this tool. Unknown parts are ignored: the lists of attributes of both directories alone have thousands of lines,
// and do not say which value a person gets.

/** The source of a value: as text, as a tree, or as both. */
export interface ExportedSource {
  readonly expression?: string | null | undefined;
  readonly name?: string | null | undefined;
  readonly type?: string | null | undefined;
  readonly parameters?: readonly ExportedParameter[] | null | undefined;
}

export interface ExportedParameter {
  readonly key?: string | null | undefined;
  readonly value?: ExportedSource | null | undefined;
}

const sourceSchema: z.ZodType<ExportedSource> = z.lazy(() =>
  z.object({
    expression: z.string().nullish(),
    name: z.string().nullish(),
    type: z.string().nullish(),
    parameters: z.array(z.object({ key: z.string().nullish(), value: sourceSchema.nullish() })).nullish(),
  }),
);

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const attributeSchema = z.object({
  targetAttributeName: z.string(),
  matchingPriority: z.int().min(0).nullish(),
  defaultValue: scalar.transform((value) => (typeof value === "string" ? value : asWritten(value))).nullish(),
  flowType: z.string().nullish(),
  flowBehavior: z.string().nullish(),
  exportMissingReferences: z.boolean().nullish(),
  source: sourceSchema.nullish(),
});

const groupSchema = z.object({
  name: z.string().nullish(),
  clauses: z.array(
    z.object({
      sourceOperandName: z.string(),
      operatorName: z.string(),
      targetOperand: z.object({ values: z.array(scalar).nullish() }).nullish(),
    }),
  ),
});

const objectMappingSchema = z.object({
  name: z.string().nullish(),
  enabled: z.boolean().nullish(),
  flowTypes: z.string().nullish(),
  sourceObjectName: z.string().nullish(),
  targetObjectName: z.string().nullish(),
  scope: z
    .object({
      groups: z.array(groupSchema).nullish(),
      inputFilterGroups: z.array(z.unknown()).nullish(),
      categoryFilterGroups: z.array(z.unknown()).nullish(),
    })
    .nullish(),
  attributeMappings: z.array(attributeSchema),
});

const directorySchema = z.object({
  name: z.string().nullish(),
  objects: z
    .array(
      z.object({
        attributes: z.array(z.object({ name: z.string(), type: z.string().nullish() })).nullish(),
      }),
    )
    .nullish(),
});

const exportSchema = z.object({
  // Needed only for the types: an unexpected form is ignored.
  directories: z.array(directorySchema).nullish().catch(null),
  synchronizationRules: z.array(
    z.object({
      name: z.string().nullish(),
      priority: z.number().nullish(),
      sourceDirectoryName: z.string().nullish(),
      targetDirectoryName: z.string().nullish(),
      objectMappings: z.array(objectMappingSchema),
    }),
  ),
});

export type ExportedSchema = z.infer<typeof exportSchema>;
export type ExportedRule = ExportedSchema["synchronizationRules"][number];
export type ExportedObjectMapping = z.infer<typeof objectMappingSchema>;
export type ExportedAttributeMapping = z.infer<typeof attributeSchema>;

/**
 * Reads a schema as the portal, Graph or a shell writes it. PowerShell's own module begins the names with a capital.
 * @param origin name of the file, for messages
 * @throws UsageError if it is not such an export
 */
export function parseExportedSchema(json: unknown, origin: string): ExportedSchema {
  const parsed = exportSchema.safeParse(withSmallInitials(json));
  if (parsed.success) return parsed.data;
  const hint = isCutOff(json)
    ? "PowerShell's ConvertTo-Json has cut it off: export it again with -Depth 100"
    : z.prettifyError(parsed.error);
  throw new UsageError(
    `${origin} is not a provisioning schema exported from Entra (synchronizationRules with objectMappings): ${hint}`,
  );
}

function asWritten(value: number | boolean): string {
  return typeof value === "number" ? String(value) : value ? "True" : "False";
}

function withSmallInitials(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(withSmallInitials);
  if (typeof json !== "object" || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [
      key.charAt(0).toLowerCase() + key.slice(1),
      withSmallInitials(value),
    ]),
  );
}

/** Below its depth, ConvertTo-Json writes the name of the type, or `@{…}`, instead of what is there. */
function isCutOff(json: unknown): boolean {
  return /"(?:@\{|System\.(?:Object|Collections)|Microsoft\.Graph\.PowerShell)/.test(
    JSON.stringify(json) ?? "",
  );
}
