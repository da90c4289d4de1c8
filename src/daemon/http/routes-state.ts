import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { heldBecause } from "../../cycle/guard/hold.ts";
import { isRejected } from "../../cycle/operations/fingerprint.ts";
import { personDetails } from "../../cycle/person/details.ts";
import { decisionDocument } from "../../domain/decision.ts";
import type { LogEntry, LogQuery } from "../../domain/log.ts";
import { skipCodes } from "../../domain/plan.ts";
import { withoutRedacted } from "../../domain/redacted.ts";
import { iso } from "../../domain/sentence.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { summaryDocument, summaryOf } from "../../report/job-summary.ts";
import { type LeaverLatency, latencyDocument, readLeaverLatency } from "../../report/leaver-latency.ts";
import { heldCount } from "../../report/situation.ts";
import { cycleDocument, heldDocument, rejectedDocument, statusDocument } from "../../report/status.ts";
import type { JobView } from "./daemon-view.ts";
import type { FleetNow } from "./fleet-view.ts";
import { kept } from "./kept.ts";
import { parse } from "./parse.ts";
import type { ViewOf } from "./routes-jobs.ts";
import { workDocument } from "./routes-work.ts";
import { currentStatus } from "./situation.ts";

const daysAgeMs = 30_000;
const latencyAgeMs = 60_000;
const dayMs = 86_400_000;
const shownDays = 30;
const mostCycles = 2_000;
const longestPage = 200;
/** More than the changes that a person rejects one by one. */
const mostRejections = 10_000;

const actions = z.enum(["create", "update", "deactivate", "reactivate", "link"]);
const outcomes = z.enum(["reported", "planned", "held", "sending", "done", "failed", "cancelled"]);
const list = <Item extends z.ZodType<string, string>>(item: Item) =>
  z
    .string()
    .transform((value) => value.split(",").filter((part) => part !== ""))
    .pipe(z.array(item).max(20))
    .optional();
const time = z.iso
  .datetime({ offset: true })
  .transform((value) => Date.parse(value))
  .optional();
const limit = z.coerce.number().int().min(1).max(longestPage).default(50);

const logQuery = z.strictObject({
  person: z.string().max(500).optional(),
  text: z.string().max(200).optional(),
  action: list(actions),
  outcome: list(outcomes),
  since: time,
  until: time,
  cycle: z.coerce.number().int().optional(),
  before: z.coerce.number().int().optional(),
  limit,
});
const planQuery = z.strictObject({
  afterWave: z.coerce.number().int().default(-1),
  afterId: z.coerce.number().int().default(0),
  limit,
});
const peopleQuery = z.strictObject({ text: z.string().trim().min(1).max(200), limit: limit.default(20) });
const leftAloneQuery = z.strictObject({
  code: z.enum(skipCodes).optional(),
  after: z.string().max(500).default(""),
  limit,
});
const rejectedQuery = z.strictObject({ from: z.coerce.number().int().min(0).default(0), limit });

