import type { Change } from "../../domain/plan.ts";
import { shortPath } from "../../mapping/rules/target-attributes.ts";

/** `title`, `title and department`, `title, department and 3 more`. */
export function attributeList(changes: readonly Pick<Change, "attribute">[]): string {
  const names = changes.map((change) => shortPath(change.attribute));
  if (names.length <= 2) return names.join(" and ");
  if (names.length === 3) return `${names[0]}, ${names[1]} and ${names[2]}`;
  return `${names[0]}, ${names[1]} and ${names.length - 2} more`;
}
