import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** Questions to the database that are answered at the same time: the others wait, and health waits behind these alone. */
const atOnce = 2;
const mostWaiting = 100;

/**
 * Has the routes that are added to `app` take turns: a few at once, the others in the order in which they came, so that
 * however many are asked, health and metrics are answered. Who goes away while waiting is not answered; too many are
 * told to come again.
 * @param inMemory path of the routes that ask the database nothing
 */
export function takeTurns(app: FastifyInstance, inMemory: string): void {
  const queue: (() => void)[] = [];
  let running = 0;
  const next = (): void => {
    running -= 1;
    queue.shift()?.();
  };
  /** @returns false where whoever asked is gone */
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
    if (route.url.startsWith(inMemory)) return;
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
