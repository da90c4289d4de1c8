import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { KindCounts } from "../cycle/person/account-kinds.ts";
import type { SkipCode } from "../domain/plan.ts";
import type { RequestRecord } from "../domain/request.ts";
import type { CycleRecord, Totals } from "../domain/state/cycles.ts";

/** The current state, read from the state database. Times are milliseconds since the epoch. */
export interface Situation {
  readonly totals: Totals;
  readonly skipped: ReadonlyMap<SkipCode, number>;
  /** When the last complete read of Entra ended; `null` before the first. */
  readonly watermarkAt: number | null;
  /** The people without an account who should not get one, from the last plan of everybody; `null` if no plan has counted them. */
  readonly outOfScope: number | null;
  /** When Lattice last answered a cycle; `null` before the first time. */
  readonly targetReachedAt: number | null;
  readonly heldOperations: number;
  /** Those of them that switch an account off. */
  readonly heldDeactivations: number;
  readonly quarantine: boolean;
  readonly paused: boolean;
  /** Accounts by kind and state; `null` before the first cycle. */
  readonly accounts: KindCounts | null;
  /** A new configuration is tried on a few people. */
  readonly canary: boolean;
  /** Accounts that people have protected. */
  readonly protectedAccounts: number;
  readonly comparisonFailed: boolean;
  readonly nextCycleAt: number | null;
  readonly lastCycle: CycleRecord | null;
}

/** The counters of one job. */
export interface JobMetrics {
  /** Records a finished request to Entra or Lattice. */
  request(record: RequestRecord): void;
  /** Records a finished cycle of any kind. @param leaverMs how long each person whom it deactivated kept the account */
  cycle(cycle: CycleRecord, leaverMs: readonly number[]): void;
  /** Records a look for leavers between two cycles. */
  look(result: LookResult): void;
}

/** How a look for leavers between two cycles ended. */
const lookResults = [
  /** Entra had no changes. */
  "noNews",
  /** The changes showed no one whose account was to be deactivated. */
  "nobody",
  /** A cycle of the leavers. */
  "ran",
  /** They were more than the guard allows: a cycle of everybody holds them. */
  "tooMany",
  /** A person was removed from a group of the scope: a cycle of everybody begins at once. */
  "leftScope",
  /** Leavers are left to the cycles of everybody. */
  "rested",
  /** Other work of the job was under way. */
  "busy",
  "failed",
] as const;
export type LookResult = (typeof lookResults)[number];

/** A job as the metrics show it. */
export interface JobSituation {
  readonly name: string;
  /** `null` if the state database could not be read. */
  readonly situation: Situation | null;
  /** It could not be opened, or its changed configuration is not in force. */
  readonly failing: boolean;
  /** How the schedule is kept; `null` if that could not be read. */
  readonly turn: {
    readonly intervalMs: number;
    /** Milliseconds since the next cycle was due; 0 before. */
    readonly overdueMs: number;
    /** A run has the lease. */
    readonly running: boolean;
    /** How often leavers are looked for between two cycles; `null`: never. */
    readonly looksEveryMs: number | null;
  } | null;
  /** Living daemons that take the job, and those that have it and do not; `null` if none share its database. */
  readonly workers: { readonly taking: number; readonly aside: number } | null;
}

/** The daemons that share a database. */
export interface WorkerCounts {
  readonly alive: number;
  /** They died, and no other daemon has replaced them. */
  readonly missing: number;
}

export interface Metrics {
  /** The counters of this job. Call it once for each job. */
  of(job: string): JobMetrics;
  /** Records a reload of the configuration: it was applied, or is wrong. */
  reload(outcome: "applied" | "refused"): void;
  /** Records a request with a wrong credential. */
  wrongCredential(credential: "bearer" | "session" | "signIn"): void;
  /**
   * Text in the format of Prometheus. The state of a job that is not given is no longer shown; its counters stay.
   * @param workers `null` if no daemons share the jobs
   */
  text(jobs: readonly JobSituation[], now: number, workers?: WorkerCounts | null): Promise<string>;
  readonly contentType: string;
  /** Stops the process metrics. */
  close(): void;
}

const prefix = "azure_lattice_sync_";
const requestBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const leaverBuckets = [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14_400, 86_400];
const cycleBuckets = [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600];

/** Names the job in each series, if the configuration has `jobs`. Prometheus has a label `job` of its own on each target. */
const jobLabel = "sync_job";

/**
 * The daemon's metrics, counted from its start.
 * @param version of this program
 * @param how `named`: the configuration has `jobs`, so that each series of a job names it
 */
