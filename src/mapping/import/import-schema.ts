import { UsageError } from "../../domain/errors.ts";
import { joinFaults } from "../../domain/faults.ts";
import { parseExpression } from "../language/expression.ts";
import { checkRule } from "../rules/compile-rule.ts";
import type { Rule } from "../rules/rule.ts";
import { parseScopingFilters } from "../rules/scoping-filter.ts";
import { managerPath, targetAttribute } from "../rules/target-attributes.ts";
import {
  type ExportedAttributeMapping,
  type ExportedObjectMapping,
  type ExportedRule,
  type ExportedSource,
  parseExportedSchema,
} from "./exported-schema.ts";
import { sourceText } from "./import-source.ts";
import { importedTarget } from "./import-target.ts";
import { importedTypes } from "./import-types.ts";

/** A part of this tool's configuration, made from an export. */
export interface Imported {
  readonly config: {
    readonly entra?: { readonly scope: { readonly filters: readonly object[] } };
    readonly actions: { readonly create: boolean; readonly update: boolean; readonly deactivate: boolean };
    readonly mapping: readonly Rule[];
  };
  /** Parts that were not imported, or were imported with a change, and why: a sentence each. */
  readonly notes: readonly string[];
}

/** Settings that Entra keeps elsewhere, or handles differently whatever the export says: for a person to decide, a sentence each. */
export const notInExport: readonly string[] = [
  "scope (all or assigned users): set entra.scope.mode. The default is assigned, with the application of entra.clientId unless entra.scope.application names another",
  "accidental deletion threshold: set guard.maxDeactivations and guard.maxDeactivationPercent. The guard is on by default",
  "SkipOutOfScopeDeletions: actions.outOfScope: ignore keeps the accounts of people who are no longer in scope unchanged",
  "cleared values: Entra never clears a value in Lattice, but this program does; to do as Entra does, set onNull: keep",
  "credentials and notification e-mail: not part of an export",
];

/**
 * Converts a provisioning schema that Entra has exported into this tool's configuration.
 * @param json content of the exported file
 * @param origin its name, for messages
 * @throws UsageError if it is not such an export, maps no userName, or has a filter that cannot be converted: without the
 * filter, other people would be in scope
 */
export function importSchema(json: unknown, origin: string): Imported {
  const schema = parseExportedSchema(json, origin);
  const notes: string[] = [];
  const users = userMapping(schema.synchronizationRules, origin, notes);
  const filters = filtersOf(users, origin);
  const mapping = mappingOf(users, importedTypes(schema), { origin, notes });
  return {
    config: {
      ...(filters.length === 0 ? {} : { entra: { scope: { filters } } }),
      actions: actionsOf(users, notes),
      mapping,
    },
    notes,
  };
}

/** The user mapping that counts: of the enabled ones, that of the rule with the lowest number. */
function userMapping(rules: readonly ExportedRule[], origin: string, notes: string[]): ExportedObjectMapping {
  const all = [...rules]
    .sort((left, right) => (left.priority ?? 0) - (right.priority ?? 0))
    .flatMap((rule) => rule.objectMappings.map((mapping) => ({ rule, mapping })));
  const candidates = all.filter(
    ({ rule, mapping }) => mapping.sourceObjectName?.toLowerCase() === "user" && !isInbound(rule),
  );
  const chosen = candidates.find(({ mapping }) => mapping.enabled !== false) ?? candidates[0];
  if (chosen === undefined) throw new UsageError(`${origin} has no mapping of users; nothing was written`);
  for (const { rule, mapping } of all) {
    if (mapping === chosen.mapping) continue;
    const { name, sourceObjectName, enabled } = mapping;
    const why = isInbound(rule)
      ? "it writes into Entra"
      : sourceObjectName?.toLowerCase() === "user"
        ? "only one mapping of users is imported"
        : "Lattice accepts only users";
    const off = enabled === false ? " (it is disabled in Entra)" : "";
    notes.push(`${name ?? sourceObjectName ?? "a mapping"}: left out, ${why}${off}`);
  }
  return chosen.mapping;
}

