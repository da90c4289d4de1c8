import type { FleetTurns, JobTimes } from "../../../domain/fleet.ts";
import type { Database } from "../connection/database.ts";
import { serverTime } from "../lease.ts";
import { alive, all, idOf } from "./words.ts";

interface TimesRow {
  readonly now: number;
  readonly name: string;
  readonly mine: boolean;
  readonly in_force: boolean;
  readonly began: number | null;
  readonly ended: number | null;
  readonly again: number | null;
  readonly failures: number | null;
  readonly cycle_at: number | null;
  readonly cycle_ended: boolean | null;
  readonly quarantine: string | null;
  readonly pause: string | null;
}

const note = (key: string): string => `(SELECT m.value FROM meta m WHERE m.job = j.id AND m.key = '${key}')`;
// A daemon that was silent for a while may live again after its configuration was dropped (`dropConfigs`): that counts as the oldest one.
const times = `SELECT ${serverTime} AS now, j.name, s.worker IS NOT NULL AS mine,
    s.worker IS NOT NULL AND NOT s.stranger AND (s.aside IS NULL OR NOT EXISTS (SELECT 1 FROM worker_job f
      JOIN worker w ON w.id = f.worker AND ${alive("w")} WHERE f.job = j.id AND f.worker <> s.worker AND f.digest = s.digest AND f.aside IS NULL))
      AND NOT EXISTS (SELECT 1 FROM worker_job o JOIN worker w ON w.id = o.worker AND ${alive("w")}
      LEFT JOIN job_config theirs ON theirs.job = o.job AND theirs.digest = o.digest
      LEFT JOIN job_config ours ON ours.job = o.job AND ours.digest = s.digest
      WHERE o.job = j.id AND NOT o.stranger AND (coalesce(theirs.first_at, 0), o.digest) > (coalesce(ours.first_at, 0), s.digest)) AS in_force,
    t.started_at AS began, t.ended_at AS ended, t.again_at AS again, t.failures,
    c.started_at AS cycle_at, c.outcome IS NOT NULL AND c.outcome <> 'interrupted' AS cycle_ended,
    ${note("quarantine")} AS quarantine, ${note("askedPause")} AS pause
  FROM job j LEFT JOIN worker_job s ON s.job = j.id AND s.worker = $2 LEFT JOIN turn t ON t.job = j.id
  LEFT JOIN LATERAL (SELECT started_at, outcome FROM cycle WHERE job = j.id AND kind NOT IN ('on-demand', 'revert', 'leavers') ORDER BY id DESC LIMIT 1) c ON true
  WHERE ${all}`;
const begin = `INSERT INTO turn (job, worker, started_at, failures) SELECT ${idOf("$2")}, $3, ${serverTime}, 0 WHERE ${all}
  ON CONFLICT (job) DO UPDATE SET worker = excluded.worker, started_at = excluded.started_at, ended_at = NULL, again_at = NULL`;
const end = `UPDATE turn SET ended_at = ${serverTime}, again_at = ${serverTime} + $4::bigint, failures = failures * $5::int + $6::int
  WHERE ${all} AND job = ${idOf("$2")} AND worker = $3 AND ended_at IS NULL`;
const ends = {
  finished: { inMs: null, kept: 0, more: 0 },
  interrupted: { inMs: 0, kept: 1, more: 0 },
  again: { inMs: null, kept: 1, more: 1 },
} as const;

/** When the schedule ran the jobs, by the server's clock. */
export function turnMethods(db: Database): FleetTurns {
  return {
    timetable: async (worker) => {
      const rows = await db.all<TimesRow>(times, worker);
      return {
        now: rows[0]?.now ?? Date.now(),
        jobs: rows.filter(({ mine }) => mine).map(timesOf),
        others: rows.filter(({ mine }) => !mine).map(({ name }) => name),
      };
    },
    beginTurn: async (job, worker) => {
      await db.run(begin, job, worker);
    },
    endTurn: async (job, worker, how) => {
      const { inMs, kept, more } = { ...ends[how.kind], ...(how.kind === "again" ? { inMs: how.inMs } : {}) };
      await db.run(end, job, worker, inMs, kept, more);
    },
  };
}

function timesOf(row: TimesRow): JobTimes {
  const { name, in_force, began, ended, again, failures, cycle_at, cycle_ended, quarantine, pause } = row;
  return {
    name,
    inForce: in_force,
    turn:
      began === null ? null : { startedAt: began, endedAt: ended, againAt: again, failures: failures ?? 0 },
    lastCycle: cycle_at === null ? null : { startedAt: cycle_at, ended: cycle_ended === true },
    notes: {
      ...(quarantine === null ? {} : { quarantine }),
      ...(pause === null ? {} : { askedPause: pause }),
    },
  };
}