export function createMetrics(version: string, how: { readonly named: boolean } = { named: false }): Metrics {
  const registry = new Registry();
  const { named } = how;
  const labelsOf = (job: string): Labels => (named ? { [jobLabel]: job } : {});
  const ofJob = (names: readonly string[]): readonly string[] => (named ? [...names, jobLabel] : names);
  const gauge = gaugesOf(registry, []);
  const jobGauge = gaugesOf(registry, ofJob([]));
  const counter = (name: string, help: string, labelNames: readonly string[]) =>
    new Counter({ name: prefix + name, help, labelNames: [...labelNames], registers: [registry] });
  collectDefaultMetrics({ register: registry });
  buildInfo(gauge, version);
  const cycles = counter("cycles_total", "Cycles that ended.", ofJob(["kind", "outcome"]));
  const operations = counter(
    "operations_total",
    "Operations of cycles that ended.",
    ofJob(["action", "outcome"]),
  );
  const cycleSeconds = new Histogram({
    name: `${prefix}cycle_duration_seconds`,
    help: "How long cycles took.",
    labelNames: [...ofJob(["kind"])],
    buckets: cycleBuckets,
    registers: [registry],
  });
  const leaverSeconds = new Histogram({
    name: `${prefix}leaver_latency_seconds`,
    help: "From when a deactivation was due until Lattice confirmed it.",
    labelNames: [...ofJob([])],
    buckets: leaverBuckets,
    registers: [registry],
  });
  const looks = counter(
    "leaver_looks_total",
    "Looks for leavers between two cycles, by how they ended.",
    ofJob(["result"]),
  );
  const requestSeconds = new Histogram({
    name: `${prefix}request_duration_seconds`,
    help: "How long requests to Entra and Lattice took; status is none if no answer came.",
    labelNames: [...ofJob(["end", "method", "status"])],
    buckets: requestBuckets,
    registers: [registry],
  });
  const throttled = counter("throttled_requests_total", "Requests answered with 429.", ofJob(["end"]));
  const reloads = counter("config_reloads_total", "Reloads of the configuration (SIGHUP).", ["outcome"]);
  for (const outcome of ["applied", "refused"]) reloads.inc({ outcome }, 0);
  const wrong = counter("wrong_credentials_total", "Wrong credentials for the daemon's HTTP.", [
    "credential",
  ]);
  for (const credential of ["bearer", "session", "signIn"]) wrong.inc({ credential }, 0);
  const rate = jobGauge(
    "lattice_requests_per_second_limit",
    "Requests a second that the limiter lets through at present; +Inf for no limit.",
  );
  const situations = situationGauges(jobGauge);
  const watermarkAge = jobGauge("watermark_age_seconds", "Seconds since the last completed read of Entra.");
  const next = jobGauge("next_cycle_timestamp_seconds", "When the next cycle is due.");
  const failing = named
    ? jobGauge(
        "job_failing",
        "1 if the job could not be opened, or its changed configuration is not in force.",
      )
    : null;

  const turns = turnGauges(gauge, jobGauge, named);

  const setJob = (job: JobSituation, now: number): void => {
    const { name, situation, failing: isFailing } = job;
    const labels = labelsOf(name);
    failing?.set(labels, isFailing ? 1 : 0);
    turns.set(job, labels);
    situations.set(situation, labels);
    if (situation === null) return;
    const { watermarkAt, nextCycleAt } = situation;
    watermarkAge.set(labels, secondsOf(watermarkAt === null ? null : now - watermarkAt));
    next.set(labels, secondsOf(nextCycleAt));
  };
  return {
    of: (job) => {
      const labels = labelsOf(job);
      for (const end of ["entra", "lattice"]) throttled.inc({ end, ...labels }, 0);
      for (const result of lookResults) looks.inc({ result, ...labels }, 0);
      return {
        look: (result) => looks.inc({ result, ...labels }),
        request: ({ end, method, status, durationMs, requestsPerSecond }) => {
          requestSeconds.observe({ end, method, status: status ?? "none", ...labels }, durationMs / 1000);
          if (status === 429) throttled.inc({ end, ...labels });
          if (requestsPerSecond !== undefined)
            rate.set(labels, requestsPerSecond ?? Number.POSITIVE_INFINITY);
        },
        cycle: ({ kind, outcome, startedAt, finishedAt, outcomes }, leaverMs) => {
          for (const ms of leaverMs) leaverSeconds.observe(labels, ms / 1000);
          cycles.inc({ kind, outcome: outcome ?? "interrupted", ...labels });
          if (finishedAt !== null) cycleSeconds.observe({ kind, ...labels }, (finishedAt - startedAt) / 1000);
          for (const { action, outcome: ended, count } of outcomes)
            operations.inc({ action, outcome: ended, ...labels }, count);
        },
      };
    },
    reload: (outcome) => reloads.inc({ outcome }),
    wrongCredential: (credential) => wrong.inc({ credential }),
    text: (jobs, now, workers = null) => {
      // A job that was removed must not be shown for ever. Without `jobs` there is one, and its last values stay.
      if (named) {
        for (const each of [...situations.gauges, ...turns.gauges, watermarkAge, next, failing])
          each?.reset();
      }
      turns.setWorkers(workers);
      for (const job of jobs) setJob(job, now);
      return registry.metrics();
    },
    contentType: registry.contentType,
    close: () => registry.clear(),
  };
}

