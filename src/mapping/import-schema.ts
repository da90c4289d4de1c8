import { z } from "zod";
import { UsageError } from "../domain/errors.ts";
import { parseExpression } from "./expression.ts";
import { checkRule, type Rule } from "./mapping.ts";
import { parseScopingFilters } from "./scoping-filter.ts";
import { managerPath, targetAttribute } from "./target-attributes.ts";

// Reads a provisioning schema as Entra exports it ("synchronizationSchema" of Microsoft Graph) and says what this tool
// makes of it. Unknown parts of the export are passed over: it holds thousands of lines that are of no concern here.

interface Source {
  readonly expression?: string | null | undefined;
  readonly name?: string | null | undefined;
  readonly type?: string | null | undefined;
  readonly parameters?: readonly { readonly value?: Source | null | undefined }[] | null | undefined;
}

const sourceSchema: z.ZodType<Source> = z.lazy(() =>
  z.object({
    expression: z.string().nullish(),
    name: z.string().nullish(),
    type: z.string().nullish(),
    parameters: z.array(z.object({ value: sourceSchema.nullish() })).nullish(),
  }),
);

const attributeSchema = z.object({
  targetAttributeName: z.string(),
  matchingPriority: z.int().min(0).nullish(),
  defaultValue: z.string().nullish(),
  flowType: z.string().nullish(),
  source: sourceSchema.nullish(),
});

const groupSchema = z.object({
  name: z.string().nullish(),
  clauses: z.array(
    z.object({
      sourceOperandName: z.string(),
      operatorName: z.string(),
      targetOperand: z.object({ values: z.array(z.union([z.string(), z.number(), z.boolean()])) }).nullish(),
    }),
  ),
});

const objectMappingSchema = z.object({
  name: z.string().nullish(),
  enabled: z.boolean().nullish(),
  flowTypes: z.string().nullish(),
  sourceObjectName: z.string().nullish(),
  scope: z
    .object({
      groups: z.array(groupSchema).nullish(),
      inputFilterGroups: z.array(z.unknown()).nullish(),
      categoryFilterGroups: z.array(z.unknown()).nullish(),
    })
    .nullish(),
  attributeMappings: z.array(attributeSchema),
});

const exportSchema = z.object({
  synchronizationRules: z.array(
    z.object({
      priority: z.number().nullish(),
      objectMappings: z.array(objectMappingSchema),
    }),
  ),
});

type AttributeMapping = z.infer<typeof attributeSchema>;
type ObjectMapping = z.infer<typeof objectMappingSchema>;

/** A part of this tool's configuration, made from an export. */
export interface Imported {
  readonly config: {
    readonly entra?: { readonly scope: { readonly filters: readonly object[] } };
    readonly actions: { readonly create: boolean; readonly update: boolean; readonly deactivate: boolean };
    readonly mapping: readonly Rule[];
  };
  /** What was not carried over, or not as it was, and why: a sentence each. */
  readonly notes: readonly string[];
}

/**
 * @param json content of the exported file
 * @param origin its name, for messages
 * @throws UsageError where it is no such export, or holds a filter that cannot be carried over: without it others would
 * be in scope
 */
export function importSchema(json: unknown, origin: string): Imported {
  const parsed = exportSchema.safeParse(json);
  if (!parsed.success) {
    throw new UsageError(
      `${origin} is no provisioning schema as Entra exports it (synchronizationRules with objectMappings): ${z.prettifyError(parsed.error)}`,
    );
  }
  const notes: string[] = [];
  const users = userMapping(parsed.data.synchronizationRules, origin, notes);
  const filters = filtersOf(users, origin);
  const mapping = users.attributeMappings.flatMap((attribute) => ruleOf(attribute, notes) ?? []);
  const flows = new Set((users.flowTypes ?? "Add, Update, Delete").split(",").map((flow) => flow.trim()));
  if (flows.has("Delete")) {
    notes.push("Delete: Lattice accounts are never deleted; whoever is gone is deactivated");
  }
  const update = flows.has("Update");
  return {
    config: {
      ...(filters.length === 0 ? {} : { entra: { scope: { filters } } }),
      // To Entra, switching an account off is an update.
      actions: { create: flows.has("Add"), update, deactivate: update },
      mapping,
    },
    notes,
  };
}

type Rules = z.infer<typeof exportSchema>["synchronizationRules"];

