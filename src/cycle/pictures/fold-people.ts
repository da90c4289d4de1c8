import { jsonEquals } from "../../domain/json.ts";
import type { SourceChange, SourceUser } from "../../domain/source.ts";
import type { PersonRow, StateChange } from "../../domain/state/change.ts";
import type { Mark } from "../../domain/state/mark.ts";
import { foldSource } from "./fold-source.ts";
import { configuredOtherwise, keysTouched, managerChanged, personAppeared, personChanged } from "./marks.ts";

/** Functions of the configuration that derive keys from a person. */
export interface Derive {
  readonly userNameKey: (user: SourceUser) => string | null;
  /** Always `null` if the mapping cannot give two people the same externalId. */
  readonly externalIdKey: (user: SourceUser) => string | null;
  readonly alwaysInScope: (user: SourceUser) => boolean;
  /** Properties of a manager that the mapping of the reports uses. */
  readonly ofManager: readonly string[];
}

/** The result of folding a page of the directory. */
export interface FoldedPeople {
  readonly change: StateChange;
  /** Object ids of people about whom the page says too little. They are read by id. */
  readonly readAgain: readonly string[];
  /** By property that an answer left out: the number of people whose earlier value was kept. */
  readonly kept: ReadonlyMap<string, number>;
  /** By property that an answer left out: the number of people for whom no earlier value was known. */
  readonly unshown: ReadonlyMap<string, number>;
}

const nothingDerived = { userNameKey: null, externalIdKey: null, alwaysInScope: false } as const;

/**
 * Folds a page of the directory. A person may be in it more than once; then the later item is the newer one.
 * @param known the people of the page who are stored already, by object id
 * @param readIn the cycle that reads the page
 */
export function foldPeople(
  known: ReadonlyMap<string, PersonRow>,
  page: readonly SourceChange[],
  readIn: number,
  derive: Derive,
): FoldedPeople {
  const current = new Map(known);
  const put = new Map<string, PersonRow>();
  const seen = new Set<string>();
  const marks: Mark[] = [];
  const touched: Pick<PersonRow, "userNameKey" | "externalIdKey">[] = [];
  const readAgain = new Set<string>();
  const kept = new Map<string, number>();
  const unshown = new Map<string, number>();
  let changed = false;

  const keep = (row: PersonRow): void => {
    current.set(row.source.objectId, row);
    put.set(row.source.objectId, row);
  };

  const remove = (before: PersonRow, presence: SourceUser["presence"]): void => {
    const { objectId } = before.source;
    keep({ ...before, source: { ...before.source, presence } });
    marks.push(...personChanged(objectId), ...managerChanged(objectId));
    touched.push(before);
    changed = true;
  };

  /** @returns whether the person has changed */
  const upsert = (
    item: Extract<SourceChange, { kind: "upsert" }>,
    before: PersonRow | undefined,
  ): boolean => {
    const folded = foldSource(before === undefined ? null : pictured(before.source), item);
    for (const name of folded.kept) kept.set(name, 1 + (kept.get(name) ?? 0));
    for (const name of folded.unshown) unshown.set(name, 1 + (unshown.get(name) ?? 0));
    const source: SourceUser = {
      objectId: item.objectId,
      attributes: folded.attributes,
      managerId: folded.managerId,
      presence: "present",
      ...(folded.unshown.length === 0 ? {} : { unshown: folded.unshown }),
    };
    const differs = before === undefined || !sameSource(before.source, source);
    if (differs) {
      if (before === undefined) marks.push(...personAppeared(item.objectId));
      else {
        marks.push(...personChanged(item.objectId));
        // If the person is enabled or restored now, they count again for the people with the same key.
        touched.push(before);
      }
      if (before === undefined || concernsReports(before.source, source, derive.ofManager)) {
        marks.push(...managerChanged(item.objectId));
      }
    }
    const row: PersonRow = {
      source,
      userNameKey: derive.userNameKey(source),
      externalIdKey: derive.externalIdKey(source),
      alwaysInScope: derive.alwaysInScope(source),
    };
    const derived = derivedOtherwise(row, before);
    marks.push(...derived.marks);
    touched.push(...derived.touched);
    if (differs || derived.changed) keep(row);
    else if (!put.has(item.objectId)) seen.add(item.objectId);
    return differs;
  };

  for (const item of page) {
    const before = current.get(item.objectId);
    if (item.kind === "removed") {
      if (before !== undefined && before.source.presence !== item.presence) remove(before, item.presence);
      continue;
    }
    if (before === undefined && !item.complete && (item.unshown ?? []).length > 0) {
      // A few properties of an unknown person are not enough.
      readAgain.add(item.objectId);
      changed = true;
      continue;
    }
    if (upsert(item, before)) changed = true;
    const returned = before !== undefined && before.source.presence !== "present";
    if (returned && !item.complete) readAgain.add(item.objectId);
  }
  for (const objectId of put.keys()) seen.delete(objectId);
  return {
    change: {
      people: { readIn, put: [...put.values()], seen: [...seen] },
      marks: [...marks, ...keysTouched(touched)],
      // Until the watermark is stored, the stored data is ahead of the last complete round of changes.
      ...(changed ? { notes: { aheadOfWatermark: "yes" } } : {}),
    },
    readAgain: [...readAgain],
    kept,
    unshown,
  };
}

/** Compares what the configuration derives from the person with what it derived before. */
function derivedOtherwise(
  row: PersonRow,
  before: PersonRow | undefined,
): {
  readonly changed: boolean;
  readonly marks: readonly Mark[];
  readonly touched: readonly Pick<PersonRow, "userNameKey" | "externalIdKey">[];
} {
  const { userNameKey, externalIdKey, alwaysInScope } = before ?? nothingDerived;
  const always = row.alwaysInScope !== alwaysInScope;
  const name = row.userNameKey !== userNameKey;
  const id = row.externalIdKey !== externalIdKey;
  const touched = [];
  if (name || always) touched.push({ userNameKey, externalIdKey: null });
  if (name) touched.push({ userNameKey: row.userNameKey, externalIdKey: null });
  if (id)
    touched.push(
      { userNameKey: null, externalIdKey },
      { userNameKey: null, externalIdKey: row.externalIdKey },
    );
  return {
    changed: always || name || id,
    marks: always ? configuredOtherwise(row.source.objectId) : [],
    touched,
  };
}

function sameSource(one: SourceUser, other: SourceUser): boolean {
  return (
    one.presence === other.presence &&
    one.managerId === other.managerId &&
    jsonEquals(one.unshown ?? [], other.unshown ?? []) &&
    jsonEquals(one.attributes, other.attributes)
  );
}

/** `true` if the person's reports may be mapped otherwise now. */
function concernsReports(before: SourceUser, now: SourceUser, ofManager: readonly string[]): boolean {
  return (
    before.presence !== now.presence ||
    !jsonEquals(before.unshown ?? [], now.unshown ?? []) ||
    ofManager.some((name) => !jsonEquals(before.attributes[name], now.attributes[name]))
  );
}

function pictured({ attributes, managerId, unshown = [] }: SourceUser): Parameters<typeof foldSource>[0] {
  return { attributes, managerId, unshown };
}
