import type { FleetStore, WorkRow } from "../../../domain/fleet.ts";
import { asJson, type Database } from "../connection/database.ts";
import { serverTime } from "../lease.ts";
import { all, idOf } from "./words.ts";

type WorkMethods = Pick<
  FleetStore,
  | "addWork"
  | "withdrawWork"
  | "takeWork"
  | "progressWork"
  | "finishWork"
  | "recentWorks"
  | "findWork"
  | "planOfWork"
>;

/** Works of a job that are kept. */
const kept = 20;

const fields = `j.name AS job, w.id, w.kind, w.trigger, w.request, w.decision, w.asked_at AS "askedAt", w.worker, w.started_at AS "startedAt",
  w.finished_at AS "finishedAt", w.progress, w.result, w.error`;
// Of two works of one millisecond, the later one is the newer one.
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
const take = `UPDATE work w SET worker = $3, started_at = ${serverTime}, progress = NULL FROM job j
  WHERE ${all} AND w.id = $2 AND w.finished_at IS NULL AND j.id = w.job RETURNING ${fields}`;
const progress = `UPDATE work SET progress = $3::json WHERE ${all} AND id = $2 AND finished_at IS NULL`;
const finish = `UPDATE work SET finished_at = ${serverTime}, progress = NULL, result = $3::json, error = $4, plan = $5::json
  WHERE ${all} AND id = $2 AND finished_at IS NULL`;
const dropPlans = `UPDATE work SET plan = NULL WHERE ${all} AND plan IS NOT NULL AND id <> $2 AND job = (SELECT job FROM work WHERE id = $2)`;
const recent = `SELECT ${fields} FROM work w JOIN job j ON j.id = w.job
  WHERE ${all} AND ($3::text IS NULL OR w.job = ${idOf("$3")}) ORDER BY w.asked_at DESC, w.id LIMIT $2`;
const find = `SELECT ${fields} FROM work w JOIN job j ON j.id = w.job WHERE ${all} AND w.id = $2`;
const plan = `SELECT plan FROM work WHERE ${all} AND id = $2`;

/** Works of all daemons, so that each of them can show all. */
export function workMethods(db: Database): WorkMethods {
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
    takeWork: async (id, worker) => (await db.one<WorkRow>(take, id, worker)) ?? null,
    progressWork: async (id, given) => {
      await db.run(progress, id, asJson(given));
    },
    finishWork: (id, { result = null, error = null, plan: made }) =>
      db.transaction(async (session) => {
        await session.run(
          finish,
          id,
          result === null ? null : asJson(result),
          error,
          made === undefined ? null : asJson(made),
        );
        if (made !== undefined) await session.run(dropPlans, id);
      }),
    recentWorks: (limit, job) => db.all<WorkRow>(recent, limit, job ?? null),
    findWork: async (id) => (await db.one<WorkRow>(find, id)) ?? null,
    planOfWork: async (id) => (await db.one<{ plan: unknown }>(plan, id))?.plan ?? null,
  };
}
