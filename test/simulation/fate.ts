/** The process is dead: thrown at everything that it still tries. */
export class Death extends Error {}

/**
 * Requests by their subject: pages of the directory's people, of its scope, of the group of a canary, of those who were removed from a group, and of
 * Lattice's accounts; questions about members,
 * one person of the directory, a search, one account; and changes of an account (a create or an update).
 */
export type RequestKind =
  | "people"
  | "scope"
  | "group"
  | "removals"
  | "accounts"
  | "membership"
  | "person"
  | "find"
  | "get"
  | "write";

/** One request, as faults are matched with it. */
export interface Request {
  readonly kind: RequestKind;
  /** Numbers of the people that it is about; for a page its own number, from 0. */
  readonly about: readonly number[];
}

/**
 * Requests of one kind about some people (for pages: their numbers), counted separately for each of them: other requests of a
 * cycle, and their order, make no difference.
 */
export interface Requests {
  readonly on: RequestKind;
  readonly who: readonly number[];
  /** The first one is 0. */
  readonly attempt: number;
}

/** A point of a cycle: a request is sent, or this many calls of the database have changed something since. */
export interface Moment {
  /** `begin`: the start of the cycle. */
  readonly on: RequestKind | "begin";
  /** The person or the page. */
  readonly who: number;
  readonly attempt: number;
  readonly commits: number;
}

/** If the moment is a request: before or after it was carried out. */
export type DeathAt = Moment & { readonly after: boolean };

/** The events that happen to one cycle, such as faults and deaths. */
export interface Fate {
  /** This many requests in a row fail. `kind` picks the fault among those that fit the request. */
  readonly faults: readonly (Requests & { readonly times: number; readonly kind: number })[];
  /** The process dies at the first of these moments. */
  readonly deaths: readonly DeathAt[];
  /** The lease is lost, or a person stops the run, at this moment. */
  readonly abortAt: Moment | null;
  /** Decides the order of tasks. */
  readonly seed: number;
  /** From a moment on, this many calls of the database are refused: it is locked, or the disk is full. */
  readonly store?: readonly { readonly from: Moment; readonly length: number }[];
  /** Lattice's answers to some writes, which it carries out. */
  readonly answers?: readonly OddAnswer[];
  /** Lattice's answers to reads of one account. */
  readonly readAnswers?: readonly OddAnswer[];
}

export interface OddAnswer {
  readonly who: readonly number[];
  readonly attempt: number;
  readonly kind: AnswerKind;
}

/** The account as it was before, a part of the account, or another account. */
export type AnswerKind = "stale" | "partial" | "foreign";

/** The events that happen to one request under way. */
export interface Met {
  /** Picks the fault of the request among those that fit it; `null` for none. */
  fault<Kind>(fitting: readonly Kind[]): Kind | null;
  /** The error in the answer to a write or a read of an account, if there is one. */
  readonly answer: AnswerKind | null;
  /** Call when it was carried out; the process may die before it gets the answer. @throws Death */
  heard(): void;
}

/** The fate of one cycle under way. */
export interface Doom {
  /** Call when a request is sent; sometimes other tasks of the process run first. @throws Death */
  request(request: Request): Promise<Met>;
  /** Call when a call of the database begins. @returns whether it is refused @throws Death */
  storeCall(): Promise<boolean>;
  /** Call when a call of the database has ended. @param changed whether it has changed anything @throws Death */
  stored(changed: boolean): void;
  readonly dead: boolean;
  /** Something has happened to the cycle so far: a fault, a false answer, a refusal of the database, an abort, its death. */
  readonly disturbed: boolean;
  /** 0 up to 1, the same for the same words in the same cycle. */
  chance(...of: readonly (string | number)[]): number;
  /** 0 up to 1, in sequence: for the engine. */
  random(): number;
}

/** Changes at a moment of the cycle that do not come from the engine. */
export interface Coming {
  readonly at: Moment;
  readonly happens: () => void;
}

/** A moment that has not come yet. */
interface Watch extends Coming {
  /** The remaining changes of the database; `null` before the request, and after the moment. */
  left: number | null;
}

/** More calls than a cycle with a handful of people needs. */
const mostCalls = 20_000;

