import type { Json, JsonObject } from "../../src/domain/json.ts";
import type { SourceChange } from "../../src/domain/source.ts";
import { parseSelection } from "../../src/entra/selection.ts";
import { parseDeltaItem, parseListedUser, parseListedUsers } from "../../src/entra/users.ts";
import type { HidableProperty } from "./manners.ts";
import type { Shown, World } from "./world.ts";

// If answers may lack properties, they are written in Graph's form, and read by the product's own parser.

type Upsert = Extract<SourceChange, { kind: "upsert" }>;

const selected = ["id", "userPrincipalName", "jobTitle", "accountEnabled", "employeeHireDate"] as const;
const selection = parseSelection([...selected, "manager"], "graph.example.com");

/** A page of a list of all people. */
export function asGraphLists(world: World, items: readonly Upsert[]): readonly SourceChange[] {
  if (world.manners.hides !== true) return items;
  return parseListedUsers(
    items.map((item) => ({ ...listed(world, item), ...managerOf(world, item) })),
    selection,
  );
}

/** One person who was requested by id. The manager is shown in any case. */
export function asGraphShows(world: World, item: Upsert): SourceChange {
  if (world.manners.hides !== true) return item;
  const manager = item.managerId ?? null;
  note(world, item.objectId, { managerId: manager });
  return parseListedUser(
    { ...listed(world, item), ...(manager === null ? {} : { manager: { id: manager } }) },
    selection,
  );
}

/** A page of a round of changes. */
export function asGraphTells(world: World, items: readonly SourceChange[]): readonly SourceChange[] {
  if (world.manners.hides !== true) return items;
  return items.map((item) => {
    if (item.kind === "removed") {
      const reason = item.presence === "deleted" ? "deleted" : "changed";
      return parseDeltaItem({ id: item.objectId, "@removed": { reason } }, selection);
    }
    return parseDeltaItem({ ...shownOf(world, item), ...managerChange(world, item) }, selection);
  });
}

function listed(world: World, item: Upsert): JsonObject {
  // A property without a value is shown as null.
  const every = Object.fromEntries(selected.map((name): [string, Json] => [name, null]));
  return shownOf(world, { ...item, attributes: { ...every, ...item.attributes } });
}

function shownOf(world: World, { objectId, attributes }: Upsert): JsonObject {
  const shown = Object.fromEntries(
    Object.entries(attributes).filter(([name]) => name === "id" || !isHidden(world, name, objectId)),
  );
  note(world, objectId, valuesIn(shown));
  return shown;
}

function managerOf(world: World, { objectId, managerId }: Upsert): JsonObject {
  if (isHidden(world, "manager", objectId)) return {};
  note(world, objectId, { managerId: managerId ?? null });
  return managerId === null || managerId === undefined ? {} : { manager: { id: managerId } };
}

function managerChange(world: World, { objectId, managerId }: Upsert): JsonObject {
  if (managerId === undefined || isHidden(world, "manager", objectId)) return {};
  note(world, objectId, { managerId });
  const link: JsonObject = managerId === null ? { id: "whoever", "@removed": {} } : { id: managerId };
  return { "manager@delta": [link] };
}

function isHidden({ hidden }: World, property: string, objectId: string): boolean {
  return hidden.some((one) => one.property === property && (one.of === "everybody" || one.of === objectId));
}

function note({ known }: World, objectId: string, shown: Shown): void {
  known.set(objectId, { ...known.get(objectId), ...shown });
}

/** The values that an answer shows about a person, from the world's data. */
function valuesIn(shown: { readonly [property: string]: Json | undefined }): Shown {
  const read: { readonly [property in HidableProperty]?: (value: Json) => Shown } = {
    accountEnabled: (value) => ({ enabled: value === true }),
    userPrincipalName: (value) => ({ userName: String(value) }),
    jobTitle: (value) => ({ title: value === null ? null : String(value) }),
    employeeHireDate: (value) => ({ startsAt: Date.parse(String(value)) }),
  };
  return Object.assign(
    {},
    ...Object.entries(read).map(([name, parse]) => {
      const value = shown[name];
      return value === undefined ? {} : parse(value);
    }),
  ) as Shown;
}
