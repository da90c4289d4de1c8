import type { Doom } from "./fate.ts";

/** Lets two workers go on in turns: at each request and each call of the store, one of those that want to go on may. */
export interface Turns {
  /** Resolves when it is this worker's turn; `done` gives the turn back. */
  next(worker: number): Promise<void>;
  done(): void;
  /** The worker stands still until the other one has ended, or wants nothing. */
  stall(worker: number): void;
  end(worker: number): void;
}

/** @param chance 0 up to 1 for each number, the same each time: who is next */
export function createTurns(chance: (turn: number) => number): Turns {
  const waiting: { readonly worker: number; readonly go: () => void }[] = [];
  const stalled = new Set<number>();
  const ended = new Set<number>();
  let turn = 0;
  let taken = false;
  let due = false;
  /** All tasks of both workers that can go on without a turn have done so when this runs. */
  const give = (): void => {
    due = false;
    if (taken || waiting.length === 0) return;
    const awake = waiting.filter(({ worker }) => !stalled.has(worker));
    const among = awake.length > 0 ? awake : waiting;
    turn += 1;
    const chosen = among[Math.floor(chance(turn) * among.length)];
    if (chosen === undefined) return;
    waiting.splice(waiting.indexOf(chosen), 1);
    taken = true;
    chosen.go();
  };
  const plan = (): void => {
    if (due || taken) return;
    due = true;
    setImmediate(give);
  };
  return {
    next: (worker) =>
      new Promise((resolve) => {
        waiting.push({ worker, go: resolve });
        plan();
      }),
    done: () => {
      taken = false;
      plan();
    },
    stall: (worker) => {
      if (!ended.has(1 - worker)) stalled.add(worker);
    },
    end: (worker) => {
      ended.add(worker);
      stalled.clear();
      plan();
    },
  };
}

/** A doom whose requests wait for the worker's turn. */
export function inTurns(doom: Doom, turns: Turns, worker: number): Doom {
  return {
    ...doom,
    get dead() {
      return doom.dead;
    },
    get disturbed() {
      return doom.disturbed;
    },
    request: async (request) => {
      await turns.next(worker);
      try {
        return await doom.request(request);
      } finally {
        turns.done();
      }
    },
  };
}

/** A store each call of which waits for the worker's turn, and keeps it until it has its answer. */
export function storeInTurns<Store extends object>(store: Store, turns: Turns, worker: number): Store {
  return new Proxy(store, {
    get(target, property, receiver) {
      const member: unknown = Reflect.get(target, property, receiver);
      if (typeof member !== "function") return member;
      return async (...terms: unknown[]) => {
        await turns.next(worker);
        try {
          return (await member(...terms)) as unknown;
        } finally {
          turns.done();
        }
      };
    },
  });
}
