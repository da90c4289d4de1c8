import type { Node } from "web-tree-sitter";
import type { Property, Shape } from "./shape.ts";
import { literalOf, partsOf, placeOf, valuesIn } from "./syntax.ts";

/** Sentences about what is wrong, each with its place. */
export type Faults = Generator<string, void>;

/** The types of nodes that are certainly not values of these types. */
const plainTypes: Readonly<Record<"any" | "string" | "integer" | "boolean", readonly string[]>> = {
  any: [],
  string: ["number", "boolean", "object", "array"],
  integer: ["string", "boolean", "object", "array"],
  boolean: ["string", "number", "object", "array"],
};

/**
 * Compares a value with what its place accepts. A value that is computed otherwise than by a condition or a variable is believed.
 * @param variables the contents of the template's variables
 * @param extra properties that are accepted besides those of the shape
 */
export function* faultsOfValue(
  node: Node,
  shape: Shape,
  variables: ReadonlyMap<string, Node>,
  extra: readonly string[] = [],
): Faults {
  const variable = node.type === "identifier" ? variables.get(node.text) : undefined;
  if (variable !== undefined) yield* faultsOfValue(variable, shape, variables, extra);
  else if (node.type === "ternary_expression") {
    for (const branch of ["consequence", "alternative"]) {
      const value = node.childForFieldName(branch);
      if (value !== null) yield* faultsOfValue(value, shape, variables);
    }
  } else if (typeof shape === "string") {
    if (plainTypes[shape].includes(node.type)) yield `${placeOf(node)} must be a value of type ${shape}`;
  } else if ("values" in shape) yield* faultsOfText(node, shape.values);
  else if ("items" in shape) {
    if (["object", "string", "number"].includes(node.type)) yield `${placeOf(node)} must be a list`;
    if (node.type !== "array") return;
    for (const item of partsOf(node)) yield* faultsOfValue(item, shape.items, variables);
  } else {
    if (["array", "string", "number"].includes(node.type)) yield `${placeOf(node)} must be an object`;
    if (node.type === "object") yield* faultsOfObject(node, shape, variables, extra);
  }
}

/** An open list names what Azure knew when it was published: another value is most likely a mistake too. */
function* faultsOfText(node: Node, values: readonly string[]): Faults {
  const text = literalOf(node);
  if (["object", "array", "number"].includes(node.type)) yield `${placeOf(node)} must be text`;
  if (text !== null && !values.includes(text)) yield `${placeOf(node)} '${text}' is none of ${values}`;
}

function* faultsOfObject(
  node: Node,
  shape: { readonly properties: Readonly<Record<string, Property>>; readonly additional?: Shape },
  variables: ReadonlyMap<string, Node>,
  extra: readonly string[],
): Faults {
  const values = valuesIn(node);
  for (const [key, value] of values) {
    const property = shape.properties[key];
    const accepted = property?.shape ?? shape.additional;
    if (accepted === undefined) {
      if (!extra.includes(key)) yield `${placeOf(value)} there is no property '${key}'`;
    } else if (property?.readOnly && key !== "name") yield `${placeOf(value)} '${key}' is read-only`;
    else yield* faultsOfValue(value, accepted, variables);
  }
  for (const [key, { required }] of Object.entries(shape.properties)) {
    if (required && !values.has(key)) yield `${placeOf(node)} '${key}' is missing`;
  }
}
