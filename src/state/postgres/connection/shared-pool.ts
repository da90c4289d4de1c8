import { setTimeout as sleep } from "node:timers/promises";
import type { PoolClient, PoolConfig } from "pg";
import { StateError, UsageError } from "../../../domain/errors.ts";
import { prepareToWrite } from "./check.ts";
import { createCommitMarks } from "./commit-marks.ts";
import { type Connections, cut, openConnections } from "./connections.ts";
import type { JobMarks, UseConnection } from "./database.ts";
import { closingMs, createEndWatch } from "./end-watch.ts";
import { type DatabaseInWords, databaseInWords } from "./errors.ts";
import type { FairTurnsOptions } from "./fair-turns.ts";
import { defaultConnections, defaultLimits, type Limits, type PostgresPlace } from "./place.ts";
import { serverOf } from "./server.ts";
import { poolSettings, type Settings } from "./settings.ts";

/** The part of one user in the connections of this process to a database. */
export interface PoolPart {
  readonly words: DatabaseInWords;
  readonly use: UseConnection;
  /** Uses the connection that is kept for leases: a lease that waits behind other work is lost. */
  readonly useForLease: UseConnection;
  /** The marks of the job: they stay as long as the pool does. */
  readonly marks: JobMarks;
  /** Prepares the database, unless this was done before. */
  once(prepare: (client: PoolClient) => Promise<void>): Promise<void>;
  /** Waits for what is under way. The last user to close closes the connections. */
  close(): Promise<void>;
}

type Place = Omit<PostgresPlace, "job">;

interface Pool {
  readonly words: DatabaseInWords;
  readonly all: Connections;
  readonly lease: Connections;
  readonly marks: Map<string, JobMarks>;
  once(prepare: () => Promise<void>): Promise<void>;
}

/** A pool and its users. */
interface Shared {
  readonly opened: Promise<Pool>;
  readonly users: Set<{ readonly place: Place }>;
}

/** A cycle uses one or two at a time, the dashboard and notifications the others. */
const mostOfOneJob = 5;
/** For the connection of the leases: neither a lock nor a broken connection may keep the leases of other jobs from being renewed. */
const leaseLimits = { statementMs: 5_000, answerMs: 10_000, lockMs: 1_000 };
const tokenNeedsTls =
  "state.signIn: entra sends a token, which must not travel unencrypted: add ?sslmode=verify-full to state.url";

const pools = new Map<string, Shared>();

/**
 * Takes part in the pool of this process for a database: all jobs with the same URL and credential share its connections. A copy has a connection
 * of its own.
 * @param who the job; connections are shared out fairly among jobs
 * @throws UsageError about the URL
 */
export async function takePart(place: Place, settings: Settings, who: string): Promise<PoolPart> {
  const key = keyOf(place, settings);
  const shared = (settings.tables === "copy" ? undefined : pools.get(key)) ?? open(place, settings);
  if (settings.tables !== "copy") pools.set(key, shared);
  const user = { place };
  shared.users.add(user);
  const leave = async (): Promise<void> => {
    if (!shared.users.delete(user) || shared.users.size > 0) return;
    if (pools.get(key) === shared) pools.delete(key);
    const { all, lease } = await shared.opened;
    await Promise.all([all.close(), ...(lease === all ? [] : [lease.close()])]);
  };
  try {
    const pool = await shared.opened;
    if (settings.tables !== "copy") pool.all.allow(withoutLease(place));
    return partOf(pool, who, leave);
  } catch (error) {
    if (pools.get(key) === shared) pools.delete(key);
    throw error;
  }
}

/** Jobs with the same key have the same rights, and the same settings of a connection. */
function keyOf({ url, signsInAs, limits }: Place, { path, tables }: Settings): string {
  return JSON.stringify([url, signsInAs?.() ?? null, limits ?? null, path, tables]);
}

/** Connections at a time, without the one for leases. */
function withoutLease({ connections = defaultConnections }: Place): number {
  return Math.max(connections - 1, 1);
}

