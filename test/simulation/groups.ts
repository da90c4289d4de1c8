/** The groups that make up the scope, and what is to be expected of those that are emptied by mistake. */
export interface Groups {
  /** None where the scope is one group of which everybody's `member` tells. */
  readonly names: readonly string[];
  /** By name; a group that was deleted is not among them. */
  readonly members: Map<string, ReadonlySet<string>>;
  /** What a group had before it was emptied or deleted. */
  readonly before: Map<string, ReadonlySet<string>>;
  /** People whom a group lost when it became empty: deactivated for it with somebody's leave alone. */
  readonly doubted: Set<string>;
  /** A group with so many members may become empty without an alarm. */
  floor: number;
  isMember(id: string): boolean;
  /** What a read of the whole scope has shown. */
  read(members: ReadonlyMap<string, ReadonlySet<string>>): void;
  /**
   * A cycle has come to its end, or broken off, or was one that keeps nothing of the scope.
   * @param waiting people who are active still although they are doubted
   */
  settle(how: "ended" | "brokeOff" | "passed", waiting: boolean): void;
}

type Members = ReadonlyMap<string, ReadonlySet<string>>;

export function createGroups(several: boolean): Groups {
  const names = several ? ["group0", "group1", "group2"] : [];
  const members = new Map<string, ReadonlySet<string>>(names.map((name) => [name, new Set()]));
  const doubted = new Set<string>();
  // What the next read is compared with, and what the cycle under way has read.
  let accepted: Members | null = null;
  let seen: Members | null = null;
  const all = (some: Members): ReadonlySet<string> => new Set([...some.values()].flatMap((ids) => [...ids]));
  // Groups that became empty, and what they had; they are doubted until as many are there again.
  const emptied = new Map<string, ReadonlySet<string>>();
  // Those that a cycle which came to its end has met.
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
      // Nothing is guarded any more.
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
      // Of a cycle that broke off nobody knows whether it came to accept what it had read.
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
