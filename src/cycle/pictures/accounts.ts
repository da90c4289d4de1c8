import { jsonEquals } from "../../domain/json.ts";
import type { ConfirmedTarget, Dissolved, LostLink, ReadAgain } from "../../domain/state/account.ts";
import { type AccountRow, beforeRestore, type StateChange } from "../../domain/state/change.ts";
import type { Mark } from "../../domain/state/mark.ts";
import type { TargetUser } from "../../domain/target.ts";
import { driftOf, keepUnshown, stillAcknowledged } from "./drift.ts";
import {
  accountAppeared,
  accountChanged,
  accountGone,
  accountTakenOver,
  externalIdChanged,
  managersAccountChanged,
  nameFreed,
} from "./marks.ts";

/** The stored accounts that a fold needs. */
export interface KnownAccounts {
  /** Every account that is read, written, or linked to one of the people, as it is stored. */
  readonly rows: Iterable<AccountRow>;
  /** By Lattice id of a manager's account: accounts that point to it, or whose people report to its person. */
  readonly reports?: ReadonlyMap<string, readonly AccountRow[]>;
}

/**
 * Collects what is read and written of accounts. It changes nothing; `change` gives the result as a part of a state change.
 */
export interface AccountFold {
  /** Adds an account as it was read. Its link stays as it is. */
  read(found: TargetUser): void;
  /**
   * Adds an account as a write confirmed it, and links it to a person. Another account of the same person loses the link.
   * @param sent paths of the write
   */
  link(found: ConfirmedTarget, objectId: string, sent: ReadonlySet<string>): void;
  /** Adds that an account is gone. Its link is dissolved and leaves a trace; an account without a link is only forgotten. */
  unlink(latticeId: string, dissolved: Dissolved): void;
  /** Marks accounts that may differ from what is stored, so that they are read again. */
  readAgain(marks: readonly ReadAgain[]): void;
  row(latticeId: string): AccountRow | undefined;
  /** The marks so far, in the order of their reasons. */
  readonly marks: readonly Mark[];
  change(): Pick<StateChange, "accounts" | "lostLinks" | "accountRemoved" | "marks">;
}

const noPaths: ReadonlySet<string> = new Set();

