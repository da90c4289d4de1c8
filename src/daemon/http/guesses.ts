import { isIP } from "node:net";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { DaemonView } from "./daemon-view.ts";
import { occasionally } from "./occasional.ts";

/** The kind of credential that a request brought. */
export type Credential = "bearer" | "session" | "signIn";

/** Counts wrong credentials of all kinds. Right ones are never checked here, so guessing cannot lock others out. */
export interface Guesses {
  /** Notes a wrong credential. @returns `true` if its client has sent too many of them lately */
  wrong(request: FastifyRequest, credential: Credential): Promise<boolean>;
}

const mostWrong = { max: 20, timeWindow: "1 minute" };

export function createGuesses(app: FastifyInstance, { now, log, metrics }: DaemonView): Guesses {
  const count = app.createRateLimit({ ...mostWrong, keyGenerator: clientOf });
  const say = occasionally<{ readonly from: string; readonly credential: Credential }>(
    now,
    (details, refused) =>
      log.warn({ ...details, refused }, "HTTP requests with wrong credentials were refused"),
  );
  return {
    wrong: async (request, credential) => {
      metrics.wrongCredential(credential);
      say({ from: addressOf(request), credential });
      const { isAllowed, ...counted } = await count(request);
      return !isAllowed && "isExceeded" in counted && counted.isExceeded;
    },
  };
}

/** The client's address; behind trusted proxies, the one that they forward. */
function addressOf(request: FastifyRequest): string {
  // The forwarded value may be anything.
  return isIP(request.ip ?? "") === 0 ? (request.socket.remoteAddress ?? "a local socket") : request.ip;
}

/** A client with an IPv6 address has the whole network of 64 bits that contains it. */
function clientOf(request: FastifyRequest): string {
  const address = addressOf(request);
  if (isIP(address) !== 6 || address.includes(".")) return address;
  const [head = "", tail] = address.split("::");
  const groups = head.split(":").filter((group) => group !== "");
  const given = tail === undefined ? [] : tail.split(":").filter((group) => group !== "");
  while (groups.length + given.length < 8) groups.push("0");
  return [...groups, ...given]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}