function userMapping(rules: Rules, origin: string, notes: string[]): ObjectMapping {
  const all = [...rules]
    .sort((left, right) => (left.priority ?? 0) - (right.priority ?? 0))
    .flatMap(({ objectMappings }) => objectMappings);
  const [users, ...others] = all.filter(({ sourceObjectName }) => sourceObjectName?.toLowerCase() === "user");
  if (users === undefined) throw new UsageError(`${origin} has no mapping of users`);
  if (users.enabled === false) notes.push(`${users.name ?? "the mapping of users"}: it is disabled in Entra`);
  for (const { name } of others) {
    notes.push(`${name ?? "a second mapping of users"}: left out, one mapping of users is taken`);
  }
  for (const { name, sourceObjectName, enabled } of all) {
    if (sourceObjectName?.toLowerCase() === "user" || enabled === false) continue;
    notes.push(`${name ?? sourceObjectName ?? "a mapping"}: left out, Lattice takes users alone`);
  }
  return users;
}

/** @throws UsageError where one cannot be carried over */
function filtersOf({ scope }: ObjectMapping, origin: string): readonly object[] {
  const experimental = [...(scope?.inputFilterGroups ?? []), ...(scope?.categoryFilterGroups ?? [])];
  if (experimental.length > 0) {
    throw new UsageError(
      `${origin} has inputFilterGroups or categoryFilterGroups, which cannot be carried over, and without them others would be in scope; nothing was written`,
    );
  }
  const filters = (scope?.groups ?? []).map(({ name, clauses }) => ({
    ...(name ? { name } : {}),
    clauses: clauses.map(({ sourceOperandName, operatorName, targetOperand }) => {
      const values = targetOperand?.values ?? [];
      if (values.length > 1) {
        throw new UsageError(
          `${origin}: the scoping filter on ${sourceOperandName} compares with ${values.length} values, which cannot be carried over; nothing was written`,
        );
      }
      const [value] = values;
      return {
        attribute: sourceOperandName,
        operator: operatorName,
        ...(value === undefined ? {} : { value }),
      };
    }),
  }));
  try {
    parseScopingFilters(filters, { guests: true });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${origin}: ${error.message}; nothing was written`, { cause: error });
  }
  return filters;
}

/** `null` where it is left out; the notes say why. */
function ruleOf(attribute: AttributeMapping, notes: string[]): Rule | null {
  const { targetAttributeName, source, flowType, matchingPriority } = attribute;
  const leave = (reason: string): null => {
    notes.push(`${targetAttributeName}: left out; ${reason}`);
    return null;
  };
  try {
    const target = targetAttribute(targetAttributeName);
    const from = sourcePart(source ?? null, attribute.defaultValue ?? null);
    if (from === null) return leave("it has neither a source nor a default");
    const onCreate = target.createOnly || flowType === "ObjectAddOnly" || source == null;
    const matches = (matchingPriority ?? 0) > 0;
    const searchable = target.path === "userName" || target.path === "externalId";
    const rule: Rule = {
      target: target.path,
      ...from,
      ...(matches && searchable ? { matchingPrecedence: matchingPriority ?? 1 } : {}),
      ...(onCreate ? { apply: "onCreate" as const } : {}),
      ...(source == null || !attribute.defaultValue ? {} : { default: attribute.defaultValue }),
    };
    checkRule(rule);
    if (matches && !searchable) {
      notes.push(
        `${target.path}: carried over, but not for matching: Lattice is searched by userName and externalId alone`,
      );
    }
    if (flowType?.endsWith("AddOnly") === true && flowType !== "ObjectAddOnly") {
      notes.push(`${target.path}: carried over as always applied, ${flowType} is not known here`);
    }
    return rule;
  } catch (error) {
    if (error instanceof UsageError) return leave(error.message.split("\n")[0] ?? "");
    throw error;
  }
}

function sourcePart(
  source: Source | null,
  defaultValue: string | null,
): Pick<Rule, "source"> | Pick<Rule, "constant"> | Pick<Rule, "expression"> | null {
  if (source === null) return defaultValue === null ? null : { constant: defaultValue };
  const text = source.expression ?? textOf(source);
  const tree = parseExpression(text);
  if (tree.kind === "attribute") return { source: tree.name === managerPath ? "manager" : tree.name };
  if (tree.kind === "constant") return { constant: tree.value };
  return { expression: text };
}

/** The text form of a source that has only the tree. */
function textOf({ type, name, parameters }: Source): string {
  switch (type) {
    case "Attribute":
      return `[${name ?? ""}]`;
    case "Constant":
      // Some exports have it in quotation marks already.
      return /^".*"$/s.test(name ?? "") ? (name ?? "") : `"${(name ?? "").replaceAll(/[\\"]/g, "\\$&")}"`;
    default: {
      const written = (parameters ?? []).map(({ value }) => (value == null ? "" : textOf(value)));
      return `${name ?? ""}(${written.join(", ")})`;
    }
  }
}
