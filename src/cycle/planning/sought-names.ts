import type { MatchAnswer } from "../../domain/state/planning.ts";
import { isInScope } from "./in-scope.ts";
import type { MappedPerson } from "./planned-person.ts";
import { nameKey } from "./rename-order.ts";

/**
 * `true` if an account could belong to a disabled person who never had one. Such a person does not count as sharing a userName
 * with others; but two of them must not get the same account.
 */
export function isSoughtToLeave(
  { candidate, mapped }: MappedPerson,
  matches: ReadonlyMap<string, MatchAnswer>,
): boolean {
  const { link, sharesName, source } = candidate;
  const disabled = mapped.active === false || source.attributes.accountEnabled === false;
  if (link !== null || !sharesName || !disabled) return false;
  return (matches.get(source.objectId)?.byUserName.length ?? 0) > 0;
}

/** The userNames that linked accounts are to get, by object id. */
export function renamesOf(people: readonly MappedPerson[]): ReadonlyMap<string, string> {
  return new Map(
    people.flatMap(({ candidate, mapped }): [string, string][] => {
      const { link, source } = candidate;
      if (link === null || mapped.userName === null) return [];
      return nameKey(link.userName) === nameKey(mapped.userName) ? [] : [[source.objectId, mapped.userName]];
    }),
  );
}

/** The userName of a leaver's account, in lower case, if the mapping gives the leaver another one now; `null` if not. */
export function nameLeft({ candidate, mapped }: MappedPerson): string | null {
  const { link } = candidate;
  if (link === null || isInScope(candidate, mapped)) return null;
  const key = link.userName.toLowerCase();
  return mapped.userName === null || mapped.userName.toLowerCase() === key ? null : key;
}
