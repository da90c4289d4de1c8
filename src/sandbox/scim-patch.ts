import type { Json, JsonObject } from "../domain/json.ts";
import { isJsonObject, jsonEquals } from "../domain/json.ts";
import {
  type AccountDocument,
  assign,
  isCommon,
  type ReadingRules,
  readValue,
  refuseUnknownAttribute,
  ScimRefusal,
} from "./scim-document.ts";
import { type AttributeDefinition, coreURN, findAttribute, findURN } from "./scim-schema.ts";

const patchURN = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

type Operation = "add" | "replace" | "remove";

/** The target of a path: an attribute of a schema, a sub-attribute of it, or a whole extension. */
interface Target {
  readonly urn: string;
  readonly attribute: AttributeDefinition | undefined;
  readonly sub: AttributeDefinition | undefined;
}

/**
 * Applies a PATCH body to an account (RFC 7644 section 3.5.2) and returns the resulting account. Strict: the dialect of
 * Azure's own client (capitalised operations, strings for booleans, dotted keys, filters) is refused.
 * All operations are applied, or none.
 * @throws ScimRefusal
 */
export function applyPatch(document: AccountDocument, body: unknown, rules: ReadingRules): AccountDocument {
  const patched: AccountDocument = structuredClone(document);
  for (const operation of readOperations(body)) applyOperation(patched, operation, rules);
  return patched;
}

function readOperations(body: unknown): readonly JsonObject[] {
  if (!isJsonObject(body)) throw new ScimRefusal(400, "invalidSyntax", "The body must be a JSON object.");
  if (!Array.isArray(body.schemas) || !body.schemas.includes(patchURN)) {
    throw new ScimRefusal(400, "invalidSyntax", `schemas must contain ${patchURN}.`);
  }
  const operations: Json | undefined = body.Operations;
  if (!Array.isArray(operations) || operations.length === 0) {
    throw new ScimRefusal(400, "invalidSyntax", "Operations must be an array with at least one operation.");
  }
  return operations.map((operation: Json) => {
    if (!isJsonObject(operation))
      throw new ScimRefusal(400, "invalidSyntax", "Each operation must be an object.");
    return operation;
  });
}

function applyOperation(document: AccountDocument, operation: JsonObject, rules: ReadingRules): void {
  const { op, path, value } = operation;
  if (op !== "add" && op !== "replace" && op !== "remove") {
    throw new ScimRefusal(
      400,
      "invalidSyntax",
      `op must be one of add, replace, remove; not ${JSON.stringify(op ?? null)}.`,
    );
  }
  if (path !== undefined && typeof path !== "string") {
    throw new ScimRefusal(400, "invalidPath", "path must be a string.");
  }
  if (op !== "remove" && value === undefined) {
    throw new ScimRefusal(400, "invalidValue", `An operation "${op}" needs a value.`);
  }
  if (path === undefined) {
    if (op === "remove") throw new ScimRefusal(400, "noTarget", 'An operation "remove" needs a path.');
    if (!isJsonObject(value))
      throw new ScimRefusal(400, "invalidValue", "Without a path, value must be an object.");
    applyWhole(document, op, value, rules);
    return;
  }
  const target = readPath(path, rules);
  if (target === undefined) return;
  if (target.attribute === undefined) {
    applyExtension(document, op, target.urn, op === "remove" ? null : (value ?? null), rules);
    return;
  }
  applyAttribute(
    document,
    op,
    { ...target, attribute: target.attribute },
    op === "remove" ? null : (value ?? null),
    rules,
    path,
  );
}

