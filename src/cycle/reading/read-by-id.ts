import { ConfigurationError, HostUnavailableError } from "../../domain/errors.ts";
import type { SourceChange } from "../../domain/source.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { CycleContext } from "../context/context.ts";

/** If the directory says nothing about this many people in a row, the fault is not with single people. */
const mostInARow = 3;
/** The same for this many in all. */
const mostUnread = 100;

/** Reads people by id. */
export interface PeopleById {
  /**
   * Reads one person.
   * @returns `null` if there is none; `unread` if the directory failed for this person
   * @throws the directory's error if it fails for several people in a row
   */
  read(objectId: string): Promise<SourceChange | null | "unread">;
  /** People about whom nothing was learnt, and why. */
  readonly unread: ReadonlyMap<string, string>;
  /** All people who were asked for. */
  readonly asked: ReadonlySet<string>;
}

export function readById({
  source,
  signal,
  log,
}: Pick<CycleContext, "source" | "signal" | "log">): PeopleById {
  const unread = new Map<string, string>();
  const asked = new Set<string>();
  let inARow = 0;
  return {
    unread,
    asked,
    read: async (objectId) => {
      asked.add(objectId);
      try {
        const found = await source.readUser(objectId, signal);
        inARow = 0;
        unread.delete(objectId);
        return found;
      } catch (error) {
        const passing = error instanceof HostUnavailableError || error instanceof ConfigurationError;
        // A requested pause is not about one person.
        const paused = error instanceof HostUnavailableError && error.retryAt !== undefined;
        if (!passing || paused || signal.aborted) throw error;
        inARow += 1;
        unread.set(objectId, error.message);
        if (inARow === mostInARow || unread.size > mostUnread) throw error;
        log.warn({ objectId, reason: error.message }, "Entra does not answer for this person");
        return "unread";
      }
    },
  };
}

export function parseUnread(meta: Partial<Meta>): readonly string[] {
  if (meta.unreadPeople === undefined || meta.unreadPeople === "") return [];
  // Only this program writes it.
  return JSON.parse(meta.unreadPeople) as readonly string[];
}

export function unreadText({ unread }: Pick<PeopleById, "unread">): string {
  return unread.size === 0 ? "" : JSON.stringify([...unread.keys()]);
}

/** The sentence about people who could not be read; `null` if all could. */
export function unreadNote({ unread }: PeopleById): string | null {
  const [first] = unread;
  if (first === undefined) return null;
  const [objectId, reason] = first;
  const more = unread.size === 1 ? "" : ` and ${unread.size - 1} more`;
  return `Entra did not answer when asked for ${objectId}${more} by id (${reason.replace(/\.$/, "")}). The last known data is kept, and the next cycle asks again.`;
}
