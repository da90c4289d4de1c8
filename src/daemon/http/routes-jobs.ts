import type { FastifyInstance, FastifyRequest } from "fastify";
import { heldCount } from "../../report/situation.ts";
import { iso } from "../../report/status.ts";
import type { DaemonView, JobEntry, JobList, JobView } from "./daemon-view.ts";
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
export function jobListRoutes(app: FastifyInstance, { jobs, now }: DaemonView): void {
  app.get("/jobs", async () => ({ now: iso(now()), jobs: await Promise.all(jobs.all().map(jobDocument)) }));
  app.get<{ Params: { job: string } }>("/jobs/:job", async (request, reply) => {
    const entry = jobs.find(request.params.job);
    return entry === undefined ? reply.callNotFound() : jobDocument(entry);
  });
}

/** A job in a list. */
async function jobDocument({ name, view, fault }: JobEntry): Promise<object> {
  const document = {
    name,
    open: view !== null,
    fault: fault && { reason: fault.reason, since: iso(fault.since) },
  };
  if (view === null) return document;
  try {
    const status = await currentStatus(view);
    const [last] = status.cycles;
    const { running, quarantine, totals, weighed } = status;
    return {
      ...document,
      working: running !== null || (await view.works.recent())[0]?.finishedAt === null,
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
  } catch {
    return {
      ...document,
      fault: { reason: "The state database cannot be read at the moment. The log says why.", since: null },
    };
  }
}
