import { setTimeout as sleep } from "node:timers/promises";
import type { Job as Entry, PgBoss } from "pg-boss";
import { errorText, StateError } from "../../domain/errors.ts";
import { closingMs, createEndWatch, type EndWatch } from "../../state/postgres/connection/end-watch.ts";
import {
  type DatabaseInWords,
  databaseInWords,
  isTransient,
  stateError,
} from "../../state/postgres/connection/errors.ts";
import {
  defaultLimits,
  queueSchema as defaultQueueSchema,
  type PostgresPlace,
} from "../../state/postgres/connection/place.ts";
import { limitsOf } from "../../state/postgres/connection/settings.ts";

/**
 * The queue of an entry: a cycle of the schedule, a look for leavers between two cycles, or work that a person has asked for. A job can
 * have an entry in each.
 */
export type QueueName = TimedQueue | AskedQueue;

/** A queue whose entries come again and again. */
export type TimedQueue = "schedule" | "leavers";

/** A queue of work that people have asked for. Each level of work has its own, so that no version takes work that it does not know. */
export type AskedQueue = "asked" | "asked-2";

/** An entry that this worker has taken, and keeps by saying that it lives. */
export interface Claim {
  readonly queue: QueueName;
  readonly job: string;
  /** The id of the work that was asked for; `null` for other entries. */
  readonly work: string | null;
  /** Another worker has begun it before, and died. */
  readonly takenOver: boolean;
  readonly entry: Pick<Entry, "id" | "retryCount">;
}

/** When a job's next cycle, or its next look for leavers, is due. */
export interface DueJob {
  readonly job: string;
  /** Milliseconds since the epoch, by the server's clock. */
  readonly at: number;
}

/**
 * Says which worker does what, and when: at most one entry for a job in each queue, waiting or taken. It does not say who may write: a
 * worker that was stopped (SIGSTOP) and continued may still work on an entry that another worker has taken in the meantime.
 * @throws StateError
 */
export interface Queue {
  /** Entries that no daemon has taken. Default: of the schedule. */
  waiting(queue?: TimedQueue): Promise<readonly DueJob[]>;
  /** Adds an entry for each of these jobs that has none. Default: to the schedule. */
  schedule(jobs: readonly DueJob[], queue?: TimedQueue): Promise<void>;
  /** Lets the waiting entry of a job be due at another time. Default: of the schedule. */
  move(job: DueJob, queue?: TimedQueue): Promise<void>;
  /**
   * Adds an entry for work that a person has asked for.
   * @param work its id, a UUID
   * @returns `false` if the job has an entry for other work in this queue, and nothing was added
   */
  ask(job: string, work: string, level: 1 | 2): Promise<boolean>;
  /** Removes the entry of work that was withdrawn. */
  unask(work: string, level: 1 | 2): Promise<void>;
  /** Takes entries that are due, except those of these jobs. */
  take(queue: QueueName, most: number, without: readonly string[]): Promise<readonly Claim[]>;
  /** Says that this worker lives. @returns claims that it no longer has */
  keep(claims: readonly Claim[]): Promise<readonly Claim[]>;
  /** Lets another worker, or this one, take the entry again. */
  giveBack(claim: Claim): Promise<void>;
  /** Ends an entry that was taken. */
  done(claim: Claim): Promise<void>;
  close(): Promise<void>;
}

/** Settings of the queue. */
export interface QueueOptions {
  /** A worker that has not said for this long that it lives counts as dead; seconds, 10 or more. */
  readonly heartbeatSeconds: number;
  /** How often the queue looks for workers that have died, seconds. */
  readonly monitorSeconds: number;
  /** Called with faults that the queue gets over by itself. */
  readonly onError: (error: unknown) => void;
}

const names: Readonly<Record<QueueName, string>> = {
  schedule: "schedule",
  leavers: "leavers",
  asked: "asked",
  "asked-2": "asked-2",
};
const ofLevel = { 1: "asked", 2: "asked-2" } as const;
const mostConnections = 3;
const daySeconds = 86_400;
const hourSeconds = 3_600;
const mostWaiting = 100_000;
/** Statements of the queue are small; those that make its tables are too. */
const longestAnswerMs = 30_000;
/** A server restarts within seconds; another one takes over within about half a minute. */
const defaultWaitMs = 30_000;

