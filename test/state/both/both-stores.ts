import { LeaseHeldError } from "../../../src/domain/errors.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { textOfAnswer } from "./same-answer.ts";

/** Answers in which two stores differ, in words. */
export interface Differences {
  readonly found: string[];
}

/** A store that asks two others each question and compares what they answer. */
export interface BothStores {
  readonly store: StateStore;
  readonly differences: Differences;
}

/** Names of the lists without an order in the answer of a method; `""` for the answer itself. */
const unordered: { readonly [Method in keyof StateStore]?: readonly string[] } = {
  accountRows: [""],
  accountsReportingTo: [""],
  candidates: ["held", "rejected"],
  countOutcomes: [""],
  cycleOfPlan: ["outcomes"],
  doneWeights: [""],
  doubtfulWeights: [""],
  earlierHeld: ["now"],
  matches: ["byUserName", "byExternalId", "byLostLink"],
  movedInGroups: [""],
  plannedWeights: [""],
  recentCycles: ["outcomes"],
  releasesBefore: [""],
  unsentOf: [""],
};

/** Ids that each store gives by itself, of an answer and of its counterpart. */
interface OwnIds {
  readonly events: Map<string, string>;
  readonly failures: Map<number, number>;
}

/**
 * Does everything on both stores, one after the other, and answers as the first does.
 * @param differences where to say what the second did otherwise
 */
export function bothStores(
  first: StateStore,
  second: StateStore,
  differences: Differences = { found: [] },
): BothStores {
  const ids: OwnIds = { events: new Map(), failures: new Map() };
  // Calls of a method that are under way at once would reach the stores in another order.
  let last: Promise<unknown> = Promise.resolve();
  const store = new Proxy(first, {
    get(target, property, receiver) {
      const member: unknown = Reflect.get(target, property, receiver);
      if (typeof member !== "function" || !isMethod(property, first)) return member;
      const other: unknown = Reflect.get(second, property);
      if (typeof other !== "function") throw new Error(`the second store has no ${property}`);
      return (...args: unknown[]) => {
        const turn = last.then(async () => {
          const one = await outcomeOf(() => member(...args));
          const two = await outcomeOf(() => other(...counterparts(property, args, ids)));
          compare(property, args, one, two);
          learnIds(property, one, two, ids);
          if ("error" in one) throw one.error;
          return one.answer;
        });
        last = turn.catch(() => {});
        return turn;
      };
    },
  });
  const compare = (method: keyof StateStore, args: readonly unknown[], one: Outcome, two: Outcome) => {
    const texts = [one, two].map((outcome) => textOf(method, outcome));
    if (texts[0] !== texts[1]) {
      differences.found.push(
        `${method}(${textOfAnswer(args, new Set())})\n  first:  ${texts[0]}\n  second: ${texts[1]}`,
      );
    }
  };
  return { store, differences };
}

type Outcome = { readonly answer: unknown } | { readonly error: unknown };

function isMethod(property: PropertyKey, store: StateStore): property is keyof StateStore {
  return property in store;
}

async function outcomeOf(call: () => unknown): Promise<Outcome> {
  try {
    return { answer: await call() };
  } catch (error) {
    return { error };
  }
}

function textOf(method: keyof StateStore, outcome: Outcome): string {
  if ("error" in outcome) {
    return outcome.error instanceof LeaseHeldError ? "another run holds the lease" : "an error";
  }
  const own =
    method === "claimDelivery" || method === "failureChanges" ? withoutIds(outcome.answer) : outcome;
  return textOfAnswer(own === outcome ? outcome.answer : own, new Set(unordered[method]));
}

/** The same without the ids that each store gives by itself. */
function withoutIds(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map(withoutIds);
  if (answer === null || typeof answer !== "object") return answer;
  const { id, ...rest } = { id: null, ...answer };
  return "kept" in rest ? { ...rest, kept: withoutIds(rest.kept) } : rest;
}

/** The arguments as the second store needs them: its own ids. */
function counterparts(method: keyof StateStore, args: readonly unknown[], ids: OwnIds): readonly unknown[] {
  const [one, two] = args;
  if (method === "settleDelivery" && isRecord(one) && isRecord(one.kept)) {
    const id = ids.events.get(String(one.kept.id)) ?? one.kept.id;
    return [{ ...one, kept: { ...one.kept, id } }, two];
  }
  if (method === "addEvent" && isRecord(two) && typeof two.failuresThrough === "number") {
    const through = two.failuresThrough;
    return [one, { ...two, failuresThrough: ids.failures.get(through) ?? through }];
  }
  return args;
}

function learnIds(method: keyof StateStore, one: Outcome, two: Outcome, ids: OwnIds): void {
  const [first, second] = [one, two].map((outcome) => ("answer" in outcome ? outcome.answer : null));
  if (method === "claimDelivery" && isRecord(first) && isRecord(second)) {
    const [kept, other] = [first.kept, second.kept];
    if (isRecord(kept) && isRecord(other)) ids.events.set(String(kept.id), String(other.id));
  }
  if (method === "failureChanges" && Array.isArray(first) && Array.isArray(second)) {
    for (const [index, { id }] of first.entries()) ids.failures.set(id, second[index]?.id ?? id);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object";
}
