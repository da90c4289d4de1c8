import { StateError } from "../../domain/errors.ts";
import type { LeaseHolder } from "../../domain/state/lease.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { upgradedMeanwhile } from "../lease-errors.ts";
import type { LogValues } from "../logged-values.ts";
import { accountReportMethods } from "./account-report.ts";
import { accountMethods } from "./accounts.ts";
import { commitMethod } from "./commit.ts";
import { cycleMethods } from "./cycles.ts";
import { decisionMethods } from "./decisions.ts";
import { type Connection, openDatabase, openReadOnly, openScratchCopy, statOf } from "./files/database.ts";
import { type FileInWords, stateDatabase, stateError } from "./files/errors.ts";
import { schemaVersion } from "./files/schema.ts";
import { guardingMethods } from "./guarding.ts";
import { historyMethods } from "./history.ts";
import { leaseMethods } from "./lease.ts";
import { linkDecisionMethods } from "./link-decisions.ts";
import { valueKeeper } from "./log-values.ts";
import { nobodysMethods } from "./nobodys.ts";
import { noteMethods } from "./notes.ts";
import { outboxMethods } from "./outbox.ts";
import { peopleMethods } from "./people.ts";
import { planLogMethods } from "./plan-log.ts";
import { planningMethods } from "./planning.ts";
import { protectionMethods } from "./protections.ts";
import { retentionMethods } from "./retention.ts";
import { sendingOrderMethods } from "./sending-order.ts";
import { stagingMethods } from "./staging.ts";
import { unfinishedMethods } from "./unfinished.ts";

/** Settings of a store. */
export interface StoreOptions {
  /** The part of values that the log keeps once an operation has ended. Default `keep`. */
  readonly logValues?: LogValues;
  /** `true` if the process that holds the lease has certainly ended. Default: unknown, so `false`. */
  readonly hasEnded?: (holder: LeaseHolder) => boolean;
}

/** Opens the state database at `path` (`:memory:` for one without a file). @throws StateError */
export function openStore(path: string, options: StoreOptions = {}): StateStore {
  const db = openDatabase(path, options.hasEnded);
  const store = storeOn(db, path, options);
  const opened = statOf(path);
  if (opened === null) return store;
  // Checked with each heartbeat: a run on a file that was moved away would write to Lattice at the same time as one on the new file.
  const mustBeThere = (): void => {
    const now = statOf(path);
    if (now?.ino === opened.ino && now.dev === opened.dev) return;
    throw new StateError(
      `the state database ${path} was moved or replaced while this process had it open: restart this process`,
    );
  };
  const known = schemaVersion(db);
  const mustBeKnown = (): void => {
    if (schemaVersion(db) <= known) return;
    throw upgradedMeanwhile(`the state database ${path}`);
  };
  return {
    ...store,
    acquireLease: async (...terms) => {
      mustBeThere();
      mustBeKnown();
      return store.acquireLease(...terms);
    },
    renewLease: async (...terms) => {
      mustBeThere();
      mustBeKnown();
      return store.renewLease(...terms);
    },
    commit: async (change, fence) => {
      // A newer version may store unconfirmed writes in another form, so begin none.
      if (change.intents?.begin !== undefined) mustBeKnown();
      return store.commit(change, fence);
    },
  };
}

/** A private copy for a dry run. It vanishes when it is closed, so its log keeps all values. @throws StateError */
export function openScratchStore(path: string): StateStore {
  const { db, file } = openScratchCopy(path);
  return storeOn(db, file);
}

/**
 * The database for reading only; `null` if there is none yet.
 * @param how whether it is checked for damage first
 * @throws StateError
 */
export function openReadOnlyStore(
  path: string,
  how: { readonly check: boolean } = { check: false },
): StateStore | null {
  const db = openReadOnly(path, how);
  return db === null ? null : storeOn(db, path);
}

/**
 * A store on an open connection, which it closes.
 * @param file how error messages name it: a path, or words
 * @throws StateError if the schema was changed by hand; the connection is closed then
 */
export function storeOn(db: Connection, file: string | FileInWords, options: StoreOptions = {}): StateStore {
  const words = typeof file === "string" ? stateDatabase(file) : file;
  try {
    return explained(methodsOn(db, options), words);
  } catch (error) {
    // All statements were compiled here: a table or a column is missing.
    db.close();
    throw stateError(words, error);
  }
}

function methodsOn(db: Connection, options: StoreOptions): StateStore {
  const values = valueKeeper(db, options.logValues ?? "keep");
  return {
    commit: commitMethod(db, values, options.logValues ?? "keep"),
    ...leaseMethods(db),
    ...noteMethods(db),
    ...cycleMethods(db),
    ...peopleMethods(db),
    ...accountMethods(db),
    ...stagingMethods(db),
    ...planningMethods(db),
    ...planLogMethods(db),
    ...sendingOrderMethods(db),
    ...unfinishedMethods(db),
    ...guardingMethods(db),
    ...decisionMethods(db),
    ...protectionMethods(db),
    ...linkDecisionMethods(db),
    ...retentionMethods(db, values),
    ...historyMethods(db),
    ...accountReportMethods(db),
    // A file has one job.
    accountsElsewhere: async () => [],
    ...nobodysMethods(db),
    ...outboxMethods(db, options.logValues ?? "keep"),
    close: async () => {
      db.close();
    },
  };
}

/** The store, with SQLite's error codes turned into sentences. */
function explained(store: StateStore, file: FileInWords): StateStore {
  const wrapped = new Map<PropertyKey, unknown>();
  return new Proxy(store, {
    get(target, property, receiver) {
      if (!wrapped.has(property)) wrapped.set(property, wrap(Reflect.get(target, property, receiver), file));
      return wrapped.get(property);
    },
  });
}

function wrap(member: unknown, file: FileInWords): unknown {
  if (typeof member !== "function") return member;
  return async (...args: unknown[]) => {
    try {
      return await member(...args);
    } catch (error) {
      throw stateError(file, error);
    }
  };
}
