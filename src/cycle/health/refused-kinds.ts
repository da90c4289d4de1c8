import type { OperationOutcome } from "../../domain/operation.ts";
import type { Action, EvidenceKind, Skipped } from "../../domain/plan.ts";
import { sentence } from "../../domain/sentence.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { PersonPlan } from "../../domain/state/planning.ts";

/** A kind of operation that can be refused as a whole; a deactivation is sent in any case. */
export type RefusableAction = Exclude<Action, "deactivate">;

/** A kind of operation that Lattice refuses whomever it is about (402: no seat is left). */
export interface RefusedKind {
  readonly action: RefusableAction;
  /** HTTP status of the refusals. */
  readonly status: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** What Lattice said, with the status. */
  readonly words: string;
  /** The last person who was tried; the next cycle goes on behind. Absent or empty: from the first one on. */
  readonly triedUpTo?: string;
}

export type RefusedKinds = ReadonlyMap<RefusableAction, RefusedKind>;

/** So many different people refused with the same status, and none taken between, and the rest of the kind is put back. */
const enough = 3;
/**
 * A kind that was refused in the cycle before is tried with so many people, and only these are sent. The next cycle tries the
 * next ones: records that are refused for a reason of their own must not stand for everybody for ever.
 */
const triedFirst = 2;

/** Statuses that speak of the data of one record; 403 speaks of the record, the key, or the kind. */
const aboutData: ReadonlySet<number> = new Set([400, 404, 409, 410, 412, 413, 414, 415, 422, 428]);

const whatIsRefused: { readonly [A in RefusableAction]: string } = {
  create: "new accounts",
  update: "updates of accounts",
  link: "links of existing accounts",
  reactivate: "reactivations",
};

/** `Lattice takes no new accounts: All seats are taken (402).` */
export function refusalSentence({ action, words }: Pick<RefusedKind, "action" | "words">): string {
  return `Lattice refuses ${whatIsRefused[action]}: ${sentence(words)} The rest of this kind is postponed; the next cycle tries ${triedFirst} people first.`;
}

export function parseRefusedKinds(meta: Partial<Meta>): RefusedKinds {
  if (meta.refusedKinds === undefined || meta.refusedKinds === "") return new Map();
  // Written by this program alone.
  const kinds = JSON.parse(meta.refusedKinds) as readonly RefusedKind[];
  return new Map(kinds.map((kind) => [kind.action, kind]));
}

export function refusedKindsText(kinds: RefusedKinds): string {
  return kinds.size === 0 ? "" : JSON.stringify([...kinds.values()]);
}

/** Follows what becomes of each kind of operation in a cycle. Pure but for what it remembers. */
export interface KindWatch {
  /** Takes note of an outcome. @returns whether it is the kind that was refused, not this person */
  note(action: Action, outcome: OperationOutcome): boolean;
  isRefused(action: Action): boolean;
  /** Nothing of these kinds is due any more. */
  forget(actions: readonly RefusableAction[]): void;
  /** Of each kind that is refused: the last person who is tried in this cycle. */
  trying(upTo: ReadonlyMap<RefusableAction, string>): void;
  /** Kinds that are refused as far as this cycle knows: what was refused before stays so until somebody is taken. */
  refused(): RefusedKinds;
}

interface Streak {
  readonly status: number;
  readonly people: Set<string>;
}

