import fc from "fast-check";
import type { AnswerKind, Fate, Moment, OddAnswer, RequestKind } from "./fate.ts";
import { mostPeople } from "./history.ts";

// The events that may happen to a cycle: faults, deaths and lost answers, each for a request that is identified by its person.

/** Some people occur again and again: most faults take several steps with the same person. */
export const who = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(0, 1) },
  { weight: 3, arbitrary: fc.nat(mostPeople - 1) },
);

const attempt = fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(2) });
const firstPages = fc.constantFrom(0, 0, 0, 1, 2);
/** The reads of a cycle, weighted by how often they occur. */
const reads: fc.Arbitrary<readonly [RequestKind, boolean]> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(["people", true] as const) },
  { weight: 3, arbitrary: fc.constant(["scope", true] as const) },
  { weight: 2, arbitrary: fc.constant(["accounts", true] as const) },
  { weight: 2, arbitrary: fc.constant(["find", false] as const) },
  { weight: 1, arbitrary: fc.constantFrom(["get", false] as const, ["person", false] as const) },
  { weight: 1, arbitrary: fc.constant(["membership", false] as const) },
);

/** @param people the people that it may concern */
export function writeFault(people: fc.Arbitrary<number> = who): fc.Arbitrary<Fate["faults"][number]> {
  return fc.record({
    on: fc.constant("write" as const),
    who: fc.uniqueArray(people, { minLength: 1, maxLength: 3 }),
    attempt,
    times: fc.constantFrom(1, 1, 1, 1, 1, 12),
    kind: fc.nat(5),
  });
}

export const readFault: fc.Arbitrary<Fate["faults"][number]> = reads.chain(([on, isPage]) =>
  fc.record({
    on: fc.constant(on),
    who: fc.uniqueArray(isPage ? firstPages : who, { minLength: 1, maxLength: 3 }),
    attempt,
    times: fc.constantFrom(1, 1, 1, 1, 1, 12),
    kind: fc.nat(5),
  }),
);

/** The group of a canary cannot be read. */
export const groupFault: fc.Arbitrary<Fate["faults"][number]> = fc.record({
  on: fc.constant("group" as const),
  who: fc.constantFrom([0], [1]),
  attempt: fc.constant(0),
  times: fc.constant(1),
  kind: fc.nat(1),
});

/** It cannot be asked who was removed from a group, or half of the answer is missing. */
export const removalFault: fc.Arbitrary<Fate["faults"][number]> = fc.record({
  on: fc.constant("removals" as const),
  who: fc.constantFrom([0], [0], [1], [2]),
  attempt: fc.constant(0),
  times: fc.constant(1),
  kind: fc.nat(1),
});

/** @param people the people that the request may be about; `none`: no write */
export function moment(people: fc.Arbitrary<number> | "none" = who): fc.Arbitrary<Moment> {
  const commits = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat(6) });
  const planning = fc.oneof({ weight: 1, arbitrary: fc.nat(3) }, { weight: 2, arbitrary: fc.nat(20) });
  const at = (
    on: Moment["on"],
    number: fc.Arbitrary<number>,
    later: fc.Arbitrary<number> = planning,
  ): fc.Arbitrary<Moment> =>
    fc.record({ on: fc.constant(on), who: number, attempt: fc.constant(0), commits: later });
  const reading = [
    { weight: 2, arbitrary: at("begin", fc.constant(0)) },
    { weight: 3, arbitrary: at("people", fc.constantFrom(0, 0, 0, 1)) },
    { weight: 2, arbitrary: at("scope", fc.constantFrom(0, 1, 2)) },
    { weight: 1, arbitrary: at("accounts", firstPages) },
  ];
  if (people === "none") return fc.oneof(...reading);
  return fc.oneof(
    ...reading,
    { weight: 1, arbitrary: at("find", people, commits) },
    { weight: 1, arbitrary: at("get", people, commits) },
    { weight: 6, arbitrary: at("write", people, commits) },
  );
}

/** @param most the highest number; the more there are, the more likely one of them occurs */
export function deathsAt(at: fc.Arbitrary<Moment>, most: number): fc.Arbitrary<Fate["deaths"]> {
  return fc.array(
    fc.tuple(at, fc.boolean()).map(([when, after]) => ({ ...when, after })),
    { maxLength: most, size: "max" },
  );
}

/** Nothing happens to the cycle. */
export const calm: Fate = { faults: [], deaths: [], abortAt: null, seed: 0 };

export const deaths: fc.Arbitrary<Fate["deaths"]> = deathsAt(moment(), 3);

const fate: fc.Arbitrary<Fate> = fc.record({
  faults: fc.array(fc.oneof(writeFault(), readFault), { maxLength: 3 }),
  deaths,
  abortAt: fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: moment() }),
  seed: fc.nat(),
});

export const anyFate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 1, arbitrary: fc.nat().map((seed): Fate => ({ ...calm, seed })) },
  { weight: 2, arbitrary: fate },
);

/** Some faults, and a death at one of some moments. */
export function harried(faults: number, most: number): fc.Arbitrary<Fate> {
  return fc.record({
    faults: fc.array(fc.oneof(writeFault(), readFault), { maxLength: faults }),
    deaths: deathsAt(moment(), most),
    abortAt: fc.constant(null),
    seed: fc.nat(),
  });
}

/** Answers to some requests differ from the account. */
export function falseAnswers(most: number): fc.Arbitrary<readonly OddAnswer[]> {
  const one = fc.record({
    who: fc.uniqueArray(who, { minLength: 1, maxLength: 3 }),
    attempt,
    kind: fc.constantFrom<AnswerKind>("stale", "partial", "foreign"),
  });
  return fc.array(one, { maxLength: most, size: "max" });
}
