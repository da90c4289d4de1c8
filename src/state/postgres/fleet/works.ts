import type { FleetRequests, FleetWork, TakenWork, WorkRow } from "../../../domain/fleet.ts";
import { asJson, type Database } from "../connection/database.ts";
import { serverTime } from "../lease.ts";
import { all, idOf } from "./words.ts";

/** The newest entries of a job that are kept. */
const kept = 20;

const fields = `j.name AS job, w.id, w.kind, w.trigger, w.request, w.decision, w.asked_at AS "askedAt", w.worker, w.started_at AS "startedAt",
  w.finished_at AS "finishedAt", w.progress, w.result, w.error`;
// Of two entries of one millisecond, the later one gets the later time.
const add = `INSERT INTO work (job, id, kind, trigger, request, decision, asked_at, worker, started_at)
  SELECT ${idOf("$2")}, $3, $4, $5, $6::json, $7::json,
    greatest(${serverTime}, (SELECT max(asked_at) + 1 FROM work WHERE job = ${idOf("$2")})), $8::text, CASE WHEN $8::text IS NULL THEN NULL ELSE ${serverTime} END
  WHERE ${all}`;
// A cycle of the schedule that has not ended although the next one begins is of a worker that died.
const close = `UPDATE work SET finished_at = ${serverTime}, progress = NULL, error = 'The daemon ended while it ran.'
  WHERE ${all} AND job = ${idOf("$2")} AND trigger = 'schedule' AND finished_at IS NULL`;
const prune = `DELETE FROM work WHERE ${all} AND job = ${idOf("$2")} AND finished_at IS NOT NULL AND id NOT IN
  (SELECT id FROM work WHERE job = ${idOf("$2")} ORDER BY asked_at DESC, id LIMIT ${kept})`;
const withdraw = `DELETE FROM work WHERE ${all} AND id = $2 AND worker IS NULL`;
const giveBack = `UPDATE work SET worker = NULL, started_at = NULL, progress = NULL WHERE ${all} AND id = $2 AND worker = $3 AND finished_at IS NULL`;
const take = `UPDATE work w SET worker = $3, started_at = ${serverTime}, progress = NULL
  FROM job j, (SELECT worker FROM work WHERE id = $2 FOR UPDATE) AS before
  WHERE ${all} AND w.id = $2 AND w.finished_at IS NULL AND j.id = w.job
  RETURNING ${fields}, coalesce(before.worker <> $3, false) AS "begunBefore"`;
const progress = `UPDATE work SET progress = $3::json WHERE ${all} AND id = $2 AND finished_at IS NULL AND worker = $4`;
const finish = `UPDATE work SET finished_at = ${serverTime}, progress = NULL, result = $3::json, error = $4, plan = $5::json, report = $6::json
  WHERE ${all} AND id = $2 AND finished_at IS NULL AND ($7::text IS NULL OR worker = $7)`;
// The command that asked has not read its report within an hour.
const dropReports = `UPDATE work SET report = NULL WHERE ${all} AND report IS NOT NULL AND finished_at < ${serverTime} - 3600000
  AND job = (SELECT job FROM work WHERE id = $2)`;
const report = `SELECT report FROM work WHERE ${all} AND id = $2`;
const dropReport = `UPDATE work SET report = NULL WHERE ${all} AND id = $2 AND report IS NOT NULL`;
const dropPlans = `UPDATE work SET plan = NULL WHERE ${all} AND plan IS NOT NULL AND id <> $2 AND job = (SELECT job FROM work WHERE id = $2)`;
const recent = `SELECT ${fields} FROM work w JOIN job j ON j.id = w.job
  WHERE ${all} AND ($3::text IS NULL OR w.job = ${idOf("$3")}) ORDER BY w.asked_at DESC, w.id LIMIT $2`;
const find = `SELECT ${fields} FROM work w JOIN job j ON j.id = w.job WHERE ${all} AND w.id = $2`;
const plan = `SELECT plan FROM work WHERE ${all} AND id = $2`;

/** The work of all daemons, so that each of them can show all of it. */
export function workMethods(db: Database): FleetRequests & FleetWork {
  return {
    addWork: ({ job, id, kind, trigger, request, decision, worker }) =>
      db.transaction(async (session) => {
        if (trigger === "schedule") await session.run(close, job);
        await session.run(add, job, id, kind, trigger, asJson(request), asJson(decision), worker);
        await session.run(prune, job);
      }),
    withdrawWork: async (id) => {
      await db.run(withdraw, id);
    },
    // A transaction, because the statement answers otherwise when it runs twice: the worker before would be this one.
    takeWork: (id, worker) =>
      db.transaction(async (session) => (await session.one<TakenWork>(take, id, worker)) ?? null),
    returnWork: async (id, worker) => {
      await db.run(giveBack, id, worker);
    },
    progressWork: async (id, given, worker) => {
      await db.run(progress, id, asJson(given), worker);
    },
    finishWork: (id, { result = null, error = null, plan: made, report: told }, worker) =>
      db.transaction(async (session) => {
        const ended = await session.run(
          finish,
          id,
          result === null ? null : asJson(result),
          error,
          made === undefined ? null : asJson(made),
          told === undefined ? null : asJson(told),
          worker ?? null,
        );
        if (ended === 0) return;
        if (made !== undefined) await session.run(dropPlans, id);
        await session.run(dropReports, id);
      }),
    takeReport: async (id) => {
      const found = await db.one<{ report: unknown }>(report, id);
      await db.run(dropReport, id);
      return found?.report ?? null;
    },
    recentWorks: (limit, job) => db.all<WorkRow>(recent, limit, job ?? null),
    findWork: async (id) => (await db.one<WorkRow>(find, id)) ?? null,
    planOfWork: async (id) => (await db.one<{ plan: unknown }>(plan, id))?.plan ?? null,
  };
}
