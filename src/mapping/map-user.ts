import type { Json } from "../domain/json.ts";
import type { SourceUser } from "../domain/source.ts";
import { type AttributeMapping, type Mapping, typedValue } from "./mapping.ts";
import { isEmpty, toText } from "./value.ts";

/** What Lattice shall hold for one person. */
export interface MappedUser {
  readonly userName: string | null;
  readonly externalId: string | null;
  /** `null` where `active` is not mapped. */
  readonly active: boolean | null;
  /** The scoping filter that the person fails, in words; `null` where the person passes. */
  readonly filteredOut: string | null;
  /** Every mapped attribute but references, in the order of the mapping; `null` where there is no value. */
  readonly values: readonly { readonly mapping: AttributeMapping; readonly value: Json }[];
  /** The reference mapping (the manager), if any; its value is `SourceUser.managerId`. */
  readonly reference: AttributeMapping | null;
}

/**
 * Maps one person: a pure function of the source user, the scope decision and the configuration.
 * @param member the person is a member of the scope; scoping filters are decided here
 */
export function mapUser(mapping: Mapping, user: SourceUser, member: boolean): MappedUser {
  const filteredOut = mapping.filters.rejects(user);
  const context = { inScope: member && filteredOut === null };
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
    const value = typedValue(attribute.type, attribute.evaluate(user, context));
    if (attribute.target === "userName") userName = typeof value === "string" ? value : null;
    if (attribute.target === "externalId") externalId = typeof value === "string" ? value : null;
    if (attribute.target === "active") active = typeof value === "boolean" ? value : null;
    values.push({ mapping: attribute, value });
  }
  return { userName, externalId, active, filteredOut, values, reference };
}

/** The mapped userName alone, in lower case: what two people must not share. `null` for whom the filters keep out. */
export function userNameKey(mapping: Mapping, user: SourceUser): string | null {
  const attribute = mapping.attributes.find(({ target }) => target === "userName");
  if (attribute === undefined || mapping.filters.rejects(user) !== null) return null;
  const value = attribute.evaluate(user, { inScope: true });
  return isEmpty(value) ? null : toText(value).toLowerCase();
}