function partOf(pool: Pool, who: string, leave: () => Promise<void>): PoolPart {
  const underWay = new Set<Promise<unknown>>();
  const inUse = new Set<PoolClient>();
  let closed = false;
  const useOf =
    (connections: Connections): UseConnection =>
    (work) => {
      const used = connections.use(who, async (client) => {
        if (closed) throw new Error("the state database is closed");
        inUse.add(client);
        try {
          return await work(client);
        } finally {
          inUse.delete(client);
        }
      });
      const ended = (): boolean => underWay.delete(used);
      underWay.add(used);
      used.then(ended, ended);
      return used;
    };
  const marks = pool.marks.get(who) ?? { marks: createCommitMarks(), compared: new WeakSet() };
  pool.marks.set(who, marks);
  const use = useOf(pool.all);
  return {
    words: pool.words,
    use,
    useForLease: useOf(pool.lease),
    marks,
    once: (prepare) => pool.once(() => use(prepare)),
    close: async () => {
      closed = true;
      // A server that hangs does not answer: what is under way is given up.
      const timer = setTimeout(() => {
        for (const client of inUse) cut(client);
      }, closingMs);
      await Promise.race([Promise.allSettled(underWay), sleep(2 * closingMs, undefined, { ref: false })]);
      clearTimeout(timer);
      await leave();
    },
  };
}

function open(place: Place, settings: Settings): Shared {
  const users: Shared["users"] = new Set();
  return { users, opened: openPool(place, settings, users) };
}

async function openPool(place: Place, settings: Settings, users: Shared["users"]): Promise<Pool> {
  const words = databaseInWords(new URL(place.url));
  const { config, verified } = serverOf(place.url);
  const signsIn = place.password !== undefined;
  if (signsIn && !verified) throw new UsageError(tokenNeedsTls);
  const limits: Limits = { ...defaultLimits, ...place.limits };
  let prepared: Promise<void> | null = null;
  let isPrepared = false;
  const check = async (client: PoolClient): Promise<void> => {
    const writes = await prepareToWrite(client);
    // A later connection may lead to another server. A replica that is about to become the primary server is waited for.
    if (isPrepared && !writes) throw Object.assign(new Error("the server is a replica"), { code: "25006" });
  };
  const connect = (how: Partial<Limits>, turns: Pick<FairTurnsOptions, "most" | "longestWaitMs">) => {
    const pool: PoolConfig = {
      ...config,
      ...(signsIn ? { password: () => passwordOf(users, place) } : {}),
      ...poolSettings(settings, { ...limits, ...how }),
      verify: (client, done) => {
        const checked = settings.tables === "shared" ? check(client) : Promise.resolve();
        checked.then(() => done(), done);
      },
    };
    return openConnections(
      pool,
      { ...turns, mostOfOne: mostOfOneJob, tooLate: () => noneFree(words) },
      createEndWatch(place.ends, words),
    );
  };
  const { answerMs: longestWaitMs } = limits;
  const all = await connect(
    {},
    settings.tables === "copy" ? { most: 1 } : { most: withoutLease(place), longestWaitMs },
  );
  return {
    words,
    all,
    lease: settings.tables === "shared" ? await connect(least(limits), { most: 1, longestWaitMs }) : all,
    marks: new Map(),
    once: (prepare) => {
      prepared ??= prepare().then(
        () => {
          isPrepared = true;
        },
        (error: unknown) => {
          prepared = null;
          throw error;
        },
      );
      return prepared;
    },
  };
}

function least({ statementMs, answerMs, lockMs }: Limits): Partial<Limits> {
  return {
    statementMs: Math.min(statementMs, leaseLimits.statementMs),
    answerMs: Math.min(answerMs, leaseLimits.answerMs),
    lockMs: Math.min(lockMs, leaseLimits.lockMs),
  };
}

function noneFree({ name }: DatabaseInWords): StateError {
  return new StateError(
    `no connection to ${name} became free: allow more of them with workers.maxDatabaseConnections, or fewer jobs at once (workers.maxJobsAtOnce)`,
  );
}

/** The password of a new connection, from the first job that gives one: the credential of another may have expired. */
async function passwordOf(users: Shared["users"], { signsInAs }: Place): Promise<string> {
  const wanted = signsInAs?.();
  const places = [...users].map(({ place }) => place).reverse();
  // A job that signs in as another user since a reload is asked last.
  const same = places.filter((place) => place.signsInAs?.() === wanted);
  let fault: unknown = new StateError("no job gives a password");
  for (const { password } of [...same, ...places.filter((place) => !same.includes(place))]) {
    try {
      if (password !== undefined) return await password();
    } catch (error) {
      fault = error;
    }
  }
  throw fault;
}
