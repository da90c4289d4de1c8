import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import type { ProtectionOutcome } from "../../cycle/guard/protect.ts";
import type { Actor } from "../../domain/actor.ts";
import { longestReason } from "../../domain/decision.ts";
import { parse } from "./parse.ts";
import type { ViewOf } from "./routes-jobs.ts";

const decisionBody = z.strictObject({ reason: z.string().trim().min(1).max(longestReason) });
type Account = { Params: { account: string } };

/** Routes by which a person decides about single accounts. They work at once, also while a cycle runs. */
export function accountRoutes(
  app: FastifyInstance,
  viewOf: ViewOf,
  actorOf: (request: FastifyRequest) => Actor,
): void {
  app.post<Account>("/accounts/:account/protect", async (request) => {
    const view = viewOf(request);
    const { reason } = parse(decisionBody, request.body);
    const { account } = request.params;
    return {
      protected: true,
      ...document(await view.protect({ account, reason, by: actorOf(request), at: view.now() })),
    };
  });

  app.post<Account>("/accounts/:account/unprotect", async (request) => {
    const view = viewOf(request);
    const { reason } = parse(decisionBody, request.body);
    const { account } = request.params;
    return {
      protected: false,
      ...document(await view.unprotect({ account, reason, by: actorOf(request), at: view.now() })),
    };
  });
}

function document({ event, ...outcome }: ProtectionOutcome): object {
  return { ...outcome, changed: event !== null };
}