/** The end of a run that does not belong to a daemon. */
export interface EndedRun {
  readonly good: boolean;
  /** Milliseconds since the epoch. */
  readonly endedAt: number;
}

/**
 * The metrics that a single run leaves behind, in the format of Prometheus: the job's state, under the daemon's names, and its
 * last cycle. They are read long after the run, so they hold points in time instead of ages.
 * @param job if the configuration has `jobs`
 */
export function runMetrics(
  version: string,
  situation: Situation,
  run: EndedRun,
  job?: string,
): Promise<string> {
  const registry = new Registry();
  if (job !== undefined) registry.setDefaultLabels({ [jobLabel]: job });
  const gauge = gaugesOf(registry, []);
  buildInfo(gauge, version);
  situationGauges(gauge).set(situation, {});
  gauge("last_run_timestamp_seconds", "When the last manual or timed run ended.").set(secondsOf(run.endedAt));
  gauge("last_run_failed", "1 if that run failed.").set(run.good ? 0 : 1);
  const operations = gauge("last_cycle_operations", "Operations of the last cycle.", ["action", "outcome"]);
  const { lastCycle } = situation;
  for (const { action, outcome, count } of lastCycle?.outcomes ?? [])
    operations.inc({ action, outcome }, count);
  const lasted = gauge("last_cycle_duration_seconds", "How long the last cycle took.");
  if (lastCycle?.finishedAt != null) lasted.set(secondsOf(lastCycle.finishedAt - lastCycle.startedAt));
  return registry.metrics();
}

type Labels = Readonly<Record<string, string>>;

type MakeGauge = (name: string, help: string, labelNames?: readonly string[]) => Gauge;

function gaugesOf(registry: Registry, common: readonly string[]): MakeGauge {
  return (name, help, labelNames = []) =>
    new Gauge({ name: prefix + name, help, labelNames: [...labelNames, ...common], registers: [registry] });
}

function buildInfo(gauge: MakeGauge, version: string): void {
  const info = gauge("build_info", "Always 1; the labels say what runs.", ["version", "node"]);
  info.set({ version, node: process.version }, 1);
}

/** The time in seconds, or NaN if there is none. */
function secondsOf(milliseconds: number | null): number {
  return milliseconds === null ? Number.NaN : milliseconds / 1000;
}

/** How the schedules are kept, and who keeps them. */
function turnGauges(gauge: MakeGauge, jobGauge: MakeGauge, named: boolean) {
  const overdue = jobGauge(
    "cycle_overdue_seconds",
    "Seconds since the next cycle was due; 0 before that, and while a run has the lease.",
  );
  const interval = jobGauge(
    "schedule_interval_seconds",
    "Seconds from one start of the schedule to the next.",
  );
  const looksEvery = jobGauge(
    "leaver_look_interval_seconds",
    "Seconds from one look for leavers between two cycles to the next; NaN if there are none.",
  );
  const leased = jobGauge("lease_held", "1 while a run has the lease of the job.");
  const workers = gauge("workers", "Daemons that share the database, by state.", ["state"]);
  const makeTakers = (): Gauge =>
    jobGauge("job_workers", "Living daemons that take the job. Only if daemons share its database.");
  const makeAside = (): Gauge =>
    jobGauge(
      "job_workers_aside",
      "Living daemons that have the job and do not take it. Only if daemons share its database.",
    );
  // A gauge without labels shows 0 from its beginning, which would mean that no daemon takes the job.
  let takers = named ? makeTakers() : null;
  let standing = named ? makeAside() : null;
  return {
    gauges: named ? [overdue, interval, looksEvery, leased, takers, standing] : [],
    set: ({ turn, workers: shared }: JobSituation, labels: Labels): void => {
      if (shared !== null) {
        takers ??= makeTakers();
        takers.set(labels, shared.taking);
        standing ??= makeAside();
        standing.set(labels, shared.aside);
      }
      if (turn === null) return;
      overdue.set(labels, secondsOf(turn.overdueMs));
      interval.set(labels, secondsOf(turn.intervalMs));
      looksEvery.set(labels, secondsOf(turn.looksEveryMs));
      leased.set(labels, turn.running ? 1 : 0);
    },
    setWorkers: (counts: WorkerCounts | null): void => {
      if (counts === null) return;
      for (const state of ["alive", "missing"] as const) workers.set({ state }, counts[state]);
    },
  };
}

