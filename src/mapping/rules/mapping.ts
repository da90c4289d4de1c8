import { createHash } from "node:crypto";
import { UsageError } from "../../domain/errors.ts";
import { joinFaults, type Locate } from "../../domain/faults.ts";
import type { AttributeMapping, OnNull } from "./attribute-mapping.ts";
import { compileRule } from "./compile-rule.ts";
import { ruleFaults, ruleSchema } from "./rule.ts";
import type { ScopingFilters } from "./scoping-filter.ts";
import { alwaysRead } from "./source-attributes.ts";

/** All attribute mappings and scoping filters of a configuration. */
export interface Mapping {
  readonly attributes: readonly AttributeMapping[];
  /** Target paths used to find an existing account, in the order of precedence. */
  readonly matching: readonly ("userName" | "externalId")[];
  /** Graph properties to read, `manager` included if it is mapped. */
  readonly select: readonly string[];
  /** Those of them that are read from the manager: a change of one concerns the reports. */
  readonly ofManager: readonly string[];
  /** SCIM paths that are written. */
  readonly paths: readonly string[];
  readonly filters: ScopingFilters;
  /** Groups whose members must be known, as the configuration names them: those of the scoping filters and of expressions. */
  readonly groups: readonly string[];
  /** Changes if two plans from the same data could differ. */
  readonly digest: string;
}

/**
 * Reads a mapping as written in YAML.
 * @param raw the list of attribute mappings
 * @param options.origin the name of its file, for messages; `locate` gives the place of each part of it
 * @throws UsageError that names every fault, one a line
 */
export function parseMapping(
  raw: unknown,
  options: {
    origin: string;
    locate?: Locate | undefined;
    onNull: OnNull;
    filters: ScopingFilters;
    digestOf?: unknown;
  },
): Mapping {
  const { origin, locate = () => origin } = options;
  if (!Array.isArray(raw) || raw.length === 0) {
    throw new UsageError(
      `${origin}: the mapping must be a list of attribute mappings, each with a target and a source`,
    );
  }
  const faults: string[] = [];
  const attributes: AttributeMapping[] = [];
  const properties = new Set([...alwaysRead, ...options.filters.properties]);
  const ofManager = new Set<string>();
  const groups = new Set(options.filters.groups);

  raw.forEach((item: unknown, index) => {
    const parsed = ruleSchema.safeParse(item);
    if (!parsed.success) {
      for (const { path, text } of ruleFaults(parsed.error.issues, item))
        faults.push(`${locate([index, ...path])}: mapping ${index + 1}: ${text}`);
      return;
    }
    const place = `${locate([index])}: `;
    const { target } = parsed.data;
    try {
      const { mapping, reads, groups: named } = compileRule(parsed.data, options.onNull);
      if (attributes.some((other) => other.target === mapping.target))
        faults.push(`${place}${mapping.target} is mapped twice`);
      attributes.push(mapping);
      for (const group of named) groups.add(group);
      for (const attribute of reads) {
        if (attribute.property !== null) properties.add(attribute.property);
        if (!attribute.ofManager) continue;
        properties.add("manager");
        if (attribute.property !== null) ofManager.add(attribute.property);
      }
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      faults.push(`${place}mapping ${index + 1} (${target}): ${error.message}`);
    }
  });

  if (faults.length === 0) faults.push(...missing(attributes).map((fault) => `${origin}: ${fault}`));
  if (faults.length > 0) throw new UsageError(joinFaults(faults));

  return {
    attributes,
    matching: matchingOrder(attributes),
    select: [...properties],
    ofManager: [...ofManager],
    paths: attributes.map((attribute) => attribute.target),
    filters: options.filters,
    groups: [...groups],
    digest: createHash("sha256")
      .update(JSON.stringify([raw, options.onNull, options.digestOf ?? null]))
      .digest("hex"),
  };
}

function missing(attributes: readonly AttributeMapping[]): string[] {
  const faults: string[] = [];
  if (!attributes.some(({ target }) => target === "userName"))
    faults.push("userName is not mapped, but Lattice requires it");
  if (matchingOrder(attributes).length === 0) {
    faults.push(
      "no mapping has a matchingPrecedence: existing Lattice accounts could not be found and would be created twice",
    );
  }
  return faults;
}

function matchingOrder(attributes: readonly AttributeMapping[]): ("userName" | "externalId")[] {
  return attributes
    .filter((attribute) => attribute.matchingPrecedence !== null)
    .sort((left, right) => (left.matchingPrecedence ?? 0) - (right.matchingPrecedence ?? 0))
    .flatMap(({ target }) => (target === "userName" || target === "externalId" ? [target] : []));
}
