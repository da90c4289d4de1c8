import type { Node } from "web-tree-sitter";
import type { AzureTypes, Property, Shape } from "./shape.ts";
import { literalOf, nodesOf, partsOf, placeOf, valuesIn } from "./syntax.ts";
import { type Faults, faultsOfValue } from "./value-faults.ts";

/** A module, by its file: the parameters that it takes. */
export interface ModuleFile {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/** The parameters that a template declares, and its faults. */
export interface Checked extends ModuleFile {
  /** One line each: place and sentence. */
  readonly faults: readonly string[];
}

/** Properties of a resource that Bicep itself knows. */
const ofBicep = ["parent", "scope", "dependsOn"];
/** Functions of Bicep that these templates use; another one is to be looked up before it is added here. */
const functions = [
  ...["allowed", "batchSize", "description", "maxLength", "maxValue", "minLength", "minValue"],
  ...["cidrSubnet", "empty", "filter", "guid", "json", "loadTextContent", "resourceGroup"],
  ...["subscriptionResourceId", "tenant", "uniqueString", "uriComponent"],
];

/** The names that a template declares. */
interface Declared {
  readonly names: ReadonlySet<string>;
  readonly variables: ReadonlyMap<string, Node>;
  readonly resources: ReadonlyMap<string, Shape>;
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/**
 * Compares a template with the published types of its resources: unknown, read-only, missing and wrong properties; names that are not
 * declared; parameters that a module does not take or lacks; names of resources that are known only after another one exists.
 * @param modules the modules that it names, by the path that it writes
 */
export function checkTemplate(
  root: Node,
  types: AzureTypes["types"],
  modules: ReadonlyMap<string, ModuleFile>,
): Checked {
  const declared = declarationsOf(root, types);
  const { required, optional } = declared;
  return { required, optional, faults: [...faultsOf(root, types, modules, declared)] };
}

function* faultsOf(
  root: Node,
  types: AzureTypes["types"],
  modules: ReadonlyMap<string, ModuleFile>,
  declared: Declared,
): Faults {
  for (const node of nodesOf(root)) {
    if (node.isError || node.isMissing) yield `${placeOf(node)} this is not Bicep`;
    else if (node.type === "resource_declaration") yield* faultsOfResource(node, types, declared);
    else if (node.type === "module_declaration") yield* faultsOfModule(node, modules);
    else if (node.type === "identifier") yield* faultsOfName(node, declared);
    else if (node.type === "member_expression") yield* faultsOfRead(node, declared);
  }
}

function declarationsOf(root: Node, types: AzureTypes["types"]): Declared {
  const names = new Set(functions);
  const [variables, resources] = [new Map<string, Node>(), new Map<string, Shape>()];
  const [required, optional]: [string[], string[]] = [[], []];
  for (const node of nodesOf(root)) {
    const [name, second, third] = partsOf(node);
    if (name?.type !== "identifier") continue;
    if (
      /^(parameter|variable|module|type|resource)_declaration$|^(for_statement|lambda_expression)$/.test(
        node.type,
      )
    )
      names.add(name.text);
    if (node.type === "parameter_declaration") (third === undefined ? required : optional).push(name.text);
    if (node.type === "variable_declaration" && second !== undefined) variables.set(name.text, second);
    const shape = node.type === "resource_declaration" ? types[literalOf(second) ?? ""] : undefined;
    if (shape !== undefined) resources.set(name.text, shape);
  }
  return { names, variables, resources, required, optional };
}

function* faultsOfResource(node: Node, types: AzureTypes["types"], { variables }: Declared): Faults {
  const [, type, body] = partsOf(node);
  const full = literalOf(type);
  if (full === null || body === undefined) return yield `${placeOf(node)} a resource has a type and a body`;
  if (full.startsWith("Microsoft.Graph/")) return;
  const shape = types[full];
  const isExisting = node.children.some((child) => child?.type === "existing");
  if (shape === undefined) {
    // The child of another resource, which is only named, has no version of its own.
    if (!isExisting || full.includes("@")) yield `${placeOf(node)} no published type ${full}`;
    return;
  }
  for (const object of objectsOf(body)) {
    const name = valuesIn(object).get("name");
    if (name === undefined) yield `${placeOf(object)} a resource without a name`;
    else if (
      [...nodesOf(name)].some((part) => part.type === "property_identifier" && part.text === "properties")
    )
      yield `${placeOf(name)} a name must be known before any resource exists`;
    if (!isExisting) yield* faultsOfValue(object, shape, variables, ofBicep);
  }
}

function* faultsOfModule(node: Node, modules: ReadonlyMap<string, ModuleFile>): Faults {
  const [, path, body] = partsOf(node);
  const module = modules.get(literalOf(path) ?? "");
  if (module === undefined || body === undefined) return yield `${placeOf(node)} no such module`;
  for (const object of objectsOf(body)) {
    const given = valuesIn(object).get("params");
    const names = given === undefined ? [] : [...valuesIn(given).keys()];
    const taken = [...module.required, ...module.optional];
    for (const name of module.required)
      if (!names.includes(name)) yield `${placeOf(object)} the module needs the parameter '${name}'`;
    for (const name of names)
      if (!taken.includes(name)) yield `${placeOf(object)} the module has no parameter '${name}'`;
  }
}

/** A name that is read: not the key of a property, and not the name of an output. */
function* faultsOfName(node: Node, { names }: Declared): Faults {
  const { parent } = node;
  const isKey = parent?.type === "object_property" && partsOf(parent)[0]?.id === node.id;
  if (names.has(node.text) || isKey || parent?.type === "output_declaration") return;
  yield `${placeOf(node)} '${node.text}' is not declared`;
}

/** A property that is read of a resource, such as `vault.properties.vaultUri`; not a function of it, because the types do not have these. */
function* faultsOfRead(node: Node, { resources }: Declared): Faults {
  if (["member_expression", "call_expression"].includes(node.parent?.type ?? "")) return;
  const [base = "", ...rest] = pathOf(node);
  let shape = resources.get(base);
  for (const name of rest) {
    if (typeof shape !== "object" || !("properties" in shape)) return;
    const property: Property | undefined = shape.properties[name];
    if (property === undefined && shape.additional === undefined)
      yield `${placeOf(node)} ${base} has no ${rest.join(".")}`;
    shape = property?.shape ?? shape.additional;
  }
}

/** The objects that a body makes: itself, or those of its condition or loop. */
function objectsOf(body: Node): readonly Node[] {
  if (body.type === "object") return [body];
  return partsOf(body)
    .filter(({ type }) => ["object", "if_statement", "for_statement"].includes(type))
    .flatMap(objectsOf);
}

/** The names of a chain of members; empty if it does not begin with a name. */
function pathOf(node: Node): readonly string[] {
  if (node.type === "identifier") return [node.text];
  if (node.type !== "member_expression") return [];
  const [object, property] = [node.childForFieldName("object"), node.childForFieldName("property")];
  const before = object === null ? [] : pathOf(object);
  return before.length === 0 || property === null ? [] : [...before, property.text];
}
