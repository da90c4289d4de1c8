import { ScimRefusal } from "./scim-document.ts";
import { coreURN } from "./scim-schema.ts";

export interface EqualityFilter {
  readonly attribute: "userName" | "externalId";
  readonly value: string;
}

/**
 * Reads the only filters there are: `userName eq "…"` and `externalId eq "…"`, the value as a JSON string
 * (RFC 7644 section 3.4.2.2).
 * @throws ScimRefusal (invalidFilter) on any other
 */
export function readFilter(text: string): EqualityFilter {
  const match = /^\s*(\S+)\s+eq\s+("(?:[^"\\]|\\.)*")\s*$/i.exec(text);
  const name = match?.[1]?.toLowerCase().replace(`${coreURN.toLowerCase()}:`, "");
  const attribute = name === "username" ? "userName" : name === "externalid" ? "externalId" : undefined;
  const value = match?.[2] === undefined ? undefined : unquote(match[2]);
  if (attribute === undefined || value === undefined) {
    throw new ScimRefusal(
      400,
      "invalidFilter",
      'Only the filters userName eq "…" and externalId eq "…" are supported.',
    );
  }
  return { attribute, value };
}

function unquote(literal: string): string | undefined {
  try {
    const value: unknown = JSON.parse(literal);
    return typeof value === "string" ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
