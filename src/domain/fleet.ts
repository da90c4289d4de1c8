import type { Actor } from "./actor.ts";

/** A daemon among several that share a database. */
export interface Worker {
  /** Each process has its own. */
  readonly id: string;
  readonly host: string;
  readonly version: string;
  /** The newest work that it knows (`levelOf`). */
  readonly workLevel: number;
}

/** A job as one daemon is configured for it. */
export interface ServedJob {
  readonly name: string;
  /** Equal for equal configurations. */
  readonly digest: string;
  /** The tenant and the Lattice, in words; another one is another job. */
  readonly identity: string;
  /** Default: the daemon takes the job. */
  readonly aside?: Aside | undefined;
}

/** Why a daemon does not take a job that it has. */
export interface Aside {
  /**
   * `stranger`: a living daemon has the job for another tenant or Lattice, and this one waits for its end. `refused`: Entra or Lattice
   * refuses this daemon, and another one goes on.
   */
  readonly kind: "stranger" | "refused";
  /** One or more sentences. */
  readonly reason: string;
}

/** A daemon, as the others see it. Times are milliseconds since the epoch, by the server's clock. */
export interface SeenWorker extends Worker {
  readonly startedAt: number;
  readonly seenAt: number;
  /** It was seen within the last half minute. */
  readonly alive: boolean;
  /** The names of its jobs, in order, without those that it has as a stranger (`Aside`). */
  readonly jobs: readonly string[];
}

/** A job of the database, as living daemons have it. */
export interface JobInFleet {
  readonly name: string;
  /**
   * The ids of living daemons that take it: those with the newest configuration of it, without those that stand aside unless all do.
   * Empty: no daemon runs its cycles.
   */
  readonly takers: readonly string[];
  /** That configuration (`ServedJob.digest`); `null` if no living daemon has the job. */
  readonly digest: string | null;
  /** Its tenant and Lattice (`ServedJob.identity`); `null` in the same case. */
  readonly identity: string | null;
  /** The id of the living daemon that works on it; `null` if none does. */
  readonly worker: string | null;
  /** Living daemons that have the job and do not take it, each with the reason. */
  readonly aside: readonly { readonly worker: string; readonly reason: string }[];
  /** Work that people have asked for and that has not ended, the oldest first. Times are milliseconds since the epoch. */
  readonly asked: readonly {
    readonly kind: WorkKind;
    readonly askedAt: number;
    /** `null` as long as no daemon has begun. */
    readonly startedAt: number | null;
    /** The id of the daemon that has begun; it may have died since. */
    readonly worker: string | null;
  }[];
}

/** The facts that decide when a job is due. Times are milliseconds since the epoch. */
export interface JobTimes {
  readonly name: string;
  /** The last cycle of the schedule, by the server's clock; `null` if no daemon of a fleet has begun one. */
  readonly turn: {
    readonly startedAt: number;
    /** `null`: it has not ended, or its worker died. */
    readonly endedAt: number | null;
    /** When it is tried again, because it could not do its work. */
    readonly againAt: number | null;
    /** How often in a row it could not do its work. */
    readonly failures: number;
  } | null;
  /** The last cycle of everybody in the log; `null` if there is none. */
  readonly lastCycle: { readonly startedAt: number; readonly ended: boolean } | null;
  /** Notes of the job (`Meta`), as far as they keep a cycle from starting. */
  readonly notes: { readonly quarantine?: string; readonly askedPause?: string };
  /** `false`: another living daemon has a newer configuration of the job, or goes on with it while this one stands aside. */
  readonly inForce: boolean;
}

/** The facts that decide when jobs are due. */
export interface Timetable {
  /** The server's clock, milliseconds since the epoch. */
  readonly now: number;
  readonly jobs: readonly JobTimes[];
  /** Names of jobs in the database that are not this daemon's. */
  readonly others: readonly string[];
}

/** How a turn ended. `again`: it could not do its work, and is tried again after `inMs`. `interrupted`: another worker goes on at once. */
export type TurnEnd =
  | { readonly kind: "finished" | "interrupted" }
  | { readonly kind: "again"; readonly inMs: number };

/** The kind of work: a cycle, the plan of one, a decision with a cycle, a revert, or a cycle of single people. */
export type WorkKind = "cycle" | "dryRun" | "release" | "revert" | "onDemand";

/** Something that a person has asked for, or a cycle of the schedule, as it is stored. */
export interface WorkRow {
  readonly id: string;
  readonly job: string;
  readonly kind: WorkKind;
  readonly trigger: "schedule" | "hand";
  readonly request: WorkRequest;
  readonly decision: unknown;
  readonly askedAt: number;
  /** The id of the worker that does or did it; `null` as long as none has begun. */
  readonly worker: string | null;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly progress: unknown;
  readonly result: unknown;
  /** One sentence if it failed. */
  readonly error: string | null;
}

/** Work that a worker has begun. */
export interface TakenWork extends WorkRow {
  /** Another worker has begun with it before, and died. */
  readonly begunBefore: boolean;
}

