import { MappingError } from "../domain/errors.ts";
import type { Json } from "../domain/json.ts";
import type { SourceUser } from "../domain/source.ts";
import type { Environment } from "./functions/definition.ts";
import { type AttributeMapping, type Mapping, type MappingContext, typedValue } from "./mapping.ts";
import { ignoreFlow, isEmpty, toText, type Value } from "./value.ts";

/** What Lattice shall hold for one person. */
export interface MappedUser {
  readonly userName: string | null;
  readonly externalId: string | null;
  /** `null` where `active` is not mapped. */
  readonly active: boolean | null;
  /** The scoping filter that the person fails, in words; `null` where the person passes. */
  readonly filteredOut: string | null;
  /**
   * Every mapped attribute but references, in the order of the mapping; `null` where there is no value. What shall be left
   * as it is this time is not among them.
   */
  readonly values: readonly { readonly mapping: AttributeMapping; readonly value: Json }[];
  /** The reference mapping (the manager), if any; its value is `SourceUser.managerId`. */
  readonly reference: AttributeMapping | null;
  /** Attributes that could not be worked out for this person, and why, in words. They are left as they are. */
  readonly problems: readonly { readonly target: string; readonly reason: string }[];
}

/**
 * Maps one person: a pure function of the source user, the scope decision and the configuration.
 * @param state `member`: the person is a member of the scope; scoping filters are decided here
 */
export function mapUser(
  mapping: Mapping,
  user: SourceUser,
  state: { readonly member: boolean; readonly environment: Environment },
): MappedUser {
  const { member, environment } = state;
  const filteredOut = mapping.filters.rejects(user);
  const context = { inScope: member && filteredOut === null, environment };
  const problems: { target: string; reason: string }[] = [];
  const values: { mapping: AttributeMapping; value: Json }[] = [];
  let userName: string | null = null;
  let externalId: string | null = null;
  let active: boolean | null = null;
  let reference: AttributeMapping | null = null;

  for (const attribute of mapping.attributes) {
    if (attribute.type === "reference") {
      reference = attribute;
      continue;
    }
    const found = attempt(attribute, user, context);
    if (found instanceof MappingError) {
      problems.push({ target: attribute.target, reason: found.message });
      continue;
    }
    if (found === ignoreFlow) continue;
    const value = typedValue(attribute.type, found);
    if (attribute.target === "userName") userName = typeof value === "string" ? value : null;
    if (attribute.target === "externalId") externalId = typeof value === "string" ? value : null;
    if (attribute.target === "active") active = typeof value === "boolean" ? value : null;
    values.push({ mapping: attribute, value });
  }
  return { userName, externalId, active, filteredOut, values, reference, problems };
}

function attempt(
  attribute: AttributeMapping,
  user: SourceUser,
  context: MappingContext,
): Value | MappingError {
  try {
    return attribute.evaluate(user, context);
  } catch (error) {
    if (error instanceof MappingError) return error;
    throw error;
  }
}

/** The mapped userName alone, in lower case: what two people must not share. `null` for whom the filters keep out. */
export function userNameKey(mapping: Mapping, user: SourceUser, environment: Environment): string | null {
  const attribute = mapping.attributes.find(({ target }) => target === "userName");
  if (attribute === undefined || mapping.filters.rejects(user) !== null) return null;
  const value = attempt(attribute, user, { inScope: true, environment });
  if (value instanceof MappingError || isEmpty(value)) return null;
  return toText(value).toLowerCase();
}
