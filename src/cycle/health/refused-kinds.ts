import type { OperationOutcome } from "../../domain/operation.ts";
import type { Action, EvidenceKind, Skipped } from "../../domain/plan.ts";
import { sentence } from "../../domain/sentence.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { PersonPlan } from "../../domain/state/planning.ts";

/** A kind of operation that Lattice can refuse as a whole. Deactivations are always sent. */
export type RefusableAction = Exclude<Action, "deactivate">;

/** A kind of operation that Lattice refuses for every person. Example: creates, with 402 because no seat is left. */
export interface RefusedKind {
  readonly action: RefusableAction;
  /** HTTP status of the refusals. */
  readonly status: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Lattice's words, with the status. */
  readonly words: string;
  /** The last person who was tried. The next cycle continues after them; if absent or empty, with the first person. */
  readonly triedUpTo?: string;
}

export type RefusedKinds = ReadonlyMap<RefusableAction, RefusedKind>;

/** If this many people in a row are refused with the same status, the rest of the kind is put back. */
const enough = 3;
/**
 * A kind that was refused in the last cycle is tried with this many people; the others are put back. The next cycle tries the
 * next people, because a record may be refused for a reason of its own.
 */
const triedFirst = 2;

/** Statuses that are about the data of one record. (403 may be about the record, the key or the kind.) */
const aboutData: ReadonlySet<number> = new Set([400, 404, 409, 410, 412, 413, 414, 415, 422, 428]);

const whatIsRefused: { readonly [A in RefusableAction]: string } = {
  create: "new accounts",
  update: "updates of accounts",
  link: "links of existing accounts",
  reactivate: "reactivations",
};

/** `Lattice refuses new accounts: All seats are taken (402). …` */
export function refusalSentence({ action, words }: Pick<RefusedKind, "action" | "words">): string {
  return `Lattice refuses ${whatIsRefused[action]}: ${sentence(words)} The rest of this kind is postponed; the next cycle tries ${triedFirst} people first.`;
}

export function parseRefusedKinds(meta: Partial<Meta>): RefusedKinds {
  if (meta.refusedKinds === undefined || meta.refusedKinds === "") return new Map();
  // Only this program writes it.
  const kinds = JSON.parse(meta.refusedKinds) as readonly RefusedKind[];
  return new Map(kinds.map((kind) => [kind.action, kind]));
}

export function refusedKindsText(kinds: RefusedKinds): string {
  return kinds.size === 0 ? "" : JSON.stringify([...kinds.values()]);
}

/** Follows the outcomes of each kind of operation in a cycle. It sends nothing. */
export interface KindWatch {
  /** Notes an outcome. @returns whether the kind seems to be refused, not only this person's operation */
  note(action: Action, outcome: OperationOutcome): boolean;
  isRefused(action: Action): boolean;
  /** Forgets these kinds, because no such operation is due any more. */
  forget(actions: readonly RefusableAction[]): void;
  /** Notes, for each refused kind, the last person who is tried in this cycle. */
  trying(upTo: ReadonlyMap<RefusableAction, string>): void;
  /** Kinds that are refused now. A kind that was refused before stays so until Lattice accepts an operation of it. */
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
   * `true` if a refusal is about the kind. A 403 is, if it was before, or if other kinds are accepted and this one is not; but
   * not for a person who failed before.
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
        // Lattice looked at the data, so it does not refuse the kind.
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

/** Plans a few people of each refused kind and puts the others back. People must come in the order of their object ids. */
export function tryFew(kinds: RefusedKinds): {
  limit(plan: PersonPlan): PersonPlan;
  /** The first people, who are tried again if there are none after those who were tried last. */
  again(): readonly string[];
  /** Refused kinds for which no operation is due any more. */
  idle(): readonly RefusableAction[];
  /** The last person who is tried, by kind. */
  upTo(): ReadonlyMap<RefusableAction, string>;
} {
  /** By kind: the first few people, and the first few after those who were tried last. */
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
 * Puts back everything except deactivations with this evidence, of which only `active` is sent. The next cycle plans these
 * people again.
 */
export function activeOnly(
  reason: string,
  evidence: ReadonlySet<EvidenceKind>,
): (plan: PersonPlan) => PersonPlan {
  return (plan) => {
    if (plan.kind !== "operation") return plan;
    return isOfLeaver(plan, evidence) ? withActiveAlone(plan) : putBack(plan, reason);
  };
}

/** Takes everything but `active` out of deactivations with this evidence. The next cycle plans these people again. */
export function leaversActiveOnly(evidence: ReadonlySet<EvidenceKind>): (plan: PersonPlan) => PersonPlan {
  return (plan) =>
    plan.kind === "operation" && isOfLeaver(plan, evidence) && plan.operation.changes.length > 1
      ? withActiveAlone(plan)
      : plan;
}

type PlannedOperation = Extract<PersonPlan, { kind: "operation" }>;

function isOfLeaver({ operation }: PlannedOperation, evidence: ReadonlySet<EvidenceKind>): boolean {
  const seen = operation.action === "deactivate" ? operation.evidence : null;
  return seen !== null && evidence.has(seen.kind);
}

function withActiveAlone(plan: PlannedOperation): PersonPlan {
  const { operation, weights = [] } = plan;
  const changes = operation.changes.filter(({ attribute }) => attribute === "active");
  return {
    ...plan,
    operation: { ...operation, changes },
    weights: weights.filter(({ kind }) => kind === "deactivate"),
    lookAgainAt: 0,
  };
}

/** Leaves the operation to a later cycle, without an entry in the log. */
function putBack(plan: PlannedOperation, reason: string): PersonPlan {
  const { operation, ...rest } = plan;
  const { objectId, userName } = operation;
  const skipped: Skipped = { objectId, userName, code: "putBack", reason };
  return { ...rest, kind: "skipped", skipped };
}
