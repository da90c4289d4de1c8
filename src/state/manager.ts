import type { JsonObject } from "../domain/json.ts";
import type { SourceUser } from "../domain/source.ts";
import type { Candidate } from "../domain/state/planning.ts";

const path = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";

/** The account to which an account with these values reports. It has a column of its own, by which reports are found. */
export function managerColumn(values: JsonObject): string | null {
  const latticeId = values[path];
  return typeof latticeId === "string" ? latticeId : null;
}

/**
 * The manager of a person who is planned.
 * @param read takes the manager's directory values apart: called only when they are read, because most plans need only the account
 */
export function managerOf(
  known: Pick<NonNullable<Candidate["manager"]>, "objectId" | "presence" | "latticeId">,
  read: () => SourceUser | null,
): NonNullable<Candidate["manager"]> {
  let source: SourceUser | null | undefined;
  return {
    ...known,
    get source() {
      source ??= read();
      return source;
    },
    get userName() {
      const name = this.source?.attributes.userPrincipalName;
      return typeof name === "string" ? name : null;
    },
  };
}
