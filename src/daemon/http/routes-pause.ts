import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { refuseWrongEnd } from "../../cycle/health/sending-pause.ts";
import type { Actor } from "../../domain/actor.ts";
import { longestReason } from "../../domain/decision.ts";
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
    const until = text === undefined ? null : endOf(text, at);
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

/** @throws UsageError if a pause must not end then */
function endOf(text: string, now: number): number {
  const until = Date.parse(text);
  refuseWrongEnd(until, now, text);
  return until;
}
