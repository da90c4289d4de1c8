import type { ScopePart } from "../../domain/source.ts";
import type { Move } from "../../domain/state/change.ts";
import type { CycleContext } from "../context/context.ts";
import { moved } from "../pictures/marks.ts";

/** Moves saved in one transaction; the event loop runs between two. */
const movesAtOnce = 2_000;

/**
 * Reads the scope and puts it in force. If it cannot be read to its end, the old one stays in force.
 * @returns the parts of the scope; none if everyone is in scope
 * @throws the source's error
 */
export async function ingestScope(context: CycleContext): Promise<readonly ScopePart[]> {
  const { store, source, signal, log } = context;
  const pages = source.readScope(signal);
  if (pages === null) return [];
  await store.beginScope();
  let done = 0;
  try {
    for (let page = await pages.next(); ; page = await pages.next()) {
      if (page.done === true) {
        log.debug(await keepStagedScope(context), "scope read");
        return page.value;
      }
      await store.stageScope(page.value);
      done += page.value.length;
      context.onProgress?.({ phase: "reading the scope", done, total: null });
    }
  } finally {
    await pages.return([]);
  }
}

/** The part of a cycle's context that is needed to save who entered or left. */
export type Keeping = Pick<CycleContext, "store" | "fence" | "clock" | "signal">;

/** Puts the staged scope in force. @returns its members, and how many entered or left */
export async function keepStagedScope(
  context: Keeping,
): Promise<{ readonly members: number; readonly entered: number; readonly left: number }> {
  const count = { ...(await context.store.compareScope()), entered: 0, left: 0 };
  for (let after = ""; ; ) {
    const page = await context.store.movedInScope(after, movesAtOnce);
    const last = page.at(-1);
    if (last === undefined) break;
    await keepMoves(context, page);
    for (const { entered } of page) count[entered ? "entered" : "left"] += 1;
    after = last.objectId;
    await context.clock.sleep(0, context.signal);
  }
  await context.store.beginScope();
  return count;
}

/** Saves who entered or left, and marks them to be planned again. */
async function keepMoves({ store, fence }: Keeping, moves: readonly Move[]): Promise<void> {
  const marks = moved(moves.map(({ objectId }) => objectId));
  await store.commit({ moves, marks }, fence);
}

/** Saves the answers about single people: `members` are members of the scope, and `others` are not. */
export async function keepMembership(
  context: Keeping,
  { members, others }: { readonly members: readonly string[]; readonly others: readonly string[] },
): Promise<void> {
  const before = await context.store.membersAmong([...members, ...others]);
  const moves = [
    ...members.filter((objectId) => !before.has(objectId)).map((objectId) => ({ objectId, entered: true })),
    ...others.filter((objectId) => before.has(objectId)).map((objectId) => ({ objectId, entered: false })),
  ];
  if (moves.length > 0) await keepMoves(context, moves);
}

/**
 * Reads the groups that scoping filters and expressions name, and puts them in force: all of them or none.
 * @returns a part for each group of a filter: people leave the scope with those alone
 * @throws ConfigurationError if one is gone: no person leaves the scope because of that
 */
export async function ingestNamedGroups(context: CycleContext): Promise<readonly ScopePart[]> {
  const { store, source, signal, settings, kind } = context;
  const { groups, filters } = settings.mapping;
  // The cycle after a change of the configuration forgets groups that are not named any more.
  if (groups.length === 0 && kind !== "initial") return [];
  await store.beginNamedGroups();
  const parts: ScopePart[] = [];
  let done = 0;
  for (const group of groups) {
    const pages = source.readNamedGroup(group, signal);
    try {
      let page = await pages.next();
      for (; page.done !== true; page = await pages.next()) {
        await store.stageNamedGroup(group, page.value);
        done += page.value.length;
        context.onProgress?.({ phase: "reading the scope", done, total: null });
      }
      if (filters.groups.includes(group)) parts.push(page.value);
    } finally {
      await pages.return({ id: group, name: group, members: 0 });
    }
  }
  const moved = await keepStagedGroups(context);
  context.log.debug({ groups: groups.length, moved }, "groups of the scoping filters and expressions read");
  return parts;
}

/** Puts the staged groups in force. @returns how many people entered or left a group */
export async function keepStagedGroups(context: Keeping): Promise<number> {
  const moves = await context.store.movedInGroups();
  for (let from = 0; from < moves.length; from += movesAtOnce) {
    await keepMoves(context, moves.slice(from, from + movesAtOnce));
    await context.clock.sleep(0, context.signal);
  }
  return new Set(moves.map(({ objectId }) => objectId)).size;
}
