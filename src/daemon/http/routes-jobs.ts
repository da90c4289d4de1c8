import type { FastifyInstance, FastifyRequest } from "fastify";
import { iso } from "../../domain/sentence.ts";
import { type JobSummary, summaryDocument, summaryOf, troubledFirst } from "../../report/job-summary.ts";
import { heldCount } from "../../report/situation.ts";
import type { DaemonView, JobEntry, JobList, JobView } from "./daemon-view.ts";
import type { FleetNow } from "./fleet-view.ts";
import { currentStatus } from "./situation.ts";

/** A request for a job that is not there, or not open. */
export class JobRefusal extends Error {
  readonly statusCode: 404 | 503;

  /** @param message sentences for the client */
  constructor(statusCode: 404 | 503, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** The job that a request is about. @throws JobRefusal */
export type ViewOf = (request: FastifyRequest) => JobView;

/** The job in the address: `/api/jobs/:job/…`. */
export function jobInAddress(jobs: JobList): ViewOf {
  return (request) => {
    const { job } = request.params as { readonly job: string };
    const entry = jobs.find(job);
    if (entry === undefined) {
      throw new JobRefusal(404, "There is no job of this name. GET /api/jobs lists the jobs.");
    }
    return openView(entry);
  };
}

/** The job of addresses without one: `default`. */
export function jobByDefault(jobs: JobList): ViewOf {
  return () => {
    const entry = jobs.find("default");
    if (entry !== undefined) return openView(entry);
    throw new JobRefusal(
      404,
      "This daemon has several jobs, so the address must name one: /api/jobs/JOB/now instead of /api/now. GET /api/jobs lists the jobs.",
    );
  };
}

function openView({ name, view, fault }: JobEntry): JobView {
  if (view !== null) return view;
  throw new JobRefusal(503, `The job ${name} could not be opened: ${fault?.reason ?? "it is being opened."}`);
}

/** Lists the jobs: for each what it does, what it waits for, and what is wrong with it. */
export function jobListRoutes(
  app: FastifyInstance,
  { jobs, now }: DaemonView,
  readFleet: () => Promise<FleetNow>,
): void {
  app.get("/jobs", async () => {
    const listed = await allJobs(jobs, await readFleet(), now());
    return { now: iso(now()), jobs: listed.map(({ document }) => document) };
  });
  app.get<{ Params: { job: string } }>("/jobs/:job", async (request, reply) => {
    const entry = jobs.find(request.params.job);
    if (entry === undefined) return reply.callNotFound();
    return (await listedJob(entry, await readFleet(), now())).document;
  });
}

/** All jobs as `GET /api/jobs` lists them, and the nearest trouble first. */
export async function jobsInTrouble(jobs: JobList, fleet: FleetNow, now: number): Promise<readonly object[]> {
  return troubledFirst(await allJobs(jobs, fleet, now)).map(({ document }) => document);
}

function allJobs(jobs: JobList, fleet: FleetNow, now: number): Promise<readonly Listed[]> {
  return Promise.all(jobs.all().map((entry) => listedJob(entry, fleet, now)));
}

/** A job in a list. */
interface Listed {
  readonly document: object;
  readonly summary: JobSummary;
  /** People who wait for a retry. */
  readonly failing: number;
}

const unreadable = "The state database cannot be read at the moment. The log says why.";

async function listedJob(entry: JobEntry, fleet: FleetNow, now: number): Promise<Listed> {
  const { name, view, fault } = entry;
  const facts = { fault: fault?.reason ?? null, status: null, intervalMs: null, fleet: fleet.of(name), now };
  const document = {
    name,
    open: view !== null,
    fault: fault && { reason: fault.reason, since: iso(fault.since) },
    waits: (view?.waitsFor() ?? null) !== null,
  };
  if (view === null) {
    const summary = summaryOf(facts);
    return { document: { ...document, ...summaryDocument(summary) }, summary, failing: 0 };
  }
  try {
    const status = await currentStatus(view);
    const intervalMs = view.scheduler.intervalMs();
    const summary = summaryOf({ ...facts, status, intervalMs });
    const [last] = status.cycles;
    const { quarantine, totals, weighed } = status;
    const shown = {
      ...document,
      ...summaryDocument(summary),
      working: summary.running || (await view.works.recent())[0]?.finishedAt === null,
      nextDueAt: iso(status.nextDueAt),
      lastCycle:
        last === undefined
          ? null
          : {
              cycle: last.kind,
              startedAt: iso(last.startedAt),
              finishedAt: iso(last.finishedAt),
              outcome: last.outcome,
              done: last.done,
              failed: last.failed,
            },
      latticeReachedAt: iso(status.targetReachedAt),
      heldOperations: heldCount(status),
      heldPlanId: heldCount(status) > 0 ? (weighed?.planId ?? null) : null,
      quarantine: quarantine === null ? null : { since: iso(quarantine.since), reason: quarantine.reason },
      people: totals,
    };
    return { document: shown, summary, failing: totals.retrying };
  } catch {
    const summary = summaryOf({ ...facts, fault: unreadable });
    const shown = { ...document, ...summaryDocument(summary), fault: { reason: unreadable, since: null } };
    return { document: shown, summary, failing: 0 };
  }
}
