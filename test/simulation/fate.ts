/** The process is gone: thrown at whatever it still tries. */
export class Death extends Error {}

/** Pages and look-ups, or what changes Lattice. */
export type RequestKind = "read" | "write";

/** What befalls one cycle. Calls are counted from 0; requests are those to either server. */
export interface Fate {
  /** Requests `at` up to `at + length - 1` of a kind go wrong in a way that `kind` picks from those that fit the request. */
  readonly faults: readonly {
    readonly on: RequestKind;
    readonly at: number;
    readonly length: number;
    readonly kind: number;
  }[];
  /** The process dies at this call (of a server or of the database), before or after it took effect. */
  readonly death: { readonly at: number; readonly after: boolean } | null;
  /** The lease is lost, or somebody stops the run, at this call. */
  readonly abortAt: number | null;
  /** Decides what the order of things leaves open. */
  readonly seed: number;
  /** Calls `at` up to `at + length - 1` of the database are refused: it is locked, or the disk is full. */
  readonly store?: readonly { readonly at: number; readonly length: number }[];
  /** What Lattice answers to write `at`, which it carries out. */
  readonly answers?: readonly { readonly at: number; readonly kind: AnswerKind }[];
  /** What Lattice answers to read `at` of one account. */
  readonly readAnswers?: readonly { readonly at: number; readonly kind: AnswerKind }[];
}

/** The account as it was before, less than the account, or another one. */
export type AnswerKind = "stale" | "partial" | "foreign";

/** The fate of one cycle under way. */
export interface Doom {
  /** Lets other tasks of the process go first, some of the time. @throws Death */
  call(): Promise<void>;
  /** The call has taken effect; the process may die before it hears of it. @throws Death */
  heard(): void;
  /** Picks the fault of a request among those that fit it; `null` for none. */
  fault<Kind>(on: RequestKind, fitting: readonly Kind[]): Kind | null;
  /** Whether the database refuses this call of it. */
  storeRefuses(): boolean;
  /** What is wrong with the answer to this write, if anything. */
  answer(): AnswerKind | null;
  /** What is wrong with the answer to this read of an account, if anything. */
  readAnswer(): AnswerKind | null;
  readonly dead: boolean;
  /** 0 up to 1. */
  random(): number;
}

/** So many calls are no cycle of a handful of people any more. */
const mostCalls = 20_000;

export function createDoom(fate: Fate, onAbort: () => void): Doom {
  const random = createRandom(fate.seed);
  let calls = 0;
  const requests: Record<RequestKind, number> = { read: 0, write: 0 };
  let stored = 0;
  let answered = 0;
  let shown = 0;
  let dead = false;
  const die = (): never => {
    dead = true;
    throw new Death("the process was killed");
  };
  return {
    get dead() {
      return dead;
    },
    random,
    call: async () => {
      for (let turns = Math.floor(random() * 4); turns > 0; turns -= 1) await null;
      if (dead) throw new Death("the process was killed");
      const now = calls;
      calls += 1;
      if (calls > mostCalls) throw new Error("the cycle does not come to an end");
      if (fate.abortAt === now) onAbort();
      if (fate.death?.at === now && !fate.death.after) die();
    },
    heard: () => {
      if (dead || (fate.death?.after && calls > fate.death.at)) die();
    },
    storeRefuses: () => {
      const now = stored;
      stored += 1;
      return (fate.store ?? []).some(({ at, length }) => now >= at && now < at + length);
    },
    answer: () => {
      const now = answered;
      answered += 1;
      return (fate.answers ?? []).find(({ at }) => at === now)?.kind ?? null;
    },
    readAnswer: () => {
      const now = shown;
      shown += 1;
      return (fate.readAnswers ?? []).find(({ at }) => at === now)?.kind ?? null;
    },
    fault: (on, fitting) => {
      const request = requests[on];
      requests[on] += 1;
      const fault = fate.faults.find(
        (one) => one.on === on && request >= one.at && request < one.at + one.length,
      );
      return fault === undefined ? null : (fitting[fault.kind % fitting.length] ?? null);
    },
  };
}

/** A small generator of even numbers, the same for the same seed (a linear congruence with mixed output). */
function createRandom(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const mixed = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) >>> 0;
    return ((mixed ^ (mixed >>> 13)) >>> 0) / 2 ** 32;
  };
}
