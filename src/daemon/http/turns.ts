import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** Database queries answered at the same time. The others wait, so health waits only behind these. */
const atOnce = 2;
const mostWaiting = 100;

/**
 * Makes the routes of `app` take turns: a few at once, the others in the order in which they came. Health and metrics are then
 * answered however many requests there are. A client that disconnects while waiting gets no answer; if too many wait, further
 * ones get an answer that says to try again later.
 * @param inMemory path of the routes that do not query the database; `null`: all do
 */
export function takeTurns(app: FastifyInstance, inMemory: string | null): void {
  const queue: (() => void)[] = [];
  let running = 0;
  const next = (): void => {
    running -= 1;
    queue.shift()?.();
  };
  /** @returns false if the client has disconnected */
  const turn = (reply: FastifyReply): Promise<boolean> =>
    new Promise((resolve) => {
      const begin = (): void => {
        running += 1;
        reply.raw.off("close", leave);
        resolve(true);
      };
      const leave = (): void => {
        queue.splice(queue.indexOf(begin), 1);
        resolve(false);
      };
      if (running < atOnce) return begin();
      reply.raw.once("close", leave);
      queue.push(begin);
    });

  app.addHook("onRoute", (route) => {
    if (inMemory !== null && route.url.startsWith(inMemory)) return;
    const { handler } = route;
    route.handler = async function (this: FastifyInstance, request: FastifyRequest, reply: FastifyReply) {
      if (running >= atOnce && queue.length >= mostWaiting) {
        return reply
          .code(503)
          .header("retry-after", "5")
          .send({ error: "Too many requests at once. Try again in a few seconds." });
      }
      if (!(await turn(reply))) return reply.hijack();
      try {
        return await handler.call(this, request, reply);
      } finally {
        next();
      }
    };
  });
}
