import { createHash } from "node:crypto";
import { MappingError, UsageError } from "../../domain/errors.ts";
import { joinFaults, type Locate } from "../../domain/faults.ts";
import type { Json } from "../../domain/json.ts";
import type { SourceUser } from "../../domain/source.ts";
import type { AttributeType } from "../../domain/target.ts";
import { compileBounded } from "../language/bounded.ts";
import { groupsIn, unsteadyCall } from "../language/evaluate.ts";
import {
  attributesOf,
  callsOf,
  concealedIn,
  expressionError,
  parseExpression,
} from "../language/expression.ts";
import type { Environment } from "../language/functions/definition.ts";
import { singleStep, type Traced, traceExpression, traceSource } from "../language/trace.ts";
import type { Value } from "../language/value.ts";
import { type Rule, ruleFaults, ruleSchema } from "./rule.ts";
import type { ScopingFilters } from "./scoping-filter.ts";
import { alwaysRead, type MappedAttribute, mappedAttribute, type ReadContext } from "./source-attributes.ts";
import { managerPath, type TargetAttribute, targetAttribute } from "./target-attributes.ts";
import { isTimeZone, type TypedTarget, typedValue } from "./target-type.ts";

export type OnNull = "clear" | "keep";

/** One attribute mapping, ready to be applied. */
export interface AttributeMapping extends TypedTarget {
  /** SCIM path. */
  readonly target: string;
  /** A person without a value of the right type is skipped. */
  readonly required: boolean;
  readonly apply: "always" | "onCreate";
  readonly onNull: OnNull;
  /**
   * Who decides about a value that was edited in Lattice: `entra` (it is corrected), `report` (it is only reported), `lattice`
   * (Entra gives a value where Lattice has none, and changes none); `null`: as the setting `drift` says.
   */
  readonly owner: "entra" | "lattice" | "report" | null;
  /** Sent on create if the source has no value. */
  readonly defaultValue: Json;
  /** 1 is tried first; `null`: not used for matching. */
  readonly matchingPrecedence: number | null;
  /** The value is not shown in reports and logs (Redact). */
  readonly redacted: boolean;
  /** The source of the value, as a person would write it. */
  readonly origin: string;
  /** @throws MappingError if a value of this person has the wrong type */
  readonly evaluate: (user: SourceUser, context: MappingContext) => Value;
  /** The same with the trace of the value, for explanations. */
  readonly trace: (user: SourceUser, context: MappingContext) => Traced;
  /** Graph properties that the value depends on: the person's own, and the manager's. */
  readonly restsOn: { readonly own: readonly string[]; readonly ofManager: readonly string[] };
  /** Source attributes whose value goes through `Redact`: reports show neither them nor values made of them. */
  readonly concealed: readonly string[];
}

/** Everything that a person's values depend on besides the person. */
export interface MappingContext extends ReadContext {
  readonly environment: Environment;
  /** Those of `Mapping.groups` that the person is a member of. */
  readonly groups: ReadonlySet<string>;
}

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

/** @throws UsageError if the mapping cannot be applied */
export function checkRule(rule: Rule): void {
  compileRule(rule, "clear");
}

function compileRule(
  rule: Rule,
  onNull: OnNull,
): { mapping: AttributeMapping; reads: Reads; groups: readonly string[] } {
  const [target, source] = both(
    () => targetAttribute(rule.target),
    () => compileSource(rule),
  );
  const { evaluate, trace, concealed, reads, groups, origin, redacted, reference } = source;
  if ((target.type === "reference") !== reference) {
    throw new UsageError(
      reference
        ? `"manager" is a reference and can only be the source of ${managerPath}; map one of its attributes, such as manager.displayName`
        : `${target.path} is a reference: its source must be "manager"`,
    );
  }
  if (rule.matchingPrecedence !== undefined && target.path !== "userName" && target.path !== "externalId") {
    throw new UsageError(
      "matchingPrecedence is allowed only for userName and externalId, because Lattice can be searched by no other attribute",
    );
  }
  if (target.path === "userName" && reads.some((attribute) => attribute.ofManager)) {
    throw new UsageError("an attribute of the manager cannot be the source of userName");
  }
  if (rule.owner !== undefined) checkOwner(rule.owner, rule, target);
  if ((target.path === "userName" || target.path === "externalId") && groups.length > 0) {
    throw new UsageError(
      `the source of ${target.path} cannot depend on groups: it identifies the person, and people join and leave groups`,
    );
  }
  if (target.type === "reference" && rule.required === true) {
    throw new UsageError('remove "required": a person may have no manager, or a manager without an account');
  }
  const typed = { type: typeOf(rule, target), zone: zoneOf(rule, target) };
  if (rule.constant !== undefined) checkConstant(typed, rule.constant, "constant");
  const mapping: AttributeMapping = {
    target: target.path,
    ...typed,
    required: rule.required ?? target.path === "userName",
    apply: target.createOnly ? "onCreate" : (rule.apply ?? "always"),
    onNull: rule.onNull ?? onNull,
    owner: rule.owner ?? null,
    defaultValue: rule.default === undefined ? null : checkConstant(typed, rule.default, "default"),
    matchingPrecedence: rule.matchingPrecedence ?? null,
    origin,
    redacted,
    evaluate,
    trace,
    concealed,
    restsOn: {
      own: reads.filter(({ ofManager }) => !ofManager).flatMap(propertiesOf),
      ofManager: reads.filter(({ ofManager }) => ofManager).flatMap(propertiesOf),
    },
  };
  return { mapping, reads, groups };
}

