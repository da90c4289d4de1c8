import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { ProtectionOutcome } from "../../cycle/guard/protect.ts";
import { accountKinds, parseKindCounts } from "../../cycle/person/account-kinds.ts";
import type { Actor } from "../../domain/actor.ts";
import { longestReason } from "../../domain/decision.ts";
import { accountDocument } from "../../report/accounts.ts";
import { parse } from "./parse.ts";
import type { ViewOf } from "./routes-jobs.ts";

const reason = z.string().trim().min(1).max(longestReason);
const decisionBody = z.strictObject({ reason });
const unlinkBody = z.strictObject({ reason, dryRun: z.boolean().default(false) });
const linkBody = unlinkBody.extend({ account: z.string().trim().min(1).max(500) });
const accountsQuery = z.strictObject({
  kind: z
    .string()
    .transform((value) => value.split(",").filter((part) => part !== ""))
    .pipe(z.array(z.enum(accountKinds)))
    .optional(),
  active: z.stringbool().default(false),
  after: z.string().max(500).default(""),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
type Account = { Params: { account: string } };

/** Routes by which a person decides about single accounts. A protection works at once, also while a cycle runs. */
export function accountRoutes(
  app: FastifyInstance,
  viewOf: ViewOf,
  actorOf: (request: FastifyRequest) => Actor,
): void {
  app.get("/accounts", async (request) => {
    const view = viewOf(request);
    const { kind: kinds, active, after, limit } = parse(accountsQuery, request.query);
    const [page, meta] = await Promise.all([
      view.accounts({ kinds, activeOnly: active, after, limit }),
      view.reader.meta(),
    ]);
    return {
      accounts: page.accounts.map(accountDocument),
      summary: parseKindCounts(meta),
      after: page.after,
    };
  });

  app.post<Account>("/accounts/:account/protect", async (request) => {
    const view = viewOf(request);
    const { reason: why } = parse(decisionBody, request.body);
    const { account } = request.params;
    return {
      protected: true,
      ...document(await view.protect({ account, reason: why, by: actorOf(request), at: view.now() })),
    };
  });

  app.post<Account>("/accounts/:account/unprotect", async (request) => {
    const view = viewOf(request);
    const { reason: why } = parse(decisionBody, request.body);
    const { account } = request.params;
    return {
      protected: false,
      ...document(await view.unprotect({ account, reason: why, by: actorOf(request), at: view.now() })),
    };
  });

  const linked = async (
    request: FastifyRequest<{ Params: { person: string } }>,
    reply: FastifyReply,
    { account, reason, dryRun }: { account?: string; reason: string; dryRun: boolean },
  ): Promise<object> => {
    const view = viewOf(request);
    const order = { user: request.params.person, account, reason, by: actorOf(request), at: view.now() };
    const done = await view.decideLink(order, dryRun);
    if (done === "busy")
      return reply.code(409).send({ error: "A cycle is running. Wait for it to end, then try again." });
    const { event, ...outcome } = done;
    return { ...outcome, dryRun, changed: event !== null };
  };
  app.post<{ Params: { person: string } }>("/people/:person/link", async (request, reply) =>
    linked(request, reply, parse(linkBody, request.body)),
  );
  app.post<{ Params: { person: string } }>("/people/:person/unlink", async (request, reply) =>
    linked(request, reply, parse(unlinkBody, request.body)),
  );
}

function document({ event, ...outcome }: ProtectionOutcome): object {
  return { ...outcome, changed: event !== null };
}
