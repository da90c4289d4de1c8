import {
  AlreadyExistsError,
  ListingIncompleteError,
  RecordGoneError,
  RecordRejectedError,
} from "../../src/domain/errors.ts";
import type { Json, JsonObject } from "../../src/domain/json.ts";
import type { AttributeWrite, Target, TargetUser, WriteReceipt } from "../../src/domain/target.ts";
import { managerPath } from "../../src/mapping/rules/target-attributes.ts";

export interface WriteRequest {
  readonly kind: "create" | "update";
  /** The requested user name, or the account's. */
  readonly userName: string;
  readonly writes: readonly AttributeWrite[];
}

/** Lattice's side effects for a deactivated person; none is documented for SCIM. */
export interface Lifecycle {
  /** A deactivation removes the person as manager of every report and as a report of their manager. */
  cascades: boolean;
  /** Lattice's answer to a manager whose account is not active. */
  inactiveManager: "accept" | "drop" | "refuse";
}

/**
 * Lattice in memory: user names (whatever their case) and external ids are unique, an external id is taken once, a
 * manager must exist. A deactivation cascades.
 */
export interface MemoryTarget extends Target {
  readonly accounts: Map<string, TargetUser>;
  /** Every write that arrived, refused ones included. */
  readonly writes: WriteRequest[];
  /** Every read: `list`, `find userName x`, `get x`. */
  readonly reads: string[];
  /** Runs before a write is carried out. An error that it throws is the answer, and the write is not carried out. */
  before: (request: WriteRequest) => void | Promise<void>;
  /** Runs after a write was carried out. An error that it throws replaces the answer. */
  after: (request: WriteRequest) => void | Promise<void>;
  readonly lifecycle: Lifecycle;
  /** Changes values on their way in, as a target that normalises them. */
  normalise: (path: string, value: Json) => Json;
  /** Runs before a read. An error that it throws is the answer. */
  beforeRead: (read: string) => void;
  /** Accounts that the listing shows before it ends with `ListingIncompleteError`; `null` for all of them, and no error. */
  listsOnly: number | null;
  /** Whether a userName or an externalId that another account has is refused. */
  unique: boolean;
  /** Lattice ids that it does not find, although the accounts exist: by id, in the listing, or by search. */
  readonly hidden: Set<string>;
  add(account: Partial<TargetUser> & { userName: string }): TargetUser;
  account(userName: string): TargetUser;
  /** User names of the active accounts, in order. */
  active(): string[];
  /** User name of an account's manager. */
  managerOf(userName: string): string | null;
}

