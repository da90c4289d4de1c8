import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Access } from "./access.ts";
import { tooManyWrong } from "./admission.ts";
import type { Guesses } from "./guesses.ts";
import { parse } from "./parse.ts";

const signInBody = z.union([
  z.strictObject({ token: z.string().max(10_000) }),
  z.strictObject({ code: z.string().max(100) }),
]);

/** Routes to sign in to the page and out of it. @param jobs `named`: addresses must name one of several jobs */
export function sessionRoutes(
  app: FastifyInstance,
  access: Access,
  guesses: Guesses,
  { named }: { readonly named: boolean },
): void {
  app.get("/api/session", async (request) => {
    const identity = access.identify(request);
    return {
      asks: access.asks,
      signedIn: identity !== null,
      by: identity?.kind ?? null,
      name: identity?.kind === "proxy" ? identity.name : null,
      ...(named ? { jobs: true } : {}),
    };
  });
  app.post("/api/session", { bodyLimit: 64 * 1024 }, async (request, reply) => {
    const given = parse(signInBody, request.body);
    if (access.signIn(given, reply)) return { signedIn: true };
    if (await guesses.wrong(request, "signIn")) return tooManyWrong(reply);
    const error = "code" in given ? "This link was already used, or has expired." : "This token is wrong.";
    return reply.code(401).send({ error });
  });
  app.delete("/api/session", async (request, reply) => {
    access.signOut(request, reply);
    return { signedIn: false };
  });
}