function isInbound({ targetDirectoryName }: ExportedRule): boolean {
  return /^(azure active directory|microsoft entra id|active directory)$/i.test(targetDirectoryName ?? "");
}

function actionsOf(users: ExportedObjectMapping, notes: string[]): Imported["config"]["actions"] {
  if (users.enabled === false) {
    notes.push(
      `${users.name ?? "the mapping of users"}: it is disabled in Entra, so all actions are off; turn on the ones you want under actions`,
    );
    return { create: false, update: false, deactivate: false };
  }
  const flows = (users.flowTypes ?? "Add, Update, Delete")
    .split(",")
    .map((flow) => flow.trim())
    .filter((flow) => flow !== "" && flow.toLowerCase() !== "none");
  const has = (wanted: string): boolean => flows.some((flow) => flow.toLowerCase() === wanted);
  if (has("delete")) {
    notes.push(
      "Delete: Lattice accounts are never deleted; the accounts of people who have left are deactivated",
    );
  }
  for (const flow of flows) {
    if (!/^(add|update|delete)$/i.test(flow))
      notes.push(`${flow}: left out; this target object action is not known`);
  }
  const update = has("update");
  // To Entra, deactivating an account is an update.
  if (!update)
    notes.push("Update is off in Entra: deactivations are off too, because Entra counts them as updates");
  return { create: has("add"), update, deactivate: update };
}

/** @throws UsageError that names every filter that cannot be converted */
function filtersOf({ scope }: ExportedObjectMapping, origin: string): readonly object[] {
  const faults: string[] = [];
  for (const kind of ["inputFilterGroups", "categoryFilterGroups"] as const) {
    if ((scope?.[kind]?.length ?? 0) > 0) faults.push(`${kind} are not known`);
  }
  const filters = (scope?.groups ?? []).map(({ name, clauses }) => {
    if (clauses.length === 0) faults.push(`the scoping filter "${name ?? ""}" has no clause`);
    return { ...(name ? { name } : {}), clauses: clauses.map((clause) => clauseOf(clause, faults)) };
  });
  if (faults.length > 0) {
    const others = "without it other people would be in scope. Nothing was written";
    throw new UsageError(joinFaults(faults.map((fault) => `${origin}: ${fault}: ${others}`)));
  }
  return filters;
}

type ExportedClause = NonNullable<
  NonNullable<ExportedObjectMapping["scope"]>["groups"]
>[number]["clauses"][number];

function clauseOf(
  { sourceOperandName, operatorName, targetOperand }: ExportedClause,
  faults: string[],
): object {
  // The portal writes an empty value for operators that take none.
  const unary = /^IS[ _](?:NOT[ _])?(?:NULL|TRUE|FALSE)$/i.test(operatorName.trim());
  const values = unary ? [] : (targetOperand?.values ?? []);
  const [value] = values;
  const clause = {
    attribute: sourceOperandName,
    operator: operatorName,
    ...(value === undefined ? {} : { value }),
  };
  if (values.length > 1) {
    faults.push(`the scoping filter on ${sourceOperandName} compares with ${values.length} values`);
    return clause;
  }
  try {
    parseScopingFilters([{ clauses: [clause] }], { guests: true });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    faults.push(error.message);
  }
  return clause;
}

/** @throws UsageError if userName is not among them */
function mappingOf(
  { attributeMappings }: ExportedObjectMapping,
  types: ReturnType<typeof importedTypes>,
  { origin, notes }: { readonly origin: string; readonly notes: string[] },
): readonly Rule[] {
  const taken = new Set<string>();
  const rules = attributeMappings.flatMap((attribute): Rule[] => {
    const rule = ruleOf(attribute, types, notes);
    if (rule === null) return [];
    if (taken.has(rule.target)) {
      notes.push(`${rule.target}: its second mapping is left out; an attribute can have only one`);
      return [];
    }
    taken.add(rule.target);
    return [rule];
  });
  if (!taken.has("userName")) {
    throw new UsageError(
      joinFaults([
        `${origin}: nothing usable is mapped to userName, which Lattice requires. Nothing was written`,
        ...notes.filter((text) => text.startsWith("userName")),
      ]),
    );
  }
  if (rules.some(({ matchingPrecedence }) => matchingPrecedence !== undefined)) return rules;
  notes.push(
    "matching: Entra matches by neither userName nor externalId, but Lattice can be searched only by these; userName is used",
  );
  return rules.map((rule) => (rule.target === "userName" ? { ...rule, matchingPrecedence: 1 } : rule));
}

