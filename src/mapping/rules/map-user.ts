import { MappingError } from "../../domain/errors.ts";
import type { Json } from "../../domain/json.ts";
import type { SourceUser } from "../../domain/source.ts";
import type { Environment } from "../language/functions/definition.ts";
import { ignoreFlow } from "../language/value.ts";
import type { AttributeMapping, MappingContext } from "./attribute-mapping.ts";
import type { Mapping } from "./mapping.ts";
import { shortPath } from "./target-attributes.ts";
import { typedValue } from "./target-type.ts";

/** The values that Lattice should have for one person. */
export interface MappedUser {
  readonly userName: string | null;
  readonly externalId: string | null;
  /** `null` if `active` is not mapped. */
  readonly active: boolean | null;
  /** The scoping filter that the person fails, in words; `null` if the person passes. */
  readonly filteredOut: string | null;
  /** Kept out by name (`entra.scope.exclude`), not by a filter. */
  readonly excluded: boolean;
  /** When time alone may change whether the person passes, milliseconds since the epoch. */
  readonly lookAgainAt: number | null;
  /**
   * Every mapped attribute except references, in the order of the mapping; `null` if there is no value. Attributes that keep
   * their value this time are not included.
   */
  readonly values: readonly { readonly mapping: AttributeMapping; readonly value: Json }[];
  /** The reference mapping (the manager), if any; its value is `SourceUser.managerId`. */
  readonly reference: AttributeMapping | null;
  /** Attributes that could not be computed for this person. They keep their value. */
  readonly problems: readonly MappingProblem[];
  /** Required attributes without a value: why the person is skipped, and whether only a new account needs it. */
  readonly lacking: readonly { readonly reason: string; readonly onCreate: boolean }[];
  /** Attributes that depend on properties which the directory did not show. They are also among the problems, and keep their value. */
  readonly unshown: readonly UnshownAttribute[];
  /** Properties that the scoping filters need and the directory did not show: whether the person passes is unknown. */
  readonly scopeUnshown: readonly string[];
}

/** An attribute that depends on properties which the directory did not show. */
export interface UnshownAttribute {
  readonly target: string;
  readonly properties: readonly string[];
}

export interface MappingProblem {
  readonly target: string;
  /** In words, with the value at fault. */
  readonly reason: string;
  /** The same without the value, which is the person's own: what a log may hold. */
  readonly rule: string;
}

/**
 * Maps one person: a pure function of the source user, the scope decision and the configuration.
 * @param state `member`: the person is a member of the scope; scoping filters are decided here. `groups`: those of
 * `Mapping.groups` that the person is a member of. `manager`: the person's manager as last read; absent if Entra's last known
 * data does not include the manager
 */
export function mapUser(
  mapping: Mapping,
  user: SourceUser,
  state: {
    readonly member: boolean;
    readonly groups?: ReadonlySet<string>;
    readonly environment: Environment;
    readonly manager?: SourceUser | null;
  },
): MappedUser {
  const { member, environment, groups = none, manager = null } = state;
  const { rejection, decidedBy, lookAgainAt } = mapping.filters.judge(user, {
    now: environment.now(),
    groups,
  });
  const filteredOut = rejection;
  const context = { inScope: member && filteredOut === null, environment, manager, groups };
  const problems: MappingProblem[] = [];
  const lacking: { reason: string; onCreate: boolean }[] = [];
  const unshown: UnshownAttribute[] = [];
  const values: { mapping: AttributeMapping; value: Json }[] = [];
  let userName: string | null = null;
  let externalId: string | null = null;
  let active: boolean | null = null;
  let reference: AttributeMapping | null = null;

  for (const attribute of mapping.attributes) {
    const hidden = hiddenFrom(attribute, user, context);
    if (hidden.length > 0) {
      const rule = `Entra did not show ${hidden.join(", ")}`;
      unshown.push({ target: attribute.target, properties: hidden });
      problems.push({ target: attribute.target, reason: rule, rule });
      continue;
    }
    if (attribute.type === "reference") {
      reference = attribute;
      continue;
    }
    const value = evaluated(attribute, user, context);
    const failure = value instanceof MappingError ? problemOf(attribute, value) : null;
    if (failure !== null) problems.push(failure);
    if (attribute.required && (failure !== null || (value ?? attribute.defaultValue) === null)) {
      const why = failure === null ? "has no value" : `cannot be determined: ${failure.reason}`;
      const reason = `${shortPath(attribute.target)} is required, but ${why}`;
      lacking.push({ reason, onCreate: attribute.apply === "onCreate" });
    }
    if (value instanceof MappingError) continue;
    if (value === undefined) continue;
    if (attribute.target === "userName") userName = typeof value === "string" ? value : null;
    if (attribute.target === "externalId") externalId = typeof value === "string" ? value : null;
    if (attribute.target === "active") active = typeof value === "boolean" ? value : null;
    values.push({ mapping: attribute, value });
  }
  const excluded = decidedBy === "exclude";
  return {
    userName,
    externalId,
    active,
    filteredOut,
    excluded,
    lookAgainAt,
    values,
    reference,
    problems,
    lacking,
    unshown,
    scopeUnshown:
      user.unshown === undefined
        ? noNames
        : mapping.filters.restsOn.filter((property) => user.unshown?.includes(property) === true),
  };
}