export function createMemoryTarget(): MemoryTarget {
  const accounts = new Map<string, TargetUser>();
  let made = 0;

  const refuseTwins = (latticeId: string, next: TargetUser): void => {
    if (!target.unique) return;
    for (const other of accounts.values()) {
      if (other.latticeId === latticeId) continue;
      const sameName = other.userName.toLowerCase() === next.userName.toLowerCase();
      const sameId = next.externalId !== null && other.externalId === next.externalId;
      if (sameName || sameId) throw new AlreadyExistsError("there is such an account", { status: 409 });
    }
  };
  const shown = (): TargetUser[] =>
    [...accounts.values()].filter(({ latticeId }) => !target.hidden.has(latticeId));
  const store = (before: TargetUser, writes: readonly AttributeWrite[]): TargetUser => {
    const next = apply(
      before,
      writes.map(({ path, value }) => ({ path, value: target.normalise(path, value) })),
    );
    if (before.externalId !== null && next.externalId !== before.externalId) {
      throw new RecordRejectedError("External IDs do not match", { status: 400 });
    }
    const manager = next.values[managerPath];
    if (manager !== undefined && !accounts.has(String(manager))) {
      throw new RecordRejectedError("no such manager", { status: 400 });
    }
    refuseTwins(before.latticeId, next);
    const given = manager !== undefined && manager !== before.values[managerPath];
    const inactive = given && accounts.get(String(manager))?.active === false;
    if (inactive && target.lifecycle.inactiveManager === "refuse") {
      throw new RecordRejectedError("the manager is deactivated", { status: 400 });
    }
    const dropped = inactive && target.lifecycle.inactiveManager === "drop";
    const leaves = target.lifecycle.cascades && before.active && !next.active;
    const kept = dropped || leaves ? withoutManager(next) : next;
    accounts.set(kept.latticeId, kept);
    if (leaves) {
      for (const report of accounts.values()) {
        if (report.values[managerPath] === kept.latticeId)
          accounts.set(report.latticeId, withoutManager(report));
      }
    }
    return kept;
  };
  const read = (what: string): void => {
    target.reads.push(what);
    target.beforeRead(what);
  };
  const write = async (request: WriteRequest, perform: () => TargetUser): Promise<WriteReceipt> => {
    target.writes.push(request);
    await target.before(request);
    const user = perform();
    await target.after(request);
    return { user, status: request.kind === "create" ? 201 : 200, requestId: undefined };
  };

  const target: MemoryTarget = {
    accounts,
    listsOnly: null,
    unique: true,
    hidden: new Set(),
    writes: [],
    reads: [],
    before: () => {},
    after: () => {},
    beforeRead: () => {},
    lifecycle: { cascades: true, inactiveManager: "accept" },
    normalise: (_path, value) => value,
    add: (account) => {
      made += 1;
      const user = { ...empty(`lat-${made}`), ...account };
      accounts.set(user.latticeId, user);
      return user;
    },
    account: (userName) => {
      const found = [...accounts.values()].find((user) => user.userName === userName);
      if (found === undefined) throw new Error(`Lattice has no account ${userName}`);
      return found;
    },
    active: () =>
      [...accounts.values()]
        .filter((user) => user.active)
        .map((user) => user.userName)
        .sort(),
    managerOf: (userName) => {
      const id = target.account(userName).values[managerPath];
      return id === undefined ? null : (accounts.get(String(id))?.userName ?? "nobody");
    },

    reach: async () => read("reach"),
    async *list() {
      read("list");
      const everybody = shown();
      const all = everybody.slice(0, target.listsOnly ?? everybody.length);
      for (let at = 0; at < all.length; at += 2) yield all.slice(at, at + 2);
      if (target.listsOnly === null) return;
      throw new ListingIncompleteError(
        `Lattice says it has ${target.listsOnly + 1} accounts, but its list has ${target.listsOnly}.`,
      );
    },
    find: async (attribute, value) => {
      read(`find ${attribute} ${value}`);
      return shown().filter((user) =>
        attribute === "userName"
          ? user.userName.toLowerCase() === value.toLowerCase()
          : user.externalId === value,
      );
    },
    get: async (latticeId) => {
      read(`get ${latticeId}`);
      return target.hidden.has(latticeId) ? null : (accounts.get(latticeId) ?? null);
    },
    create: async (writes) => {
      const userName = String(writes.find(({ path }) => path === "userName")?.value ?? "");
      return write({ kind: "create", userName, writes }, () => {
        made += 1;
        return store(empty(`lat-${made}`), writes);
      });
    },
    update: async (user, writes) =>
      write({ kind: "update", userName: user.userName, writes }, () => {
        const known = accounts.get(user.latticeId);
        if (known === undefined || target.hidden.has(user.latticeId))
          throw new RecordGoneError("no such account", { status: 404 });
        return store(known, writes);
      }),
  };
  return target;
}

function empty(latticeId: string): TargetUser {
  return { latticeId, userName: "", externalId: null, active: true, values: {} };
}

function withoutManager(user: TargetUser): TargetUser {
  const { [managerPath]: _, ...values } = user.values;
  return { ...user, values };
}

function apply(user: TargetUser, writes: readonly AttributeWrite[]): TargetUser {
  let { userName, externalId, active } = user;
  const values: { [path: string]: JsonObject[string] } = { ...user.values };
  for (const { path, value } of writes) {
    if (path === "userName") userName = String(value);
    else if (path === "externalId") externalId = value === null ? null : String(value);
    else if (path === "active") active = value === true;
    else if (value === null) delete values[path];
    else values[path] = value;
  }
  return { ...user, userName, externalId, active, values };
}