/** The state as the dashboard shows it; these routes only read. */
export function stateRoutes(
  app: FastifyInstance,
  version: string,
  viewOf: ViewOf,
  readFleet: () => Promise<FleetNow>,
): void {
  const latencies = new WeakMap<JobView, () => Promise<LeaverLatency | null>>();
  const latencyOf = (view: JobView): Promise<LeaverLatency | null> => {
    const read =
      latencies.get(view) ?? kept(latencyAgeMs, view.now, () => readLeaverLatency(view.reader, view.now()));
    latencies.set(view, read);
    return read();
  };
  app.get("/now", async (request) => {
    const view = viewOf(request);
    const [status, leftAlone, fleet, latency] = await Promise.all([
      currentStatus(view),
      view.reader.countSkipped(),
      readFleet(),
      latencyOf(view),
    ]);
    const document = statusDocument(status, view.newConfiguration(status.lastConfiguration));
    const summary = summaryOf({
      fault: view.waitsFor()?.reason ?? null,
      status,
      intervalMs: view.scheduler.intervalMs(),
      fleet: fleet.of(view.name),
      now: view.now(),
    });
    const schedule = view.schedule();
    return {
      version,
      now: iso(view.now()),
      schedule: schedule.kind === "every" ? { everyMs: schedule.everyMs } : { cron: schedule.cron },
      ...summaryDocument(summary),
      ...document,
      leavers: { ...latencyDocument(latency), nextLookAt: iso(view.nextLookAt()) },
      guard: { ...document.guard, heldOperations: heldCount(status) },
      leftAlone: Object.fromEntries(leftAlone),
      works: (await view.works.recent()).slice(0, 5).map(workDocument),
    };
  });

  const days = new WeakMap<JobView, () => Promise<object>>();
  app.get("/days", (request) => {
    const view = viewOf(request);
    const known = days.get(view) ?? kept(daysAgeMs, view.now, () => daysDocument(view));
    days.set(view, known);
    return known();
  });

  app.get("/log", async (request) => {
    const view = viewOf(request);
    const { action, outcome, cycle, ...rest } = parse(logQuery, request.query);
    const given = { ...rest, actions: action, outcomes: outcome, cycleId: cycle };
    const query = Object.fromEntries(
      Object.entries(given).filter(([, value]) => value !== undefined && value !== ""),
    );
    const entries = await view.reader.history({
      ...query,
      concealed: view.concealed(),
      limit: rest.limit,
    } as LogQuery);
    return {
      entries: entries.map(logDocument),
      before: entries.length < rest.limit ? null : (entries.at(-1)?.id ?? null),
    };
  });

  app.get<{ Params: { planId: string } }>("/plans/:planId", async (request, reply) => {
    const view = viewOf(request);
    const { reader } = view;
    const { afterWave, afterId, limit: size } = parse(planQuery, request.query);
    const cycle = await reader.cycleOfPlan(request.params.planId);
    if (cycle === null) return reply.callNotFound();
    const page = await reader.heldOf(cycle.id, { afterWave, afterId, limit: size });
    const last = page.at(-1);
    const { rejections, more } = page.length === 0 ? { rejections: [], more: false } : await newest(reader);
    const people = await personDetails(
      reader,
      page.map(({ objectId }) => objectId),
      view.concealed(),
    );
    return {
      ...cycleDocument(cycle),
      guard: cycle.guard,
      heldOperations: heldCount({ weighed: cycle }),
      held: page.map((operation) => ({
        ...heldDocument(withoutRedacted(operation)),
        heldBecause: cycle.guard === null ? [] : heldBecause(operation, cycle.guard),
        rejected: isRejected(operation, rejections),
        person: people.get(operation.objectId) ?? null,
      })),
      ...(more ? { moreRejections: true } : {}),
      next: page.length < size || last === undefined ? null : { afterWave: last.wave, afterId: last.id },
    };
  });

  app.get("/left-alone", async (request) => {
    const { reader } = viewOf(request);
    const { code, after, limit: size } = parse(leftAloneQuery, request.query);
    const people = await reader.skipped({ code, after, limit: size });
    return { people, after: people.length < size ? null : (people.at(-1)?.objectId ?? null) };
  });

  app.get("/rejected", async (request) => {
    const { reader } = viewOf(request);
    const { from, limit: size } = parse(rejectedQuery, request.query);
    const { rejections: rejected, more } = await newest(reader);
    const to = from + size;
    return {
      people: new Set(rejected.map(({ objectId }) => objectId)).size,
      changes: rejected.slice(from, to).map(rejectedDocument),
      ...(more ? { more: true } : {}),
      next: to < rejected.length ? to : null,
    };
  });

  app.get("/people", async (request) => {
    const view = viewOf(request);
    const { text, limit: size } = parse(peopleQuery, request.query);
    const query = { text, limit: size, concealed: view.concealed() };
    const { people, total } = await view.reader.searchPeople(query);
    return { people, total };
  });

  app.get<{ Params: { person: string } }>("/people/:person", (request) =>
    viewOf(request).explain(request.params.person),
  );
}

/** The last days, with the counts of each. */
async function daysDocument({ reader, now }: JobView): Promise<object> {
  const since = Math.floor(now() / dayMs) * dayMs - (shownDays - 1) * dayMs;
  const [counts, cycles] = await Promise.all([reader.dailyCounts(since), reader.recentCycles(mostCycles)]);
  return {
    since: iso(since),
    counts,
    cycles: cycles
      // Looks for leavers are short and many, and say nothing about cycles.
      .filter(
        ({ startedAt, finishedAt, kind }) => startedAt >= since && finishedAt !== null && kind !== "leavers",
      )
      .map(({ startedAt, finishedAt, kind, outcome, failed }) => ({
        startedAt: iso(startedAt),
        durationMs: (finishedAt ?? startedAt) - startedAt,
        cycle: kind,
        outcome,
        failed,
      })),
  };
}

/** The newest rejections, and whether there are older ones that were not read. */
async function newest(reader: StateStore) {
  const rejections = await reader.rejections(mostRejections + 1);
  return { rejections: rejections.slice(0, mostRejections), more: rejections.length > mostRejections };
}

function logDocument(entry: LogEntry): object {
  const { at, startedAt, finishedAt, wave, decision, ...rest } = entry;
  return {
    ...rest,
    at: iso(at),
    startedAt: iso(startedAt),
    finishedAt: iso(finishedAt),
    ...(decision === undefined ? {} : { decision: decisionDocument(decision) }),
  };
}
