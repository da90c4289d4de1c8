import type { Json } from "../../domain/json.ts";
import type { SourceUser } from "../../domain/source.ts";
import type { StateStore } from "../../domain/state/store.ts";

/** Details that distinguish people with similar user names; `null` for no value, and for a value that the mapping redacts. */
export interface PersonDetails {
  readonly displayName: string | null;
  readonly jobTitle: string | null;
  readonly department: string | null;
  /** The manager's name, or user principal name. */
  readonly manager: string | null;
}

/**
 * Details of these people as last read from Entra, by object id; people who are not among Entra's users are left out.
 * @param concealed Graph properties that the mapping redacts
 */
export async function personDetails(
  store: Pick<StateStore, "findSource">,
  objectIds: readonly string[],
  concealed: readonly string[],
): Promise<ReadonlyMap<string, PersonDetails>> {
  const shown = (user: SourceUser | undefined, name: string): string | null =>
    user === undefined || concealed.includes(name) ? null : textOf(user.attributes[name]);
  const people = await usersOf(store, objectIds);
  const managers = await usersOf(
    store,
    [...people.values()].flatMap(({ managerId }) => managerId ?? []),
  );
  return new Map(
    [...people].map(([objectId, user]) => {
      const manager = managers.get(user.managerId ?? "");
      return [
        objectId,
        {
          displayName: shown(user, "displayName"),
          jobTitle: shown(user, "jobTitle"),
          department: shown(user, "department"),
          manager: concealed.some((name) => name.startsWith("manager"))
            ? null
            : (shown(manager, "displayName") ?? shown(manager, "userPrincipalName")),
        },
      ];
    }),
  );
}

async function usersOf(
  store: Pick<StateStore, "findSource">,
  objectIds: readonly string[],
): Promise<ReadonlyMap<string, SourceUser>> {
  const found = await Promise.all([...new Set(objectIds)].map((objectId) => store.findSource(objectId)));
  return new Map(found.flatMap((user) => (user === null ? [] : [[user.objectId, user] as const])));
}

function textOf(value: Json | undefined): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
