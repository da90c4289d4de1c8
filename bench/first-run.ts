import { Agent, request } from "node:http";
import { type Ends, startEnds } from "./ends/ends.ts";
import { program } from "./program.ts";

// A first run of the whole program, database included, against a Lattice that answers at once; beside it a bare loop that
// posts the same bodies over the same number of connections, and does nothing else.

const people = 10_000;
const concurrency = 8;

using ends = await startEnds({ people });
using als = await program();
const { entra, lattice } = ends.configuration;
const ran = await als.run(["sync", "--format", "json", "--out", "report.json"], {
  entra,
  lattice: { ...lattice, token: "bench", maxConcurrency: concurrency, maxRequestsPerSecond: null },
});
if (ran.code !== 0) throw new Error(`the run ended with ${ran.code}: ${ran.stderr}`);
const { writes, requests } = await ends.stats();
const perSecond = (writes / ran.milliseconds) * 1_000;
const bare = await postAlone(ends);

process.stdout.write(
  [
    `first run, ${writes} accounts made with ${requests} requests`,
    `  whole program   ${perSecond.toFixed(0)} a second; ${(ran.cpuMilliseconds / writes).toFixed(2)} ms of processor time each; peak ${ran.peakMegabytes.toFixed(0)} MB`,
    `  bare loop       ${bare.toFixed(0)} a second`,
    `  ratio           ${(perSecond / bare).toFixed(3)}`,
    "",
  ].join("\n"),
);

/** Posts what Lattice holds once more. @returns requests a second */
async function postAlone({ latticeUrl, clear }: Ends): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const exchange = (method: string, path: string, body = ""): Promise<string> =>
    new Promise((done, failed) => {
      const options = { method, agent, headers: { "content-type": "application/scim+json" } };
      const sent = request(`${latticeUrl}${path}`, options, (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (part: string) => {
          text += part;
        });
        answer.on("end", () => done(text));
      });
      sent.on("error", failed);
      sent.end(body);
    });
  const { Resources }: { Resources: readonly { id: string }[] } = JSON.parse(
    await exchange("GET", `/Users?count=${people}`),
  );
  const bodies = Resources.map(({ id: _, ...account }) => JSON.stringify(account));
  await clear();
  const startedAt = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
        await exchange("POST", "/Users", body);
      }
    }),
  );
  const perSecond = (bodies.length / (performance.now() - startedAt)) * 1_000;
  agent.destroy();
  return perSecond;
}