/** @param abort the action of `abortAt` */
export function createDoom(fate: Fate, abort: () => void, meanwhile: Coming | null): Doom {
  const { seed, faults, deaths, abortAt, store = [], answers = [], readAnswers = [] } = fate;
  let calls = 0;
  let drawn = 0;
  let dead = false;
  let disturbed = false;
  // Moments in the database are counted from the last request before them.
  let last = "begin";
  let sinceLast = 0;
  const attempts = new Map<string, number>();
  const chance = (...of: readonly (string | number)[]): number => hashOf(`${seed} ${of.join(" ")}`);
  const die = (): never => {
    dead = true;
    disturbed = true;
    throw new Death("the process was killed");
  };
  let refused = 0;
  const stop = (): void => {
    disturbed = true;
    abort();
  };
  const refuse = (length: number) => () => {
    refused = length;
    disturbed = true;
  };
  const watches: readonly Watch[] = [
    ...(abortAt === null ? [] : [{ at: abortAt, happens: stop }]),
    ...(meanwhile === null ? [] : [meanwhile]),
    ...store.map(({ from, length }) => ({ at: from, happens: refuse(length) })),
    // Run last, so that an error here does not keep the others from running.
    ...deaths.filter((death) => !isUnheard(death)).map((at) => ({ at, happens: die })),
  ].map((coming) => ({ ...coming, left: coming.at.on === "begin" ? coming.at.commits : null }));
  const look = (): void => {
    for (const watch of watches) {
      if (watch.left !== 0) continue;
      watch.left = null;
      watch.happens();
    }
  };
  const letOthersGo = async (...of: readonly (string | number)[]): Promise<void> => {
    for (let turns = Math.floor(chance("turns", ...of) * 4); turns > 0; turns -= 1) await null;
    if (dead) die();
    calls += 1;
    if (calls > mostCalls) throw new Error("the cycle does not come to an end");
  };
  return {
    get dead() {
      return dead;
    },
    get disturbed() {
      return disturbed;
    },
    chance,
    random: () => {
      drawn += 1;
      return chance("drawn", drawn);
    },
    request: async ({ kind, about }) => {
      const numbers = new Map<number, number>();
      for (const who of about) {
        const key = `${kind} ${who}`;
        const attempt = attempts.get(key) ?? 0;
        numbers.set(who, attempt);
        attempts.set(key, attempt + 1);
      }
      const name = [kind, ...numbers].join(" ");
      await letOthersGo(name);
      last = name;
      sinceLast = 0;
      const isAt = ({ on, who, attempt }: Moment): boolean => on === kind && numbers.get(who) === attempt;
      for (const watch of watches) if (isAt(watch.at)) watch.left = watch.at.commits;
      look();
      const meets = ({ who, attempt }: Pick<Requests, "who" | "attempt">, times = 1): boolean =>
        who.some((one) => {
          const number = numbers.get(one) ?? -1;
          return number >= attempt && number < attempt + times;
        });
      const odd = kind === "write" ? answers : kind === "get" ? readAnswers : [];
      const answer = odd.find((one) => meets(one))?.kind ?? null;
      disturbed ||= answer !== null;
      return {
        fault: (fitting) => {
          const fault = faults.find((one) => one.on === kind && meets(one, one.times));
          disturbed ||= fault !== undefined;
          return fault === undefined ? null : (fitting[fault.kind % fitting.length] ?? null);
        },
        answer,
        heard: () => {
          if (dead || deaths.some((death) => isUnheard(death) && isAt(death))) die();
        },
      };
    },
    storeCall: async () => {
      await letOthersGo(last, sinceLast);
      sinceLast += 1;
      look();
      refused -= 1;
      return refused >= 0;
    },
    stored: (changed) => {
      if (dead) die();
      if (!changed) return;
      for (const watch of watches) if (watch.left !== null) watch.left -= 1;
      look();
    },
  };
}

/** Whether the answer dies with the process: only answers with a page of people, and answers to writes, have an effect. */
function isUnheard({ on, commits, after }: DeathAt): boolean {
  return after && commits === 0 && (on === "people" || on === "write");
}

/** A uniform number from 0 up to 1 that depends only on the text. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
