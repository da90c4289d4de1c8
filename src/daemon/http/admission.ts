import type { FastifyReply, FastifyRequest } from "fastify";
import type { Access } from "./access.ts";
import type { Guesses } from "./guesses.ts";

/** What a route asks of who comes. */
export interface Admission {
  readonly signedIn: boolean;
  /** Whether requests that another site made the browser send are refused. */
  readonly ownSite: boolean;
}

/**
 * The one way in for everything but health. The credential is looked at first: a right one passes however many wrong ones
 * came, and a request of another site is refused without its credential being counted.
 */
export function admit(access: Access, guesses: Guesses, { signedIn, ownSite }: Admission) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const identity = access.identify(request);
    if (identity === null) {
      const credential = access.credentialOf(request);
      const tooMany = credential !== null && (await guesses.wrong(request, credential));
      // The id of a session is too long to guess at; an old one must not keep its browser from signing in again.
      if (tooMany && credential === "bearer") return tooManyWrong(reply);
      if (signedIn) {
        return reply
          .code(401)
          .header("www-authenticate", "Bearer")
          .send({ error: access.asks === "proxy" ? "the reverse proxy has named nobody" : "sign in first" });
      }
    }
    const refused =
      access.misdirected(request, identity) ?? (ownSite ? access.foreign(request, identity) : null);
    if (refused !== null) return reply.code(403).send({ error: refused });
  };
}

export function tooManyWrong(reply: FastifyReply): FastifyReply {
  return reply
    .code(429)
    .header("retry-after", "60")
    .send({ error: "this credential is wrong, as were many before it: wait a minute" });
}