/** Both results. @throws UsageError that names the faults of either */
function both<First, Second>(first: () => First, second: () => Second): [First, Second] {
  const attempt = <Result>(action: () => Result): { result: Result } | { fault: UsageError } => {
    try {
      return { result: action() };
    } catch (error) {
      if (error instanceof UsageError) return { fault: error };
      throw error;
    }
  };
  const [left, right] = [attempt(first), attempt(second)];
  if ("result" in left && "result" in right) return [left.result, right.result];
  const faults = [left, right].flatMap((one) => ("fault" in one ? [one.fault.message] : []));
  throw new UsageError(faults.join("; "));
}

function propertiesOf({ property, workedOutFrom = [] }: MappedAttribute): readonly string[] {
  return property === null ? workedOutFrom : [property];
}

function typeOf({ type }: Rule, target: TargetAttribute): AttributeType {
  if (type === undefined || type === target.type) return target.type;
  if (target.choice.includes(type)) return type;
  throw new UsageError(
    target.choice.length === 0
      ? `remove "type": Lattice expects a value of type ${target.type} here`
      : `"type" must be one of ${target.choice.join(", ")} here`,
  );
}

/** @throws UsageError if it is not an Olson time zone, or the value is not a date */
function zoneOf(rule: Rule, target: TargetAttribute): string {
  if (rule.timezone === undefined) return "UTC";
  if (typeOf(rule, target) !== "date")
    throw new UsageError('"timezone" is allowed only in a mapping of type date');
  if (isTimeZone(rule.timezone)) return rule.timezone;
  throw new UsageError(`"${rule.timezone}" is not a time zone; use an IANA name such as America/Los_Angeles`);
}

/** @throws UsageError if nobody can own the attribute, or the owner changes nothing */
function checkOwner(owner: NonNullable<Rule["owner"]>, rule: Rule, target: TargetAttribute): void {
  if (target.path === "userName" || target.path === "externalId" || target.path === "active") {
    throw new UsageError(
      `remove "owner": ${target.path} says whose account it is and whether it may be used, so drift decides for it`,
    );
  }
  if (target.createOnly || rule.apply === "onCreate") {
    throw new UsageError(`remove "owner": the attribute is sent when the account is created and never again`);
  }
  if (owner === "lattice" && rule.onNull !== undefined) {
    throw new UsageError(`remove "onNull": with owner: lattice no value is cleared`);
  }
}

function checkConstant(typed: TypedTarget, value: Value, key: string): Json {
  try {
    return typedValue(typed, value);
  } catch (error) {
    if (error instanceof MappingError) throw new UsageError(`"${key}" ${error.message}`, { cause: error });
    throw error;
  }
}

type Reads = readonly MappedAttribute[];

function compileSource(rule: Rule): Pick<
  AttributeMapping,
  "evaluate" | "trace" | "concealed" | "origin" | "redacted"
> & {
  reads: Reads;
  groups: readonly string[];
  reference: boolean;
} {
  if (rule.constant !== undefined) {
    const { constant } = rule;
    const origin = JSON.stringify(constant);
    return {
      evaluate: () => constant,
      trace: () => ({ outcome: constant, trace: singleStep("constant", origin, constant) }),
      concealed: [],
      reads: [],
      groups: [],
      origin,
      redacted: false,
      reference: false,
    };
  }
  if (rule.source !== undefined) {
    const attribute = mappedAttribute(rule.source);
    const { read, reference } = attribute;
    const { source } = rule;
    return {
      evaluate: read,
      trace: (user, context) => traceSource(source, () => read(user, context)),
      concealed: [],
      reads: [attribute],
      groups: [],
      origin: source,
      redacted: false,
      reference,
    };
  }
  const text = rule.expression ?? "";
  const tree = parseExpression(text);
  // First: if a function cannot be used, that says more than an unreadable attribute.
  const evaluator = compileBounded(tree, text);
  const readers = new Map(
    [...attributesOf(tree)].map(([name, offset]) => [name, attributeAt(name, offset, text)]),
  );
  const unsteady = unsteadyCall(tree);
  if (unsteady !== undefined && (rule.apply !== "onCreate" || rule.matchingPrecedence !== undefined)) {
    throw new UsageError(
      `${unsteady}() gives a different value each time: it needs apply: onCreate and cannot be used for matching`,
    );
  }
  const reader = (user: SourceUser, context: MappingContext) => (name: string) =>
    readers.get(name)?.read(user, context) ?? null;
  const groups = groupsIn(tree);
  const environmentOf = ({ environment, groups: joined }: MappingContext): Environment =>
    groups.length === 0 ? environment : { ...environment, isMember: (group) => joined.has(group) };
  return {
    evaluate: (user, context) => evaluator(reader(user, context), environmentOf(context)),
    trace: (user, context) => traceExpression(tree, text, reader(user, context), environmentOf(context)),
    concealed: concealedIn(tree).map((name) => {
      const reader = readers.get(name);
      return reader === undefined || reader.ofManager ? name : (reader.property ?? name);
    }),
    reads: [...readers.values()],
    groups,
    origin: text,
    redacted: callsOf(tree).includes("Redact"),
    reference: false,
  };
}

function attributeAt(name: string, offset: number, text: string): MappedAttribute {
  try {
    return mappedAttribute(name);
  } catch (error) {
    if (error instanceof UsageError) throw expressionError(text, offset, error.message);
    throw error;
  }
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
