/** Shares out something scarce in turns. A user who asks for many turns does not keep the others from theirs. */
export interface FairTurns {
  /**
   * Waits for a turn. The next one goes to the user with the fewest turns under way, and among these to the one who has waited longest.
   * @returns a function that ends the turn
   * @throws what `tooLate` gives, after `longestWaitMs`
   */
  take(who: string): Promise<() => void>;
  /** Allows more turns at a time, or fewer, from now on. Turns under way go on. */
  allow(most: number): void;
}

export interface FairTurnsOptions {
  /** Turns at a time. */
  readonly most: number;
  /** Turns at a time that one user may have. */
  readonly mostOfOne: number;
  /** The longest wait for a turn, milliseconds. Default: no limit. */
  readonly longestWaitMs?: number | undefined;
  readonly tooLate: () => Error;
}

interface Waiting {
  readonly since: number;
  begin(): void;
}

export function createFairTurns({
  most: first,
  mostOfOne,
  longestWaitMs,
  tooLate,
}: FairTurnsOptions): FairTurns {
  let most = first;
  let taken = 0;
  let asked = 0;
  const takenBy = new Map<string, number>();
  const waitingOf = new Map<string, Waiting[]>();

  const count = (who: string, by: 1 | -1): void => {
    taken += by;
    const now = (takenBy.get(who) ?? 0) + by;
    if (now === 0) takenBy.delete(who);
    else takenBy.set(who, now);
  };
  /** The user whose turn is next; `undefined` if no waiting user may have one more. */
  const nextOne = (): string | undefined => {
    let best: { readonly who: string; readonly has: number; readonly since: number } | undefined;
    for (const [who, [head]] of waitingOf) {
      const has = takenBy.get(who) ?? 0;
      if (head === undefined || has >= mostOfOne) continue;
      const { since } = head;
      if (best === undefined || has < best.has || (has === best.has && since < best.since)) {
        best = { who, has, since };
      }
    }
    return best?.who;
  };
  const leave = (who: string, waiting: Waiting): void => {
    const others = (waitingOf.get(who) ?? []).filter((one) => one !== waiting);
    if (others.length === 0) waitingOf.delete(who);
    else waitingOf.set(who, others);
  };
  const next = (): void => {
    while (taken < most) {
      const who = nextOne();
      const waiting = who === undefined ? undefined : waitingOf.get(who)?.[0];
      if (who === undefined || waiting === undefined) return;
      leave(who, waiting);
      count(who, 1);
      waiting.begin();
    }
  };
  const turn = (who: string): Promise<void> =>
    new Promise((resolve, reject) => {
      asked += 1;
      let timer: NodeJS.Timeout | undefined;
      const waiting: Waiting = {
        since: asked,
        begin: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      waitingOf.set(who, [...(waitingOf.get(who) ?? []), waiting]);
      next();
      if (longestWaitMs === undefined || waitingOf.get(who)?.includes(waiting) !== true) return;
      timer = setTimeout(() => {
        leave(who, waiting);
        reject(tooLate());
      }, longestWaitMs);
    });
  return {
    take: async (who) => {
      await turn(who);
      return () => {
        count(who, -1);
        next();
      };
    },
    allow: (other) => {
      most = other;
      next();
    },
  };
}