interface SituationGauges {
  readonly gauges: readonly Gauge[];
  set(situation: Situation | null, labels: Labels): void;
}

function situationGauges(gauge: MakeGauge): SituationGauges {
  const readable = gauge("state_readable", "1 if the state database could be read.");
  const people = gauge("people", "People by state.", ["state"]);
  const leftAlone = gauge("people_left_alone", "People who are skipped, by reason.", ["code"]);
  const watermark = gauge("watermark_timestamp_seconds", "When Entra was last read to its end.");
  const reached = gauge("lattice_reached_timestamp_seconds", "When Lattice last answered a cycle.");
  const guardHeld = gauge("guard_held", "1 while the guard holds a part of the plan.");
  const held = gauge("guard_held_operations", "Operations that wait for a release.");
  const heldOff = gauge("guard_held_deactivations", "Deactivations that wait for a release.");
  const quarantine = gauge("quarantine", "1 while the job is in quarantine.");
  const paused = gauge("paused", "1 while a person has paused sending.");
  const accounts = gauge(
    "accounts",
    "Lattice accounts by whose they are and whether they are active, when the last cycle ended.",
    ["kind", "state"],
  );
  const canary = gauge(
    "canary",
    "1 while a new configuration is tried on a few people, and the rest is held.",
  );
  const protectedAccounts = gauge(
    "protected_accounts",
    "Accounts that people have protected (the configuration's are not counted).",
  );
  const comparison = gauge("comparison_failed", "1 while the full comparison fails.");
  const lastEnd = gauge("last_cycle_timestamp_seconds", "When the last cycle ended.");

  const set = (situation: Situation | null, labels: Labels): void => {
    readable.set(labels, situation === null ? 0 : 1);
    if (situation === null) return;
    const { totals } = situation;
    people.set({ state: "in_entra", ...labels }, totals.sourceUsers);
    people.set({ state: "linked", ...labels }, totals.linked);
    people.set({ state: "active", ...labels }, totals.linkedActive);
    people.set({ state: "left_alone", ...labels }, totals.skipped);
    people.set({ state: "retrying", ...labels }, totals.retrying);
    if (situation.outOfScope !== null) people.set({ state: "out_of_scope", ...labels }, situation.outOfScope);
    if (Object.keys(labels).length === 0) leftAlone.reset();
    for (const [code, number] of situation.skipped) leftAlone.set({ code, ...labels }, number);
    watermark.set(labels, secondsOf(situation.watermarkAt));
    reached.set(labels, secondsOf(situation.targetReachedAt));
    guardHeld.set(labels, situation.heldOperations > 0 ? 1 : 0);
    held.set(labels, situation.heldOperations);
    heldOff.set(labels, situation.heldDeactivations);
    quarantine.set(labels, situation.quarantine ? 1 : 0);
    paused.set(labels, situation.paused ? 1 : 0);
    for (const [kind, counts] of Object.entries(situation.accounts ?? {})) {
      accounts.set({ kind, state: "active", ...labels }, counts.active);
      accounts.set({ kind, state: "inactive", ...labels }, counts.inactive);
    }
    canary.set(labels, situation.canary ? 1 : 0);
    protectedAccounts.set(labels, situation.protectedAccounts);
    comparison.set(labels, situation.comparisonFailed ? 1 : 0);
    lastEnd.set(labels, secondsOf(situation.lastCycle?.finishedAt ?? null));
  };
  const gauges = [
    readable,
    people,
    leftAlone,
    watermark,
    reached,
    guardHeld,
    held,
    heldOff,
    quarantine,
    paused,
    accounts,
    canary,
    protectedAccounts,
    comparison,
    lastEnd,
  ];
  return { gauges, set };
}