/** `null` if it is left out; the notes say why. */
function ruleOf(
  attribute: ExportedAttributeMapping,
  types: ReturnType<typeof importedTypes>,
  notes: string[],
): Rule | null {
  const { source = null, matchingPriority } = attribute;
  const name = importedTarget(attribute.targetAttributeName);
  const defaultValue = attribute.defaultValue ?? "";
  const from = source === null ? "" : attributeOf(source);
  const label = from === "" ? name : `${name} (from ${from})`;
  try {
    const target = targetAttribute(name);
    const part = sourcePart(source, defaultValue);
    if (part === null) {
      notes.push(`${label}: left out; it has neither a source nor a default`);
      return null;
    }
    const flow = flowOf(attribute, target.path);
    const onCreate = target.createOnly || flow.onCreate || source === null;
    const matches = (matchingPriority ?? 0) > 0;
    const searchable = target.path === "userName" || target.path === "externalId";
    const type = types.get(target.path);
    const rule: Rule = {
      target: target.path,
      ...part,
      ...(type !== undefined && type !== target.type && target.choice.includes(type) ? { type } : {}),
      ...(matches && searchable ? { matchingPrecedence: matchingPriority ?? 1 } : {}),
      ...(onCreate ? { apply: "onCreate" as const } : {}),
      ...(source === null || defaultValue === "" ? {} : { default: defaultValue }),
    };
    checkRule(rule);
    notes.push(...flow.notes);
    if (matches && !searchable) {
      notes.push(
        `${target.path}: imported, but not for matching: Lattice can be searched only by userName and externalId`,
      );
    }
    if (target.createOnly && !flow.onCreate && source !== null) {
      notes.push(
        `${target.path}: imported for new accounts only, because Lattice never changes it afterwards`,
      );
    }
    return rule;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    notes.push(`${label}: left out; ${error.message.split("\n")[0] ?? ""}`);
    return null;
  }
}

function flowOf(
  { flowType, flowBehavior, exportMissingReferences }: ExportedAttributeMapping,
  path: string,
): { onCreate: boolean; notes: readonly string[] } {
  const type = (flowType ?? "Always").trim().toLowerCase();
  const onCreate = type === "objectaddonly";
  const notes: string[] = [];
  if (!onCreate && type !== "always" && type !== "") {
    notes.push(`${path}: imported as always applied; ${flowType} is not known`);
  }
  if (flowBehavior?.trim().toLowerCase() === "flowalways") {
    notes.push(
      `${path}: imported; a value is sent only when Lattice has a different one, not in each cycle (FlowAlways)`,
    );
  }
  if (exportMissingReferences === true) {
    notes.push(
      `${path}: imported without exportMissingReferences; it is set as soon as the referenced person has an account`,
    );
  }
  return { onCreate, notes };
}

/** The attribute that is the whole source; empty if the source is something else. */
function attributeOf(source: ExportedSource): string {
  return /^\s*\[([^[\]]+(?:\[\d+\])?)\]\s*$/.exec(sourceText(source))?.[1] ?? "";
}

function sourcePart(
  source: ExportedSource | null,
  defaultValue: string,
): Pick<Rule, "source"> | Pick<Rule, "constant"> | Pick<Rule, "expression"> | null {
  if (source === null) return defaultValue === "" ? null : { constant: defaultValue };
  const text = sourceText(source);
  const tree = parseExpression(text);
  if (tree.kind === "attribute") return { source: tree.name === managerPath ? "manager" : tree.name };
  if (tree.kind === "constant") return { constant: tree.value };
  return { expression: text };
}