/** @param readIn the cycle that reads and writes */
export function foldAccounts(known: KnownAccounts, readIn: number): AccountFold {
  const rows = new Map<string, AccountRow>();
  const linkedTo = new Map<string, string>();
  const index = (row: AccountRow): void => {
    rows.set(row.latticeId, row);
    if (row.objectId !== null) linkedTo.set(row.objectId, row.latticeId);
  };
  for (const row of known.rows) index(row);
  for (const reports of known.reports?.values() ?? []) {
    for (const row of reports) if (!rows.has(row.latticeId)) index(row);
  }

  const put = new Map<string, AccountRow>();
  const losing = new Set<string>();
  const seen = new Set<string>();
  const gone = new Set<string>();
  const traces: LostLink[] = [];
  const cameBack: string[] = [];
  const removed = new Map<string, boolean>();
  const marks: Mark[] = [];

  const keep = (row: AccountRow): void => {
    index(row);
    put.set(row.latticeId, row);
    seen.delete(row.latticeId);
    gone.delete(row.latticeId);
  };

  const read = (found: TargetUser): void => {
    const before = rows.get(found.latticeId);
    const user = keepUnshown(found, before);
    if (before === undefined) {
      keep({ ...accountOf(user), ...unlinked, readIn });
      marks.push(...accountAppeared(user.latticeId, user.externalId));
      return;
    }
    if (nameKey(before) !== nameKey(user)) marks.push(...nameFreed(nameKey(before)));
    if (before.externalId !== user.externalId) marks.push(...externalIdChanged(before.externalId, user));
    const returned = before.missingSince !== null;
    const differs = before.readAgain !== null || !sameAccount(before, user);
    const current = { ...before, ...accountOf(user), readIn, readAgain: null, missingSince: null };
    if (before.objectId === null) {
      if (differs || returned) keep(current);
      else if (!put.has(user.latticeId)) seen.add(user.latticeId);
      return;
    }
    const acknowledged = stillAcknowledged(before.acknowledged, user);
    const ended = Object.keys(acknowledged).length !== Object.keys(before.acknowledged).length;
    if (differs || returned) marks.push(...accountChanged(before.objectId, { returned }));
    const drifted = differs ? drift(before, user, noPaths) : before.drifted;
    if (differs || returned || ended) keep({ ...current, acknowledged, drifted });
    else if (!put.has(user.latticeId)) seen.add(user.latticeId);
  };

  const link = (found: ConfirmedTarget, objectId: string, sent: ReadonlySet<string>): void => {
    const before = rows.get(found.latticeId);
    const user = keepUnshown(found, before);
    const formerOwner = before?.objectId ?? null;
    if (formerOwner !== null && formerOwner !== objectId) {
      marks.push(...accountTakenOver(formerOwner));
      linkedTo.delete(formerOwner);
      losing.add(user.latticeId);
    }
    const current = linkedTo.get(objectId);
    if (current !== user.latticeId) {
      marks.push(...managersAccountChanged(objectId));
      const old = current === undefined ? undefined : rows.get(current);
      if (old !== undefined) {
        keep({ ...old, objectId: null });
        losing.add(old.latticeId);
      }
    }
    if (before !== undefined && nameKey(before) !== nameKey(user)) marks.push(...nameFreed(nameKey(before)));
    const emptied = new Set(before?.readAgain ?? []);
    const own = before !== undefined && formerOwner === objectId;
    keep({
      ...accountOf(user),
      objectId,
      // The answer may be older than the reason to read the account again. So the account stays marked, and acknowledgements
      // of paths that Lattice may have emptied do not count.
      acknowledged: withoutPaths(user.acknowledged, emptied),
      drifted: own ? drift(before, user, sent) : {},
      readIn,
      readAgain: before?.readAgain ?? null,
      missingSince: null,
    });
    removed.set(objectId, false);
    cameBack.push(user.latticeId);
  };

  const unlink = (latticeId: string, { at, reason }: Dissolved): void => {
    const before = rows.get(latticeId);
    if (before === undefined) return;
    rows.delete(latticeId);
    put.delete(latticeId);
    seen.delete(latticeId);
    gone.add(latticeId);
    marks.push(...nameFreed(nameKey(before)));
    const { objectId, externalId, userName, missingSince } = before;
    if (objectId === null) return;
    linkedTo.delete(objectId);
    const since = missingSince ?? at;
    traces.push({ latticeId, objectId, externalId, userName, missingSince: since, dissolvedAt: at, reason });
    removed.set(objectId, true);
    marks.push(...accountGone(objectId));
  };

  /** Accounts that pointed to this account before, and accounts that do so since a write of this fold. */
  const reportsOf = (latticeId: string, paths: readonly string[]): Iterable<string> => {
    const before = (known.reports?.get(latticeId) ?? []).map((row) => row.latticeId);
    const now = [...put.values()].filter(({ values }) => paths.some((path) => values[path] === latticeId));
    return new Set([...before, ...now.map((row) => row.latticeId)]);
  };

  const readAgain = (asked: readonly ReadAgain[]): void => {
    for (const one of asked) {
      const { which, latticeId, emptied } = one;
      const ids = which === "account" ? [latticeId] : reportsOf(latticeId, emptied);
      for (const id of ids) {
        const row = rows.get(id);
        if (row === undefined) continue;
        const paths = new Set([...(row.readAgain ?? []), ...emptied]);
        const acknowledged = withoutPaths(row.acknowledged, paths);
        const drifted = withoutPaths(row.drifted, emptiedInDoubt(row, one));
        keep({ ...row, readAgain: [...paths], acknowledged, drifted });
      }
    }
  };

  return {
    read,
    link,
    unlink,
    readAgain,
    row: (latticeId) => rows.get(latticeId),
    marks,
    change: () => ({
      accounts: { readIn, losing: [...losing], put: [...put.values()], seen: [...seen], gone: [...gone] },
      lostLinks: { put: traces, drop: cameBack },
      accountRemoved: [...removed].map(([objectId, isRemoved]) => ({ objectId, removed: isRemoved })),
      marks,
    }),
  };
}

/** Paths of a report that named the account, and were found empty while it was in doubt whether the account was switched off. */
function emptiedInDoubt(
  { values, drifted, readIn }: AccountRow,
  { which, latticeId, emptied, inDoubtSince }: ReadAgain,
): ReadonlySet<string> {
  if (which !== "reports" || inDoubtSince === undefined || readIn < inDoubtSince) return noPaths;
  return new Set(emptied.filter((path) => drifted[path] === latticeId && (values[path] ?? null) === null));
}

const unlinked = {
  objectId: null,
  acknowledged: {},
  drifted: {},
  readAgain: null,
  missingSince: null,
} as const;

function accountOf({ latticeId, userName, externalId, active, values }: TargetUser): TargetUser {
  return { latticeId, userName, externalId, active, values };
}

function nameKey({ userName }: Pick<TargetUser, "userName">): string {
  return userName.toLowerCase();
}

function sameAccount(one: TargetUser, other: TargetUser): boolean {
  return (
    one.userName === other.userName &&
    one.externalId === other.externalId &&
    one.active === other.active &&
    jsonEquals(one.values, other.values)
  );
}

/** The drift of an account. It is unknown if the stored account came from a backup. */
function drift(before: AccountRow, user: TargetUser, sent: ReadonlySet<string>): AccountRow["drifted"] {
  if (before.readIn === beforeRestore) return {};
  return driftOf(before, user, sent, new Set(before.readAgain ?? []));
}

function withoutPaths<Value>(
  entries: { readonly [path: string]: Value },
  paths: ReadonlySet<string>,
): { readonly [path: string]: Value } {
  return Object.fromEntries(Object.entries(entries).filter(([path]) => !paths.has(path)));
}
