import type { FleetWorkers, JobInFleet, SeenWorker } from "../../../domain/fleet.ts";
import { asJson, type Database } from "../connection/database.ts";
import { serverTime } from "../lease.ts";
import { addJobs, alive, all, idOf } from "./words.ts";

/** A daemon that died is shown for as long as this. */
const forgottenMs = 86_400_000;

// One daemon announces itself at a time, so that of two with different tenants the second one sees the first.
const alone = `SELECT pg_advisory_xact_lock(1095517006, hashtext(current_schema())) WHERE ${all}`;
const strangers = `SELECT j.name AS job, w.host, o.identity FROM json_to_recordset($2::json) AS mine (name text, identity text, aside json)
  JOIN job j ON j.name = mine.name AND mine.aside->>'kind' IS DISTINCT FROM 'stranger'
  JOIN worker_job o ON o.job = j.id AND o.identity <> mine.identity AND NOT o.stranger
  JOIN worker w ON w.id = o.worker AND w.id <> $3 AND ${alive("w")} WHERE ${all} ORDER BY j.name, w.host`;
const add = `INSERT INTO worker (id, host, version, work_level, started_at, seen_at) SELECT $2, $3, $4, $5, ${serverTime}, ${serverTime} WHERE ${all}
  ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, version = excluded.version, work_level = excluded.work_level`;
const servedBefore = `SELECT job, digest FROM worker_job WHERE ${all} AND worker = $2 AND NOT stranger`;
const dropServed = `DELETE FROM worker_job WHERE ${all} AND worker = $2`;
const addServed = `INSERT INTO worker_job (job, worker, digest, identity, aside, stranger)
  SELECT j.id, $2, mine.digest, mine.identity, mine.aside->>'reason', coalesce(mine.aside->>'kind' = 'stranger', false)
  FROM json_to_recordset($3::json) AS mine (name text, digest text, identity text, aside json)
  JOIN job j ON j.name = mine.name WHERE ${all}`;
// A configuration is newer than those before it, also if the server's clock was set back, or that of the server that took over is behind.
// One that this daemon announces again is not new, although it may have been dropped while the daemon was silent.
const addConfigs = `INSERT INTO job_config (job, digest, first_at)
  SELECT s.job, s.digest, greatest(${serverTime}, (SELECT max(first_at) + 1 FROM job_config c WHERE c.job = s.job))
  FROM worker_job s WHERE ${all} AND s.worker = $2 AND NOT s.stranger
    AND NOT EXISTS (SELECT 1 FROM json_to_recordset($3::json) AS before (job int, digest text) WHERE before.job = s.job AND before.digest = s.digest)
  ON CONFLICT DO NOTHING`;
// A configuration that no daemon has any more is new again if it comes back.
const dropConfigs = `DELETE FROM job_config c WHERE ${all} AND c.job IN (SELECT job FROM worker_job WHERE worker = $2)
  AND NOT EXISTS (SELECT 1 FROM worker_job s JOIN worker w ON w.id = s.worker
    WHERE s.job = c.job AND s.digest = c.digest AND NOT s.stranger AND (w.id = $2 OR ${alive("w")}))`;
const see = `UPDATE worker SET seen_at = ${serverTime} WHERE ${all} AND id = $2`;
const standAside = `UPDATE worker_job s SET aside = $4 WHERE ${all} AND s.job = ${idOf("$2")} AND s.worker = $3
  AND EXISTS (SELECT 1 FROM worker_job o JOIN worker w ON w.id = o.worker AND ${alive("w")}
    WHERE o.job = s.job AND o.worker <> s.worker AND o.digest = s.digest AND o.aside IS NULL
      AND w.work_level >= (SELECT work_level FROM worker WHERE id = s.worker))`;
