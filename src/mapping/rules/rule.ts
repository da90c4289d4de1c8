import { closest, distance } from "fastest-levenshtein";
import { z } from "zod";

/** The values of `type` in an attribute mapping. Whether Lattice's attribute accepts the type is checked later. */
const attributeTypes = ["text", "number", "boolean", "date", "dateTime", "timezone", "email"] as const;

/** The keys of an attribute mapping. */
export const ruleSchema = z
  .strictObject({
    target: z.string(),
    source: z.string().optional(),
    constant: z.union([z.string(), z.number(), z.boolean()]).optional(),
    expression: z.string().optional(),
    type: z.enum(attributeTypes).optional(),
    timezone: z.string().optional(),
    required: z.boolean().optional(),
    matchingPrecedence: z.int().positive().optional(),
    apply: z.enum(["always", "onCreate"]).optional(),
    onNull: z.enum(["clear", "keep"]).optional(),
    owner: z.enum(["entra", "lattice", "report"]).optional(),
    default: z.union([z.string(), z.number(), z.boolean()]).optional(),
  })
  .refine(
    (rule) => [rule.source, rule.constant, rule.expression].filter((part) => part !== undefined).length === 1,
    {
      message: "must have exactly one of source, constant, expression",
    },
  );

/** An attribute mapping as written in the configuration. */
export type Rule = z.infer<typeof ruleSchema>;

/** A fault in a rule, with its place there. */
export interface RuleFault {
  readonly path: readonly PropertyKey[];
  readonly text: string;
}

/** The faults that the schema found in `item`, in words, each with the word that was probably meant. */
export function ruleFaults(issues: readonly z.core.$ZodIssue[], item: unknown): readonly RuleFault[] {
  if (typeof item !== "object" || item === null || Array.isArray(item)) {
    return [{ path: [], text: "must be a section with a target and a source" }];
  }
  const unknown = issues.flatMap((issue) => (issue.code === "unrecognized_keys" ? issue.keys : []));
  const meant = unknown.map(meantBy);
  return issues.flatMap((issue): RuleFault[] => {
    const { path, message } = issue;
    const key = String(path[0] ?? "");
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((name) => ({ path: [name], text: `unknown key "${name}"; ${hint(name)}` }));
    }
    // The misspelt key is named already.
    if (key !== "" && Reflect.get(item, key) === undefined && meant.includes(key)) return [];
    if (issue.code === "custom") {
      return meant.some((name) => name !== null && values.includes(name)) ? [] : [{ path, text: message }];
    }
    if (Reflect.get(item, key) === undefined) return [{ path: [], text: `"${key}" is missing` }];
    return [{ path, text: `"${key}" must be ${wanted(issue)}` }];
  });
}

const values: readonly string[] = ["source", "constant", "expression"];

/** The known key that a misspelt one resembles; `null` if there is none. */
function meantBy(name: string): string | null {
  const near = closest(name, Object.keys(ruleSchema.shape));
  return distance(name, near) <= Math.max(1, Math.floor(name.length / 3)) ? near : null;
}

function hint(name: string): string {
  const near = meantBy(name);
  return near === null
    ? `allowed here: ${Object.keys(ruleSchema.shape).join(", ")}`
    : `did you mean "${near}"?`;
}

function wanted(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_value") return `one of ${issue.values.join(", ")}`;
  if (issue.code === "invalid_union") return "text, a number, true or false";
  if (issue.code === "invalid_type" && issue.expected === "string")
    return "text (in quotes if it looks like a number)";
  return issue.code === "invalid_type" && issue.expected === "boolean"
    ? "true or false"
    : "a whole number, 1 or more";
}
