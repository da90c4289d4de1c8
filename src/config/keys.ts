import { z } from "zod";
import { configSchema } from "./schema.ts";

/** One key of the configuration file. */
export interface KnownKey {
  /** Dotted; the elements of a list are `[]`: `entra.scope.filters[].clauses[].value`. */
  readonly key: string;
  readonly description: string;
  /** `true` if it only holds other keys. */
  readonly section: boolean;
  /** `true` if its value is a credential. */
  readonly secret: boolean;
  /** The default as it would be written; `undefined` if there is none, or if it follows from other keys. */
  readonly defaultValue: unknown;
}

/** Every key, in the order of the schema, a section before its keys. */
export function knownKeys(): readonly KnownKey[] {
  return below(configSchema, "");
}

function below(schema: z.core.$ZodType, prefix: string): KnownKey[] {
  const { inner } = unwrap(schema);
  if (inner.type === "object") {
    return Object.entries(inner.shape).flatMap(([name, child]) => {
      const key = prefix === "" ? name : `${prefix}.${name}`;
      const { inner: core, ...facts } = unwrap(child);
      return [{ key, section: core.type === "object", ...facts }, ...below(child, key)];
    });
  }
  return inner.type === "array" ? below(inner.element, `${prefix}[]`) : [];
}

type Definition = z.core.$ZodTypes["_zod"]["def"];

/** Unwraps a schema (default, optional, transform) and collects what the wrappers say. */
function unwrap(schema: z.core.$ZodType): {
  inner: Definition;
  description: string;
  secret: boolean;
  defaultValue: unknown;
} {
  let description = "";
  let secret = false;
  let defaultValue: unknown;
  let current = schema;
  for (;;) {
    const metadata = z.globalRegistry.get(current);
    if (description === "") description = metadata?.description ?? "";
    secret ||= metadata?.writeOnly === true;
    const inner = (current as z.core.$ZodTypes)._zod.def;
    if (inner.type === "prefault") defaultValue = inner.defaultValue;
    if (inner.type === "prefault" || inner.type === "optional" || inner.type === "nullable") {
      current = inner.innerType;
    } else if (inner.type === "pipe") {
      current = inner.in;
    } else {
      return { inner, description, secret, defaultValue };
    }
  }
}
