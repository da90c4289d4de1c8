import { isJsonObject, type JsonObject } from "../domain/json.ts";
import { parseJson } from "../domain/parse-json.ts";

/** The content of an error answer, as far as it can be parsed. */
export interface ScimError {
  /** RFC 7644 section 3.12, table 9: `uniqueness`, `invalidValue`, … */
  readonly scimType: string | undefined;
  /** One line of at most 500 characters; `undefined` if the body has no message. */
  readonly detail: string | undefined;
}

/**
 * Parses the body of an error answer: RFC 7644 section 3.12, other JSON with a message, or a web page of a proxy. Never
 * throws.
 */
export function parseScimError(body: string): ScimError {
  const json = parseJsonObject(body);
  if (json === undefined) {
    return { scimType: undefined, detail: isWebPage(body) ? pageTitle(body) : oneLine(body) };
  }
  const scimType = json.scimType;
  return { scimType: typeof scimType === "string" ? oneLine(scimType) : undefined, detail: detailOf(json) };
}

/** `undefined` if `body` is not a JSON object, or is one that cannot be processed. */
export function parseJsonObject(body: string): JsonObject | undefined {
  const json = parseJson(body);
  return isJsonObject(json) ? json : undefined;
}

/** Whether a body is HTML or XML, as proxies, login pages and storage services send it: never SCIM, whatever the status. */
export function isWebPage(body: string): boolean {
  return /^\s*</.test(body);
}

const errorSchema = "urn:ietf:params:scim:api:messages:2.0:error";

/**
 * Whether the body of an error answer is SCIM's own (RFC 7644 section 3.12): it names the schema, or it has the fields
 * (`status` as answered, with `detail` or `scimType`) and is not the problem document of a web framework (RFC 9457).
 */
export function isScimError(body: string, status: number): boolean {
  const json = parseJsonObject(body);
  if (json === undefined) return false;
  const { schemas } = json;
  if (Array.isArray(schemas)) {
    return schemas.some((schema) => typeof schema === "string" && schema.toLowerCase() === errorSchema);
  }
  const says = typeof json.detail === "string" || typeof json.scimType === "string";
  return says && String(json.status) === String(status) && !("title" in json) && !("type" in json);
}

function detailOf(json: JsonObject): string | undefined {
  for (const key of ["detail", "message", "error_description", "error"]) {
    const value = json[key];
    if (typeof value === "string") return oneLine(value);
    if (isJsonObject(value)) return detailOf(value);
  }
  return undefined;
}

function pageTitle(body: string): string | undefined {
  // A pattern that looks for the end of a title would search again from each beginning of one.
  const title = /<title[^>]*>([^<]*)</i.exec(body.slice(0, 10_000))?.[1];
  return title === undefined ? "a web page" : `a web page, "${oneLine(title) ?? ""}"`;
}

/** Server text ends up in terminals and logs: it is stripped of control characters and line breaks, and cut. */
function oneLine(text: string): string | undefined {
  const line = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
  if (line === "") return undefined;
  return line.length > 500 ? `${line.slice(0, 499)}…` : line;
}