/** The task of a `WorkRow`, as it was asked for. A new field is a new level (`levelOf`). */
export interface WorkRequest {
  readonly full: boolean;
  /** The configuration with which it is to be done (`ServedJob.digest`). Default: whichever is in force. */
  readonly configuration?: string | undefined;
  /** A command waits for it, and needs more for its report than the result. */
  readonly report?: true | undefined;
  /** Of a cycle: it is tried on this many people first. */
  readonly canary?: number | undefined;
  /** Of a cycle on demand: the people. */
  readonly only?: readonly string[] | undefined;
  /** Of a cycle on demand: the digest of the plan that a person has agreed to. */
  readonly agreed?: string | undefined;
  /** A person's decision about a held plan. */
  readonly release?:
    | {
        readonly planId: string;
        readonly only?: readonly string[] | undefined;
        readonly reject?: readonly string[] | undefined;
        readonly undoReject?: readonly string[] | undefined;
        readonly reason?: string | undefined;
        readonly by: Actor;
      }
    | undefined;
  /** A person's order to take a cycle back. */
  readonly revert?:
    | {
        readonly which: string;
        readonly only?: readonly string[] | undefined;
        readonly deactivateCreated: boolean;
        readonly release: boolean;
        readonly agreed?: string | undefined;
        readonly reason?: string | undefined;
        readonly by: Actor;
      }
    | undefined;
}

/** The view of the daemons for those that do not take part. */
export type FleetReader = Pick<FleetStore, "workers" | "jobs" | "close">;

/** The daemons that share a database, and which jobs each of them has. */
export interface FleetWorkers {
  /**
   * Tells the others about this daemon and its jobs. Called again when its configuration has changed.
   * @returns jobs that a living daemon has with another tenant or Lattice, and that are not given as a stranger's; nothing is written then
   */
  announce(
    worker: Worker,
    jobs: readonly ServedJob[],
  ): Promise<readonly { readonly job: string; readonly host: string; readonly identity: string }[]>;
  /** Says that the daemon lives, and forgets those that died long ago. @returns `false` if it is not known: announce it again */
  seen(worker: string): Promise<boolean>;
  /**
   * Lets another living daemon with the same configuration of the job go on with it.
   * @param reason one or more sentences
   * @returns `false` if there is none, and nothing was written
   */
  standAside(job: string, worker: string, reason: string): Promise<boolean>;
  /** Forgets the daemon: it ends. */
  leave(worker: string): Promise<void>;
  workers(): Promise<readonly SeenWorker[]>;
  /** All jobs of the database, also those that no daemon has any more, by name. */
  jobs(): Promise<readonly JobInFleet[]>;
}

/** The common schedule. */
export interface FleetTurns {
  /** When the jobs of this daemon were last run, and which of them it has by the newest configuration. */
  timetable(worker: string): Promise<Timetable>;
  /** Notes that the schedule starts a cycle of the job now. */
  beginTurn(job: string, worker: string): Promise<void>;
  /** Notes how the turn ended. Does nothing if another worker has begun one since. */
  endTurn(job: string, worker: string, end: TurnEnd): Promise<void>;
}

/** Work that people have asked for, as those see it who have asked. */
export interface FleetRequests {
  /** Adds work that is to be done, or that `worker` has begun. */
  addWork(
    work: Pick<WorkRow, "id" | "job" | "kind" | "trigger" | "request" | "decision" | "worker">,
  ): Promise<void>;
  /** Removes work that was not begun. */
  withdrawWork(id: string): Promise<void>;
  /** Hands over the report for the command that has asked for the work, and removes it; `null` if there is none. */
  takeReport(id: string): Promise<unknown>;
  /** The newest first. @param job all jobs if it is not given */
  recentWorks(limit: number, job?: string): Promise<readonly WorkRow[]>;
  findWork(id: string): Promise<WorkRow | null>;
  /** The plan of the dry run, as long as it is the job's last one. */
  planOfWork(id: string): Promise<unknown>;
}

/** The same work, as the daemon sees it that does it. */
export interface FleetWork {
  /** Takes work over: it is this worker's now, from its beginning. @returns `null` if it has ended, or is not known */
  takeWork(id: string, worker: string): Promise<TakenWork | null>;
  /** Gives work back of which nothing was done, as if it had not been begun. Does nothing if another worker has taken it over. */
  returnWork(id: string, worker: string): Promise<void>;
  /** Does nothing if another worker has taken the work over. */
  progressWork(id: string, progress: unknown, worker: string): Promise<void>;
  /**
   * Ends the work, once.
   * @param end `plan`: of a dry run; that of an earlier one of the job is removed. `report`: for the command that has asked for it; one
   * that was not read for an hour is removed
   * @param worker nothing is done if another one has taken the work over
   */
  finishWork(
    id: string,
    end: {
      readonly result?: unknown;
      readonly error?: string;
      readonly plan?: unknown;
      readonly report?: unknown;
    },
    worker?: string,
  ): Promise<void>;
}

/** Sessions of the dashboard that were ended before their time. */
export interface FleetSessions {
  /** Ends a session of the dashboard before its time. @param session a hash */
  signOut(session: string, expiresAt: number): Promise<void>;
  /** The sessions that were ended so. Each is known until a day after it would have ended, because the clocks of daemons differ. */
  signedOut(): Promise<readonly string[]>;
}

/**
 * The knowledge that daemons share through a database. It consists of roles. It is of the whole database, not of one job, and none of it is
 * fenced: the lease of a job decides who writes its state.
 * @throws StateError if the database cannot be read or written
 */
export interface FleetStore extends FleetWorkers, FleetTurns, FleetRequests, FleetWork, FleetSessions {
  close(): Promise<void>;
}