/** Opens the queue, and makes or migrates its tables. @throws StateError */
export async function openQueue(
  place: Omit<PostgresPlace, "job"> & { readonly queueSchema?: string | undefined },
  { heartbeatSeconds, monitorSeconds, onError }: QueueOptions,
): Promise<Queue> {
  // Loaded only here: a daemon with SQLite, and all other commands, do not need it.
  const { PgBoss } = await import("pg-boss");
  const { url, queueSchema = defaultQueueSchema } = place;
  const words = databaseInWords(new URL(url));
  const endWatch = createEndWatch(place.ends, words);
  const connection = await connectionTo(place, endWatch);
  const start = async (createSchema: boolean): Promise<PgBoss> => {
    const boss = new PgBoss({
      ...connection,
      application_name: "azure-lattice-sync queue",
      schema: queueSchema,
      createSchema,
      max: mostConnections,
      // Schedules are this program's: 45 minutes count from the last start.
      schedule: false,
      superviseIntervalSeconds: monitorSeconds,
      monitorIntervalSeconds: monitorSeconds,
      maintenanceIntervalSeconds: hourSeconds,
      registerInstance: false,
    });
    boss.on("error", onError);
    try {
      await boss.start();
      return boss;
    } catch (error) {
      await boss.stop({ graceful: false }).catch(onError);
      throw error;
    }
  };
  try {
    const boss = await whileItPasses(place.waitMs ?? defaultWaitMs, () =>
      endWatch.ask(() =>
        start(true).catch((error: unknown) => {
          // The user has no right to make a schema. PostgreSQL refuses even if the schema exists, and an administrator may have made it.
          if (!isForbidden(error)) throw error;
          return start(false);
        }),
      ),
    );
    await endWatch
      .ask(() => makeQueues(boss, heartbeatSeconds))
      .catch(async (error: unknown) => {
        await boss.stop({ graceful: false }).catch(onError);
        throw error;
      });
    return queueOn(boss, words, endWatch);
  } catch (error) {
    endWatch.end();
    if (error instanceof StateError) throw error;
    if (isTransient(error)) throw stateError(words, error);
    throw new StateError(
      `the queue of jobs cannot be kept in the schema ${queueSchema} (${errorText(error)}): make the user of state.url the owner of this schema, or allow it to create one`,
      { cause: error },
    );
  }
}

/** A call that fails for a passing reason, such as a server that restarts, is repeated until this long after its first failure. */
async function whileItPasses<T>(waitMs: number, action: () => Promise<T>): Promise<T> {
  let since: number | undefined;
  for (;;) {
    try {
      return await action();
    } catch (error) {
      since ??= performance.now();
      if (!isTransient(error) || performance.now() - since > waitMs) throw error;
      await sleep(pauseMs);
    }
  }
}

/**
 * Opens the queue to ask for work alone. Nothing of it is made or migrated.
 * @throws StateError if it is not there, or is of another version
 */
export async function openQueueToAsk(
  place: Omit<PostgresPlace, "job"> & { readonly queueSchema?: string | undefined },
  onError: QueueOptions["onError"],
): Promise<Pick<Queue, "ask" | "unask" | "close">> {
  const { PgBoss } = await import("pg-boss");
  const { queueSchema = defaultQueueSchema } = place;
  const words = databaseInWords(new URL(place.url));
  const endWatch = createEndWatch(place.ends, words);
  const connection = await connectionTo(place, endWatch);
  const boss = new PgBoss({
    ...connection,
    application_name: "azure-lattice-sync queue",
    schema: queueSchema,
    createSchema: false,
    migrate: false,
    supervise: false,
    schedule: false,
    max: 1,
    registerInstance: false,
  });
  boss.on("error", onError);
  try {
    await boss.start();
    return queueOn(boss, words, endWatch);
  } catch (error) {
    await boss.stop({ graceful: false }).catch(onError);
    endWatch.end();
    throw new StateError(
      `the queue of the daemons in the schema ${queueSchema} cannot be used (${errorText(error)})`,
      { cause: error },
    );
  }
}

/**
 * The settings of the queue's connections: an object of any kind, because the types of pg-boss have fewer settings than the driver. The
 * password can be a function, which gives each connection a fresh token. A server that does not answer is given up. Without this limit, a
 * daemon would take no jobs after a fail-over that dropped its connection silently, because it would wait for that answer without end.
 */
async function connectionTo(
  { url, password, limits }: Omit<PostgresPlace, "job">,
  { stream }: EndWatch,
): Promise<object> {
  const { serverOf } = await import("../../state/postgres/connection/server.ts");
  return {
    ...serverOf(url).config,
    stream,
    ...limitsOf({ ...defaultLimits, answerMs: longestAnswerMs, ...limits }),
    ...(password === undefined ? {} : { password }),
  };
}

function isForbidden(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "42501";
}

