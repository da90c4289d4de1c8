import type { FastifyReply, FastifyRequest } from "fastify";
import type { Access } from "./access.ts";
import type { DaemonView } from "./daemon-view.ts";
import type { Guesses } from "./guesses.ts";
import { occasionally } from "./occasional.ts";

/** The requirements of a route. */
export interface Admission {
  readonly signedIn: boolean;
  /** Refuses requests that another site made the browser send. */
  readonly ownSite: boolean;
}

type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>;

/**
 * The one gate for all routes except health. The credential is checked first, so a right one passes however many wrong ones came.
 * Requests that another site made a browser send are refused without being counted.
 */
export function createAdmission(
  access: Access,
  guesses: Guesses,
  { now, log }: DaemonView,
): (admission: Admission) => Hook {
  const sayMisdirected = occasionally<string>(now, (reason, refused) =>
    log.warn({ reason, refused }, "HTTP requests were refused because of the host name that they asked for"),
  );
  return ({ signedIn, ownSite }) =>
    async (request, reply) => {
      const identity = access.identify(request);
      const foreign = ownSite ? access.foreign(request, identity) : null;
      if (identity === null) {
        const credential = access.credentialOf(request);
        const isGuess = credential === "bearer" || (credential === "session" && foreign === null);
        const tooMany = isGuess && (await guesses.wrong(request, credential));
        // A session id is too long to guess; an expired one must not keep its browser from signing in again.
        if (tooMany && credential === "bearer") return tooManyWrong(reply);
        if (signedIn) {
          return reply
            .code(401)
            .header("www-authenticate", "Bearer")
            .send({
              error: access.asks === "proxy" ? "The reverse proxy did not name a user." : "Sign in first.",
            });
        }
      }
      const misdirected = access.misdirected(request, identity);
      if (misdirected !== null) sayMisdirected(misdirected);
      const refused = misdirected ?? foreign;
      if (refused !== null) return reply.code(403).send({ error: refused });
    };
}

export function tooManyWrong(reply: FastifyReply): FastifyReply {
  return reply
    .code(429)
    .header("retry-after", "60")
    .send({ error: "This credential is wrong, and so were many before it. Wait a minute, then try again." });
}
