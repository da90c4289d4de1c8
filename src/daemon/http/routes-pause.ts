import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Actor } from "../../domain/actor.ts";
import { longestReason } from "../../domain/decision.ts";
import { UsageError } from "../../domain/errors.ts";
import { parse } from "./parse.ts";
import type { ViewOf } from "./routes-jobs.ts";

const reason = z.string().trim().min(1).max(longestReason);
const pauseBody = z.strictObject({
  reason,
  until: z.iso.datetime({ offset: true }).optional(),
  leaversToo: z.boolean().default(false),
});
const resumeBody = z.strictObject({ reason: reason.optional() });

/** Routes by which a person pauses sending and resumes it. They work at once, also while a cycle runs. */
export function pauseRoutes(
  app: FastifyInstance,
  viewOf: ViewOf,
  actorOf: (request: FastifyRequest) => Actor,
): void {
  app.post("/pause", async (request) => {
    const view = viewOf(request);
    const { until: text, ...ordered } = parse(pauseBody, request.body);
    const at = view.now();
    const until = text === undefined ? null : Date.parse(text);
    if (until !== null && until <= at)
      throw new UsageError(`the pause would end before it begins: ${text} is in the past`);
    await view.pause({ at, until, ...ordered, by: actorOf(request) });
    return { paused: true };
  });

  app.post("/resume", async (request) => {
    const view = viewOf(request);
    const { reason: why = null } = parse(resumeBody, request.body);
    return {
      paused: false,
      wasPaused: await view.resume({ at: view.now(), by: actorOf(request), reason: why }),
    };
  });
}
