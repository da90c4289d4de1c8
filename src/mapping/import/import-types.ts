import type { Rule } from "../rules/rule.ts";
import type { ExportedSchema } from "./exported-schema.ts";
import { importedTarget } from "./import-target.ts";

type RuleType = NonNullable<Rule["type"]>;

/** Entra's types of attributes that are not texts, as a mapping has them. */
const typeNames: { readonly [type: string]: RuleType } = {
  boolean: "boolean",
  datetime: "date",
  integer: "number",
};

/** The types of the target's attributes in an export, by the path as this tool spells it. */
export function importedTypes({
  directories,
  synchronizationRules,
}: ExportedSchema): ReadonlyMap<string, RuleType> {
  const targets = new Set(
    synchronizationRules.flatMap(({ targetDirectoryName }) => targetDirectoryName ?? []),
  );
  const attributes = (directories ?? [])
    .filter(({ name }) => targets.has(name ?? ""))
    .flatMap(({ objects }) => objects ?? [])
    .flatMap((object) => object.attributes ?? []);
  return new Map(
    attributes.flatMap(({ name, type }) => {
      const known = (type ?? "").toLowerCase();
      const found = Object.hasOwn(typeNames, known) ? typeNames[known] : undefined;
      return found === undefined ? [] : [[importedTarget(name), found] as const];
    }),
  );
}
