import type { ClientRequestArgs, Agent as HttpAgent } from "node:http";
import type { Agent as HttpsAgent } from "node:https";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { isLoopbackDomain } from "../domain/loopback.ts";
import type { SendingRight } from "../domain/sending-right.ts";
import { loopbackLookup } from "./loopback-lookup.ts";

/** The kept connections to Lattice. */
export interface Agents {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
}

/** Makes the agents of Node for one Lattice. A connection that is made when the right to send has ended carries nothing. */
export async function agentsOf(options: {
  readonly url: string;
  readonly maxConcurrency: number;
  readonly timeoutMs: number;
  readonly right?: SendingRight | undefined;
}): Promise<Agents> {
  const [http, https] = await Promise.all([import("node:http"), import("node:https")]);
  // Axios sets this delay with each request. With another one here, each request would change the options of its socket twice,
  // which takes 3 of 65 microseconds.
  const pool = { keepAlive: true, keepAliveMsecs: 60_000, maxSockets: options.maxConcurrency };
  const local = isLoopbackDomain(new URL(options.url).hostname);
  const agents = {
    httpAgent: new http.Agent(local ? { ...pool, lookup: loopbackLookup } : pool),
    httpsAgent: new https.Agent(pool),
  };
  const { right, timeoutMs } = options;
  if (right !== undefined) {
    lookAgain(agents.httpAgent, "connect", right, timeoutMs);
    lookAgain(agents.httpsAgent, "secureConnect", right, timeoutMs);
  }
  return agents;
}

/**
 * Has an agent look at the right once more when a connection is made, which takes round trips, and only then give it to the request that
 * waits for it. Node writes the request as soon as it has the connection.
 */
function lookAgain(
  agent: HttpAgent | HttpsAgent,
  made: "connect" | "secureConnect",
  right: SendingRight,
  timeoutMs: number,
): void {
  const create = agent.createConnection.bind(agent);
  agent.createConnection = (
    given: ClientRequestArgs,
    done?: (error: Error | null, socket: Duplex) => void,
  ): Duplex | null | undefined => {
    const socket = create(given);
    if (!(socket instanceof Socket)) return socket;
    const settle = (error: Error | null): void => {
      clearTimeout(timer);
      socket.off(made, onMade);
      socket.off("error", settle);
      socket.off("close", onClose);
      if (error !== null) {
        // Later errors are ignored: the first one ends the request.
        socket.on("error", () => {});
        socket.destroy();
      }
      done?.(error, socket);
    };
    const onMade = (): void =>
      settle(right.lasts(timeoutMs) ? null : notSent("the lease may have ended", rightEnded));
    const onClose = (): void => settle(notSent("the connection was closed before it was made"));
    const timer = setTimeout(() => settle(notSent(`no connection within ${timeoutMs / 1000} s`)), timeoutMs);
    socket.once(made, onMade);
    socket.once("error", settle);
    socket.once("close", onClose);
    return undefined;
  };
}

/** The code of an error of a connection that was made when the right to send had ended. */
export const rightEnded = "ERR_RIGHT_ENDED";

/** An error that says, as those of Node do, that nothing was sent. */
function notSent(message: string, code = "ECONNREFUSED"): Error {
  return Object.assign(new Error(message), { code, syscall: "connect" });
}
