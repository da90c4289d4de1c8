/** The scope, if it is one group. */
export const theGroup = "group";

/** The groups that make up the scope, and the expectation for those that are emptied by mistake. */
export interface Groups {
  /** None if the scope is one group, whose members everyone's `member` shows. */
  readonly names: readonly string[];
  /** By name; without deleted groups. */
  readonly members: Map<string, ReadonlySet<string>>;
  /** The members of a group before it was emptied or deleted. */
  readonly before: Map<string, ReadonlySet<string>>;
  /** People whom a group lost when it became empty: they may be deactivated for it only with a person's approval. */
  readonly doubted: Set<string>;
  /** A group with this many members may become empty without an alarm. */
  floor: number;
  isMember(id: string): boolean;
  /** The result of a read of the whole scope. */
  read(members: ReadonlyMap<string, ReadonlySet<string>>): void;
  /**
   * Call when a cycle has ended, or broken off, or when it kept nothing of the scope.
   * @param waiting doubtful leavers who are still active
   */
  settle(how: "ended" | "brokeOff" | "passed", waiting: boolean): void;
}

type Members = ReadonlyMap<string, ReadonlySet<string>>;

export function createGroups(several: boolean): Groups {
  const names = several ? ["group0", "group1", "group2"] : [];
  const members = new Map<string, ReadonlySet<string>>(names.map((name) => [name, new Set()]));
  const doubted = new Set<string>();
  // The members that the next read is compared with, and those that the cycle under way has read.
  let accepted: Members | null = null;
  let seen: Members | null = null;
  const all = (some: Members): ReadonlySet<string> => new Set([...some.values()].flatMap((ids) => [...ids]));
  // Groups that became empty, with their former members; they are doubtful until as many members are back.
  const emptied = new Map<string, ReadonlySet<string>>();
  // Groups that a completed cycle has met.
  let confirmed: ReadonlySet<string> = new Set();
  const groups: Groups = {
    names,
    members,
    before: new Map(),
    doubted,
    floor: Number.POSITIVE_INFINITY,
    isMember: (id) => [...members.values()].some((ids) => ids.has(id)),
    read: (now) => {
      seen = now;
      const listed = all(now);
      // The guard is off.
      if (groups.floor === Number.POSITIVE_INFINITY) emptied.clear();
      for (const [name, ids] of emptied) if ((now.get(name)?.size ?? 0) >= ids.size) emptied.delete(name);
      for (const [name, ids] of accepted ?? []) {
        if (ids.size > groups.floor && (now.get(name)?.size ?? 0) === 0) emptied.set(name, ids);
      }
      doubted.clear();
      for (const id of all(emptied)) if (!listed.has(id)) doubted.add(id);
    },
    settle: (how, waiting) => {
      if (seen === null) return;
      const now = seen;
      seen = null;
      if (how === "ended" || (accepted === null && how === "brokeOff")) {
        if (!waiting) emptied.clear();
        accepted = new Map([...now, ...emptied]);
        confirmed = new Set(emptied.keys());
        return;
      }
      for (const name of emptied.keys()) if (!confirmed.has(name)) emptied.delete(name);
      if (how === "passed") return;
      // After a cycle that broke off it is unknown whether it accepted what it had read.
      accepted = new Map(
        [...(accepted ?? [])].map(([name, ids]) => {
          const current = now.get(name) ?? new Set();
          return [name, current.size < ids.size ? current : ids];
        }),
      );
    },
  };
  return groups;
}