/** Properties that were not shown and that the attribute's value depends on; none if they make no difference to the value. */
function hiddenFrom(
  attribute: AttributeMapping,
  user: SourceUser,
  context: MappingContext,
): readonly string[] {
  // A quick first check, because this runs for each attribute of each person, and holds for almost all of them.
  if (user.unshown === undefined && context.manager?.unshown === undefined) return noNames;
  const missing = (
    properties: readonly string[],
    person: SourceUser | null | undefined,
  ): readonly string[] =>
    person?.unshown === undefined
      ? []
      : properties.filter((property) => person.unshown?.includes(property) === true);
  const hidden = [
    ...missing(attribute.restsOn.own, user),
    ...missing(attribute.restsOn.ofManager, context.manager).map((property) => `manager.${property}`),
  ];
  if (hidden.length !== 1 || hidden[0] !== "accountEnabled") return hidden;
  // A person who is deleted or out of scope must not be active, enabled or not.
  const [enabled, disabled] = [true, false].map((accountEnabled) =>
    evaluated(attribute, { ...user, attributes: { ...user.attributes, accountEnabled } }, context),
  );
  return enabled === disabled && !(enabled instanceof MappingError) ? [] : hidden;
}

const none: ReadonlySet<string> = new Set();
const noNames: readonly string[] = [];

function problemOf({ target, redacted }: AttributeMapping, { message, rule }: MappingError): MappingProblem {
  return { target, reason: redacted ? rule : message, rule };
}

/** `undefined`: the attribute keeps its value. An error if it depends on properties that were not shown. */
function attempt(
  attribute: AttributeMapping,
  user: SourceUser,
  context: MappingContext,
): Json | undefined | MappingError {
  const hidden = hiddenFrom(attribute, user, context);
  if (hidden.length > 0) return new MappingError(`Entra did not show ${hidden.join(", ")}`);
  return evaluated(attribute, user, context);
}

function evaluated(
  attribute: AttributeMapping,
  user: SourceUser,
  context: MappingContext,
): Json | undefined | MappingError {
  try {
    const value = attribute.evaluate(user, context);
    return value === ignoreFlow ? undefined : typedValue(attribute, value);
  } catch (error) {
    if (error instanceof MappingError) return error;
    throw error;
  }
}

/**
 * The mapped externalId alone, if people can share one. An object id belongs to one person, so it need not be compared.
 * `null` as for `userNameKey`.
 */
export function externalIdKey(mapping: Mapping, user: SourceUser, environment: Environment): string | null {
  const attribute = mapping.attributes.find(({ target }) => target === "externalId");
  if (attribute === undefined || /^(objectId|id)$/.test(attribute.origin) || !mapping.filters.mayPass(user)) {
    return null;
  }
  const value = attempt(attribute, user, { inScope: true, environment, groups: none });
  return typeof value === "string" ? value : null;
}

/** The userName and externalId that identify an account of this person, in scope or not; `null` if the mapping gives no value. */
export function identityOf(
  mapping: Mapping,
  user: SourceUser,
  environment: Environment,
): Pick<MappedUser, "userName" | "externalId"> {
  const textOf = (path: string): string | null => {
    const attribute = mapping.attributes.find(({ target }) => target === path);
    const value =
      attribute === undefined ? null : attempt(attribute, user, { inScope: true, environment, groups: none });
    return typeof value === "string" ? value : null;
  };
  return { userName: textOf("userName"), externalId: textOf("externalId") };
}

/**
 * The mapped userName alone, in lower case: two people must not share one. `null` for a person whom the filters reject at any
 * time and with any groups.
 */
export function userNameKey(mapping: Mapping, user: SourceUser, environment: Environment): string | null {
  const attribute = mapping.attributes.find(({ target }) => target === "userName");
  if (attribute === undefined || !mapping.filters.mayPass(user)) return null;
  const value = attempt(attribute, user, { inScope: true, environment, groups: none });
  return typeof value === "string" ? value.toLowerCase() : null;
}
