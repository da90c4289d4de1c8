import type { ScopePart } from "../../domain/source.ts";
import type { Move } from "../../domain/state/change.ts";
import type { CycleContext } from "../context.ts";
import { moved } from "../pictures/marks.ts";

/** Moves that one commit keeps; the event loop runs between two. */
const movesAtOnce = 2_000;

/**
 * Makes the scope current; a scope that could not be read to its end leaves the old one in force and throws.
 * @returns the parts it is made of; none where everybody is in scope
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

/** What keeping moves needs of a cycle. */
export type Keeping = Pick<CycleContext, "store" | "fence" | "clock" | "signal">;

/** Makes what is staged the scope in force. @returns its members, and how many entered or left */
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

/** Keeps who entered or left, and that they are planned again. */
async function keepMoves({ store, fence }: Keeping, moves: readonly Move[]): Promise<void> {
  const marks = moved(moves.map(({ objectId }) => objectId));
  await store.commit({ moves, marks }, fence);
}

/** Keeps what was asked of single people: these are members of the scope, and the others are not. */
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
 * Makes the groups that scoping filters name current, all or none of them.
 * @returns a part for each
 * @throws ConfigurationError where one is gone: nobody is out of scope because of it
 */
export async function ingestFilterGroups(context: CycleContext): Promise<readonly ScopePart[]> {
  const { store, source, signal, settings, kind } = context;
  const { groups } = settings.mapping.filters;
  // Those of a filter that is no longer there are forgotten by the cycle that follows the change.
  if (groups.length === 0 && kind !== "initial") return [];
  await store.beginFilterGroups();
  const parts: ScopePart[] = [];
  let done = 0;
  for (const group of groups) {
    const pages = source.readFilterGroup(group, signal);
    try {
      let page = await pages.next();
      for (; page.done !== true; page = await pages.next()) {
        await store.stageFilterGroup(group, page.value);
        done += page.value.length;
        context.onProgress?.({ phase: "reading the scope", done, total: null });
      }
      parts.push(page.value);
    } finally {
      await pages.return({ id: group, name: group, members: 0 });
    }
  }
  const moved = await keepStagedGroups(context);
  context.log.debug({ groups: parts.length, moved }, "groups of the scoping filters read");
  return parts;
}

/** Makes what is staged the groups in force. @returns how many people entered a group or left one */
export async function keepStagedGroups(context: Keeping): Promise<number> {
  const moves = await context.store.movedInGroups();
  for (let from = 0; from < moves.length; from += movesAtOnce) {
    await keepMoves(context, moves.slice(from, from + movesAtOnce));
    await context.clock.sleep(0, context.signal);
  }
  return new Set(moves.map(({ objectId }) => objectId)).size;
}