/** Without a path: each member of the value is an attribute, or an extension by its URN. */
function applyWhole(document: AccountDocument, op: Operation, value: JsonObject, rules: ReadingRules): void {
  for (const [name, item] of Object.entries(value)) {
    if (name.toLowerCase() === "schemas") continue;
    const urn = findURN(rules.schemas, name);
    if (urn !== undefined && urn !== coreURN) {
      applyExtension(document, op, urn, item, rules);
      continue;
    }
    const attribute = findAttribute(rules.schemas.get(coreURN), name);
    if (attribute !== undefined) {
      applyAttribute(document, op, { urn: coreURN, attribute, sub: undefined }, item, rules, name);
    } else if (isCommon(name)) {
      throw new ScimRefusal(400, "mutability", `${name} is read-only.`);
    } else if (/[.[:]/.test(name)) {
      throw new ScimRefusal(
        400,
        "invalidPath",
        `"${name}" is a path, not an attribute: without a path, value holds nested objects.`,
      );
    } else {
      refuseUnknownAttribute(name, rules);
    }
  }
}

function applyExtension(
  document: AccountDocument,
  op: Operation,
  urn: string,
  value: Json,
  rules: ReadingRules,
): void {
  if (value === null) {
    delete document[urn];
    return;
  }
  if (!isJsonObject(value)) throw new ScimRefusal(400, "invalidValue", `${urn} must be an object.`);
  for (const [name, item] of Object.entries(value)) {
    const attribute = findAttribute(rules.schemas.get(urn), name);
    if (attribute === undefined) refuseUnknownAttribute(`${urn}:${name}`, rules);
    else applyAttribute(document, op, { urn, attribute, sub: undefined }, item, rules, name);
  }
}

function applyAttribute(
  document: AccountDocument,
  op: Operation,
  target: Target & { readonly attribute: AttributeDefinition },
  value: Json,
  rules: ReadingRules,
  label: string,
): void {
  const { urn, attribute, sub } = target;
  if (attribute.mutability === "readOnly" || sub?.mutability === "readOnly") {
    throw new ScimRefusal(400, "mutability", `${label} is read-only.`);
  }
  if (attribute.required === true && value === null) {
    throw new ScimRefusal(400, op === "remove" ? "mutability" : "invalidValue", `${label} is required.`);
  }
  if (attribute.name === "active" && value === null) {
    throw new ScimRefusal(400, "invalidValue", "active must be a boolean.");
  }
  const read = readValue(value, sub ?? attribute, rules, label);
  const holder = holderOf(document, urn);
  const before = holder[attribute.name] ?? null;
  assign(
    holder,
    attribute.name,
    sub === undefined ? merged(before, read, op, attribute) : withMember(before, sub.name, read),
  );
  if (urn !== coreURN) assign(document, urn, Object.keys(holder).length === 0 ? null : holder);
}

/** The value of an attribute after `op`: lists grow with add, objects keep members that were not named, the rest is replaced. */
function merged(before: Json, value: Json, op: Operation, attribute: AttributeDefinition): Json {
  if (value === null) return null;
  if (attribute.multiValued === true) {
    if (op !== "add" || !Array.isArray(before) || !Array.isArray(value)) return value;
    const added = value.filter((item: Json) => !before.some((held: Json) => jsonEquals(held, item)));
    return [...before, ...added];
  }
  return isJsonObject(value) && isJsonObject(before) ? { ...before, ...value } : value;
}

function withMember(before: Json, name: string, value: Json): Json {
  const members: { [name: string]: Json } = isJsonObject(before) ? { ...before } : {};
  assign(members, name, value);
  return Object.keys(members).length === 0 ? null : members;
}

function holderOf(document: AccountDocument, urn: string): { [name: string]: Json } {
  if (urn === coreURN) return document;
  const extension = document[urn];
  return isJsonObject(extension) ? { ...extension } : {};
}

/** `undefined` if the path names nothing that the service knows, and that is ignored. */
function readPath(path: string, rules: ReadingRules): Target | undefined {
  if (path.includes("[")) throw new ScimRefusal(400, "invalidPath", "filter options are not supported");
  const { urn, rest } = splitURN(path, rules);
  if (rest === "") return { urn, attribute: undefined, sub: undefined };
  const [name = "", subName, ...more] = rest.split(".");
  if (!/^[A-Za-z$][\w$-]*$/.test(name) || more.length > 0) {
    throw new ScimRefusal(400, "invalidPath", `"${path}" is not a valid path.`);
  }
  if (urn === coreURN && isCommon(name)) throw new ScimRefusal(400, "mutability", `${name} is read-only.`);
  const attribute = findAttribute(rules.schemas.get(urn), name);
  if (attribute === undefined) return unknownPath(path, rules);
  if (subName === undefined) return { urn, attribute, sub: undefined };
  if (attribute.multiValued === true) {
    throw new ScimRefusal(
      400,
      "invalidPath",
      `"${path}" names a part of every element: replace ${name} as a whole.`,
    );
  }
  const sub = findAttribute(attribute.subAttributes, subName);
  return sub === undefined ? unknownPath(path, rules) : { urn, attribute, sub };
}

function splitURN(path: string, rules: ReadingRules): { urn: string; rest: string } {
  if (!/^urn:/i.test(path)) return { urn: coreURN, rest: path };
  const whole = findURN(rules.schemas, path);
  if (whole !== undefined && whole !== coreURN) return { urn: whole, rest: "" };
  const urn = findURN(rules.schemas, path.slice(0, path.lastIndexOf(":")));
  if (urn === undefined)
    throw new ScimRefusal(400, "invalidPath", `"${path}" does not begin with a schema of this service.`);
  return { urn, rest: path.slice(path.lastIndexOf(":") + 1) };
}

function unknownPath(path: string, rules: ReadingRules): undefined {
  if (rules.unknownAttributes === "refuse") {
    throw new ScimRefusal(400, "invalidPath", `There is no attribute at the path ${path}.`);
  }
  return undefined;
}
