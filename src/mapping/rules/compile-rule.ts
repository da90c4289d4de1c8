import { MappingError, UsageError } from "../../domain/errors.ts";
import type { Json } from "../../domain/json.ts";
import type { AttributeType } from "../../domain/target.ts";
import type { Value } from "../language/value.ts";
import type { AttributeMapping, OnNull } from "./attribute-mapping.ts";
import { type CompiledSource, compileSource } from "./compile-source.ts";
import type { Rule } from "./rule.ts";
import type { MappedAttribute } from "./source-attributes.ts";
import { managerPath, type TargetAttribute, targetAttribute } from "./target-attributes.ts";
import { isNamedTimeZone, type TypedTarget, typedValue } from "./target-type.ts";

/** @throws UsageError if the mapping cannot be applied */
export function checkRule(rule: Rule): void {
  compileRule(rule, "clear");
}

/**
 * Makes a mapping of a rule.
 * @returns also the attributes that it reads and the groups that it names
 * @throws UsageError that names the faults of the rule
 */
export function compileRule(
  rule: Rule,
  onNull: OnNull,
): { readonly mapping: AttributeMapping } & Pick<CompiledSource, "reads" | "groups"> {
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
  if (isNamedTimeZone(rule.timezone)) return rule.timezone;
  throw new UsageError(`"${rule.timezone}" is not a time zone; use an IANA name such as America/Los_Angeles`);
}

/** @throws UsageError if the attribute cannot have an owner, or the owner changes nothing */
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
