import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Actor } from "../../domain/actor.ts";
import { longestReason } from "../../domain/decision.ts";
import { UsageError } from "../../domain/errors.ts";
import type { OperationStatus } from "../../domain/operation.ts";
import { withoutRedacted } from "../../domain/redacted.ts";
import { count, iso } from "../../domain/sentence.ts";
import { heldDocument } from "../../report/status.ts";
import type { Started, Work } from "../works.ts";
import { parse } from "./parse.ts";
import type { ViewOf } from "./routes-jobs.ts";

/** The most people that one request may name. */
const mostNames = 10_000;
/** Far more ids than allowed, so that the answer can say how many are allowed. */
const longestDecision = 8 * 1024 * 1024;
const names = z.array(z.string().min(1).max(500)).min(1).optional();
const cycleBody = z.strictObject({ dryRun: z.boolean().default(false), full: z.boolean().default(false) });
const releaseBody = z.strictObject({
  only: names,
  reject: names,
  undoReject: names,
  reason: z.string().trim().min(1).max(longestReason).optional(),
});
const revertBody = z.strictObject({
  dryRun: z.boolean().default(false),
  only: names,
  deactivateCreated: z.boolean().default(false),
  release: z.boolean().default(false),
  agreed: z.string().min(1).max(200).optional(),
  reason: z.string().trim().min(1).max(longestReason).optional(),
});
const pageQuery = z.strictObject({
  from: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

/** Routes by which the dashboard starts work and follows it. @param actorOf the actor of a request */
export function workRoutes(
  app: FastifyInstance,
  viewOf: ViewOf,
  actorOf: (request: FastifyRequest) => Actor,
): void {
  app.post("/cycles", async (request, reply) => {
    const view = viewOf(request);
    const { dryRun, full } = parse(cycleBody, request.body);
    return begun(await (dryRun ? view.startDryRun({ full }) : view.startCycle({ full })), reply);
  });

  const decision = { bodyLimit: longestDecision };
  app.post<{ Params: { planId: string } }>("/plans/:planId/release", decision, async (request, reply) => {
    const view = viewOf(request);
    const { only, reject, undoReject, reason } = parse(releaseBody, request.body);
    refuseTooMany([only, reject, undoReject], "release the whole plan");
    const { planId } = request.params;
    return begun(
      await view.startRelease({ planId, only, reject, undoReject, reason, by: actorOf(request) }),
      reply,
    );
  });

  app.post<{ Params: { which: string } }>("/cycles/:which/revert", decision, async (request, reply) => {
    const view = viewOf(request);
    const order = parse(revertBody, request.body);
    refuseTooMany([order.only], "take the whole cycle back");
    return begun(
      await view.startRevert({ ...order, which: request.params.which, by: actorOf(request) }),
      reply,
    );
  });

  app.get("/works", async (request) => ({
    works: (await viewOf(request).works.recent()).map(workDocument),
  }));

  app.get<{ Params: { id: string } }>("/works/:id", async (request, reply) => {
    const work = await viewOf(request).works.find(request.params.id);
    return work === null ? reply.callNotFound() : workDocument(work);
  });

  app.get<{ Params: { id: string } }>("/works/:id/operations", async (request, reply) => {
    const { from, limit } = parse(pageQuery, request.query);
    const plan = await viewOf(request).works.planOf(request.params.id);
    if (plan === null) return reply.callNotFound();
    return {
      total: plan.total,
      kept: plan.operations.length,
      operations: plan.operations.slice(from, from + limit).map((operation) => ({
        ...heldDocument(withoutRedacted(operation)),
        status: plannedStatus(operation.status),
        heldBecause: operation.heldBecause,
      })),
    };
  });

  app.get<{ Params: { id: string } }>("/works/:id/left", async (request, reply) => {
    const { from, limit } = parse(pageQuery, request.query);
    const left = (await viewOf(request).works.planOf(request.params.id))?.left;
    if (left === undefined) return reply.callNotFound();
    return { total: left.total, kept: left.people.length, left: left.people.slice(from, from + limit) };
  });
}

/** The state of an operation of a dry run. In the run's own copy of the log, nothing was sent. */
function plannedStatus(status: OperationStatus): "planned" | "held" | "reported" {
  return status === "held" || status === "reported" ? status : "planned";
}

/** @throws UsageError */
function refuseTooMany(lists: readonly (readonly string[] | undefined)[], otherwise: string): void {
  const longest = Math.max(...lists.map((list) => list?.length ?? 0));
  if (longest <= mostNames) return;
  throw new UsageError(
    `${count(longest, "person is", "people are")} named, and one request may name ${mostNames.toLocaleString("en")} at most: choose fewer people, or ${otherwise}. Nothing was done`,
  );
}

export function workDocument(work: Work): object {
  return { ...work, startedAt: iso(work.startedAt), finishedAt: iso(work.finishedAt) };
}

function begun(started: Started, reply: FastifyReply): FastifyReply {
  if (started === "busy") {
    return reply
      .code(409)
      .send({ error: "A cycle or a dry run is running. Wait for it to end, then try again." });
  }
  return reply.code(202).send({ work: started.id });
}
