import { ConfigurationError } from "../../domain/errors.ts";
import type { ScopePart } from "../../domain/source.ts";
import type { CycleContext } from "../context/context.ts";
import { ingestScope, keepMembership } from "./scope.ts";

/** The membership of some people, as it was read. */
export interface Membership {
  /** `null` if only these people were asked about. */
  readonly parts: readonly ScopePart[] | null;
  /** By object id: the assignments and groups that lead to the person; no entry for people who were not asked about. */
  readonly through: ReadonlyMap<string, readonly string[]>;
}

/**
 * Brings the membership of these people up to date by asking for each person. If the answer is that a person with an active
 * account is not a member, the whole scope is read to its end, because a deactivation would follow.
 */
export async function ingestMembership(
  context: CycleContext,
  objectIds: readonly string[],
): Promise<Membership> {
  const { store } = context;
  if (context.everyoneInScope) return { parts: [], through: new Map() };
  const present: string[] = [];
  for (const objectId of objectIds) {
    // The scope does not matter for a deleted person.
    if ((await store.findSource(objectId))?.presence === "present") present.push(objectId);
  }
  const through = await askMembership(context, present);
  const members: string[] = [];
  const others: string[] = [];
  for (const [objectId, parts] of through ?? []) (parts.length > 0 ? members : others).push(objectId);
  const links = await Promise.all(others.map((objectId) => store.linkOf(objectId)));
  if (through === null || links.some((link) => link !== null && link.active !== false)) {
    return { parts: await ingestScope(context), through: through ?? new Map() };
  }
  await keepMembership(context, { members, others });
  return { parts: null, through };
}

async function askMembership(
  context: CycleContext,
  objectIds: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]> | null> {
  try {
    return await context.source.readMembership(objectIds, context.signal);
  } catch (error) {
    // Reading the whole scope needs other permissions, and its errors say better what is wrong.
    if (!(error instanceof ConfigurationError)) throw error;
    context.log.info({ reason: error.message }, "membership cannot be asked for alone; reading the scope");
    return null;
  }
}