const forget = `DELETE FROM worker WHERE ${all} AND seen_at < ${serverTime} - ${forgottenMs}`;
const drop = `DELETE FROM worker WHERE ${all} AND id = $2`;
const list = `SELECT w.id, w.host, w.version, w.work_level AS "workLevel", w.started_at AS "startedAt", w.seen_at AS "seenAt", ${alive("w")} AS alive,
    (SELECT coalesce(json_agg(j.name ORDER BY j.name), '[]') FROM worker_job s JOIN job j ON j.id = s.job WHERE s.worker = w.id AND NOT s.stranger) AS jobs
  FROM worker w WHERE ${all} ORDER BY w.started_at, w.id`;
const living = (table: string): string =>
  `SELECT d.worker FROM ${table} d JOIN worker w ON w.id = d.worker AND ${alive("w")} WHERE d.job = j.id`;
const ofLiving = "FROM worker_job o JOIN worker w ON w.id = o.worker";
const listJobs = `SELECT j.name, force.digest, force.identity, coalesce(force.takers, '[]') AS takers,
    (SELECT coalesce(json_agg(json_build_object('worker', o.worker, 'reason', o.aside) ORDER BY w.started_at, o.worker), '[]')
      ${ofLiving} AND ${alive("w")} WHERE o.job = j.id AND o.aside IS NOT NULL
      AND NOT coalesce(force.takers::jsonb ? o.worker, false)) AS aside,
    (SELECT coalesce(json_agg(json_build_object('kind', a.kind, 'askedAt', a.asked_at, 'startedAt', a.started_at, 'worker', a.worker)
      ORDER BY a.asked_at, a.id), '[]') FROM work a WHERE a.job = j.id AND a.trigger = 'hand' AND a.finished_at IS NULL) AS asked,
    coalesce((${living("turn")} AND d.ended_at IS NULL), (${living("work")} AND d.finished_at IS NULL ORDER BY d.started_at DESC LIMIT 1)) AS worker
  FROM job j LEFT JOIN LATERAL (SELECT o.digest, min(o.identity) AS identity, coalesce(
      json_agg(o.worker ORDER BY w.started_at, o.worker) FILTER (WHERE o.aside IS NULL), json_agg(o.worker ORDER BY w.started_at, o.worker)) AS takers
    ${ofLiving} AND ${alive("w")} LEFT JOIN job_config c ON c.job = o.job AND c.digest = o.digest
    WHERE o.job = j.id AND NOT o.stranger GROUP BY o.digest, c.first_at ORDER BY coalesce(c.first_at, 0) DESC, o.digest DESC LIMIT 1) force ON true
  WHERE ${all} ORDER BY j.name`;

/** The daemons that share the database. */
export function workerMethods(db: Database): FleetWorkers {
  return {
    announce: ({ id, host, version, workLevel }, jobs) =>
      db.transaction(async (session) => {
        await session.run(alone);
        const others = await session.all<{ job: string; host: string; identity: string }>(
          strangers,
          asJson(jobs),
          id,
        );
        if (others.length > 0) return others;
        await addJobs(
          session,
          jobs.map(({ name }) => name),
        );
        await session.run(add, id, host, version, workLevel);
        const before = await session.all<{ job: number; digest: string }>(servedBefore, id);
        await session.run(dropServed, id);
        await session.run(addServed, id, asJson(jobs));
        await session.run(dropConfigs, id);
        await session.run(addConfigs, id, asJson(before));
        return [];
      }),
    seen: async (worker) => {
      await db.run(forget);
      return (await db.run(see, worker)) === 1;
    },
    standAside: (job, worker, reason) =>
      db.transaction(async (session) => {
        // If two daemons want to stand aside at the same time, one of them goes on.
        await session.run(alone);
        return (await session.run(standAside, job, worker, reason)) === 1;
      }),
    leave: async (worker) => {
      await db.run(drop, worker);
    },
    workers: () => db.all<SeenWorker>(list),
    jobs: () => db.all<JobInFleet>(listJobs),
  };
}