/** @param before kinds that were refused when the last cycle ended */
export function watchKinds(before: RefusedKinds): KindWatch {
  const refused = new Map(before);
  const closed = new Set<Action>();
  const streaks = new Map<Action, Streak>();
  const taken = new Set<Action>();

  let triedUpTo: ReadonlyMap<RefusableAction, string> = new Map(
    [...before].map(([action, kind]) => [action, kind.triedUpTo ?? ""]),
  );

  /**
   * A 403 is the kind's where others are taken, or where it was the kind's before; not that of an account which had one
   * already.
   */
  const isOfKind = (action: RefusableAction, status: number, attempts: number): boolean => {
    if (before.get(action)?.status === status) return true;
    if (status === 403) return attempts === 1 && !taken.has(action) && taken.size > 0;
    return status >= 400 && status < 500 && !aboutData.has(status);
  };

  return {
    note: (action, { status, httpStatus, objectId, words, finishedAt, retry }) => {
      if (status === "done") {
        taken.add(action);
        streaks.delete(action);
        if (action !== "deactivate") refused.delete(action);
        closed.delete(action);
        return false;
      }
      if (status !== "failed" || action === "deactivate") return false;
      if (httpStatus === undefined || !isOfKind(action, httpStatus, retry?.attempts ?? 1)) {
        // Somebody of the kind got as far as the data.
        if (httpStatus !== undefined && !closed.has(action)) refused.delete(action);
        return false;
      }
      const streak = streaks.get(action);
      const same = streak?.status === httpStatus ? streak : { status: httpStatus, people: new Set<string>() };
      same.people.add(objectId);
      streaks.set(action, same);
      const known = before.get(action);
      if (same.people.size >= (known?.status === httpStatus ? triedFirst : enough)) {
        closed.add(action);
        refused.set(action, {
          action,
          status: httpStatus,
          since: known?.since ?? finishedAt,
          words: `${(words ?? "the request was refused").replace(/\.$/, "")} (${httpStatus})`,
        });
      }
      return true;
    },
    isRefused: (action) => closed.has(action),
    forget: (actions) => {
      for (const action of actions) refused.delete(action);
    },
    trying: (upTo) => {
      triedUpTo = upTo;
    },
    refused: () =>
      new Map(
        [...refused].map(([action, { triedUpTo: _, ...kind }]): [RefusableAction, RefusedKind] => {
          const last = triedUpTo.get(action) ?? "";
          return [action, last === "" ? kind : { ...kind, triedUpTo: last }];
        }),
      ),
  };
}

/** Lets a few of a kind that is refused be planned, and puts the others back. People come in the order of their ids. */
export function tryFew(kinds: RefusedKinds): {
  limit(plan: PersonPlan): PersonPlan;
  /** People who are tried because nobody comes behind those who were tried last. */
  again(): readonly string[];
  /** Kinds of which there is nothing to be tried any more. */
  idle(): readonly RefusableAction[];
  /** The last person who is tried, by kind. */
  upTo(): ReadonlyMap<RefusableAction, string>;
} {
  /** By kind: the first few, and the first few behind those who were tried last. */
  const first = new Map<RefusableAction, string[]>();
  const next = new Map<RefusableAction, string[]>();
  const takes = (
    list: Map<RefusableAction, string[]>,
    action: RefusableAction,
    objectId: string,
  ): boolean => {
    const people = list.get(action) ?? [];
    if (people.length === triedFirst) return false;
    list.set(action, [...people, objectId]);
    return true;
  };
  const tried = (action: RefusableAction): readonly string[] => next.get(action) ?? first.get(action) ?? [];
  return {
    limit: (plan) => {
      if (plan.kind !== "operation") return plan;
      const { action, objectId } = plan.operation;
      const kind = action === "deactivate" ? undefined : kinds.get(action);
      if (kind === undefined) return plan;
      takes(first, kind.action, objectId);
      const goes = objectId > (kind.triedUpTo ?? "") && takes(next, kind.action, objectId);
      return goes ? plan : putBack(plan, refusalSentence(kind));
    },
    again: () => [...first.keys()].flatMap((action) => (next.has(action) ? [] : tried(action))),
    idle: () => [...kinds.keys()].filter((action) => !first.has(action)),
    upTo: () => new Map([...first.keys()].map((action) => [action, tried(action).at(-1) ?? ""])),
  };
}

/** Puts back everything but deactivations. */
export function leaversOnly(reason: string): (plan: PersonPlan) => PersonPlan {
  return (plan) =>
    plan.kind === "operation" && plan.operation.action !== "deactivate" ? putBack(plan, reason) : plan;
}

/**
 * Puts back everything but deactivations for this evidence, and what else these would write: the next cycle looks at the
 * person again.
 */
export function activeOnly(
  reason: string,
  evidence: ReadonlySet<EvidenceKind>,
): (plan: PersonPlan) => PersonPlan {
  return (plan) => {
    if (plan.kind !== "operation") return plan;
    const { operation, weights = [] } = plan;
    const seen = operation.action === "deactivate" ? operation.evidence : null;
    if (seen === null || !evidence.has(seen.kind)) return putBack(plan, reason);
    const changes = operation.changes.filter(({ attribute }) => attribute === "active");
    return {
      ...plan,
      operation: { ...operation, changes },
      weights: weights.filter(({ kind }) => kind === "deactivate"),
      lookAgainAt: 0,
    };
  };
}

/** The person is left to a later cycle, without an entry in the log. */
function putBack(plan: Extract<PersonPlan, { kind: "operation" }>, reason: string): PersonPlan {
  const { operation, ...rest } = plan;
  const { objectId, userName } = operation;
  const skipped: Skipped = { objectId, userName, code: "putBack", reason };
  return { ...rest, kind: "skipped", skipped };
}