async function makeQueues(boss: PgBoss, heartbeatSeconds: number): Promise<void> {
  for (const name of Object.values(names)) {
    const options = {
      heartbeatSeconds,
      // The longest that pg-boss allows; a run that takes longer ends, and the next one goes on.
      expireInSeconds: daySeconds,
      retryLimit: 1_000,
      retryDelay: 0,
      retentionSeconds: 365 * daySeconds,
      deleteAfterSeconds: hourSeconds,
    };
    await boss.createQueue(name, { ...options, policy: "exclusive" });
    await boss.updateQueue(name, options);
  }
}

function queueOn(boss: PgBoss, words: DatabaseInWords, endWatch: EndWatch): Queue {
  const asking = async <T>(question: () => Promise<T>): Promise<T> => {
    try {
      return await endWatch.ask(question);
    } catch (error) {
      throw stateError(words, error);
    }
  };
  return {
    waiting: async (queue = "schedule") =>
      (await asking(() => boss.findJobs(names[queue], { queued: true, limit: mostWaiting }))).flatMap(
        ({ singletonKey, startAfter }) =>
          singletonKey === null ? [] : [{ job: singletonKey, at: startAfter.getTime() }],
      ),
    schedule: async (jobs, queue = "schedule") => {
      if (jobs.length === 0) return;
      await asking(() =>
        boss.insert(
          names[queue],
          jobs.map(({ job, at }) => ({
            data: { job },
            singletonKey: job,
            group: { id: job },
            startAfter: new Date(at),
          })),
        ),
      );
    },
    move: async ({ job, at }, queue = "schedule") => {
      await asking(() =>
        boss.update(names[queue], undefined, { singletonKey: job, startAfter: new Date(at) }),
      );
    },
    ask: (job, work, level) =>
      persist(() =>
        asking(async () => {
          const name = names[ofLevel[level]];
          const options = { id: work, singletonKey: job, group: { id: job } };
          if ((await boss.send(name, { job, work }, options)) !== null) return true;
          // An attempt whose answer was lost may have added it.
          return (await boss.getJobById(name, work)) !== null;
        }),
      ),
    unask: async (work, level) => {
      await persist(() => asking(() => boss.deleteJob(names[ofLevel[level]], work)));
    },
    take: async (queue, most, without) => {
      const taken = await asking(() =>
        boss.fetch<{ readonly job: string; readonly work?: string }>(names[queue], {
          batchSize: most,
          ...(without.length === 0 ? {} : { ignoreGroups: [...without] }),
        }),
      );
      return taken.map(({ id, retryCount, data: { job, work = null } }) => ({
        queue,
        job,
        work,
        takenOver: retryCount > 0,
        entry: { id, retryCount },
      }));
    },
    keep: async (claims) => {
      const lost: Claim[] = [];
      for (const [queue, name] of Object.entries(names)) {
        const mine = claims.filter((claim) => claim.queue === queue);
        if (mine.length === 0) continue;
        const answer = await asking(() =>
          boss.touch(
            name,
            mine.map(({ entry: { id, retryCount } }) => ({ id, retryCount })),
          ),
        );
        const kept = new Set(settledBy(answer));
        lost.push(...mine.filter(({ entry }) => !kept.has(entry.id)));
      }
      return lost;
    },
    giveBack: async ({ queue, entry: { id, retryCount } }) => {
      await persist(() => asking(() => boss.fail(names[queue], { id, retryCount })));
    },
    done: async ({ queue, entry: { id, retryCount } }) => {
      await persist(() => asking(() => boss.complete(names[queue], { id, retryCount })));
    },
    close: async () => {
      // A server that hangs does not answer a request to close the connection.
      const timer = setTimeout(endWatch.cut, closingMs);
      try {
        await boss.stop({ graceful: false });
      } finally {
        clearTimeout(timer);
        endWatch.end();
      }
    },
  };
}

const mostTries = 5;
const pauseMs = 250;

/**
 * Repeats a call whose connection was lost: the server was restarted, and the next connection works. A call that is made twice does no
 * harm: an entry that exists is not added again, and an entry of unknown work is not carried out.
 */
async function persist<T>(action: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await action();
    } catch (error) {
      const cause = error instanceof StateError ? error.cause : error;
      if (tries === mostTries || !isTransient(cause)) throw error;
      await sleep(pauseMs * tries);
    }
  }
}

/** The ids of entries that a command reached; pg-boss gives them, and its types do not say so. */
function settledBy(answer: object): readonly string[] {
  const settled: unknown = Reflect.get(answer, "settled");
  if (!Array.isArray(settled)) throw new Error("pg-boss does not say which entries it reached");
  return settled.map(String);
}
