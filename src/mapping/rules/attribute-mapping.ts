import type { Json } from "../../domain/json.ts";
import type { SourceUser } from "../../domain/source.ts";
import type { Environment } from "../language/functions/definition.ts";
import type { Traced } from "../language/trace.ts";
import type { Value } from "../language/value.ts";
import type { ReadContext } from "./source-attributes.ts";
import type { TypedTarget } from "./target-type.ts";

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
   * The decision about a value that was edited in Lattice: `entra` (it is corrected), `report` (it is only reported), `lattice`
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
