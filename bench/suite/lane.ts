import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { Job } from "../../src/job/job.ts";
import { openJob } from "../../src/job/open-job.ts";
import { type LaneRun, runLane } from "../../src/job/run-lane.ts";
import { type Bench, type Finding, grouped, median } from "../bench.ts";
import { type Company, linkedCompany } from "../company.ts";
import { configurationOf } from "../sync.ts";

const sizes = [1_000, 10_000, 100_000];
const changed = 5_000;
/** Milliseconds that a look without news may take. */
const mostMs = 300;

export const bench: Bench = {
  about: `a look for leavers between two cycles, in a daemon's process: without news, and with ${grouped(changed)} people of other titles`,
  inCI: false,
  async *measure({ small, upTo, note }): AsyncGenerator<Finding> {
    for (const people of sizes.filter((size) => size <= (small ? 10_000 : upTo))) {
      const company = await linkedCompany(people, note);
      // The sync reads the changes that another bench has made.
      await company.sync();
      const job = await jobOf(company);
      try {
        yield* measureJob(job, company);
      } finally {
        await job.close();
      }
    }
  },
};

async function* measureJob(job: Job, company: Company): AsyncGenerator<Finding> {
  const people = `${grouped(company.people)} people`;
  const { signal } = new AbortController();
  const source = await job.source();
  const look = async (): Promise<{ readonly ms: number; readonly kind: LaneRun["kind"] }> => {
    const before = performance.now();
    const { kind } = await runLane(
      job,
      { dryRun: false, signal, source },
      { notifier: { ended: async () => {} } },
    );
    return { ms: performance.now() - before, kind };
  };
  const cycles = async (): Promise<number> => (await (await job.state()).recentCycles(1))[0]?.id ?? 0;
  // Signs in, and loads what it needs.
  await look();
  const before = { ends: await company.ends.stats(), cycle: await cycles(), bytes: bytesOf(company) };
  const idle = [];
  for (let round = 0; round < 21; round += 1) idle.push(await look());
  const after = await company.ends.stats();
  const odd = idle.find(({ kind }) => kind !== "noNews");
  if (odd !== undefined) throw new Error(`a look without news ended as ${odd.kind}`);
  const ms = median(idle.map((one) => one.ms));
  yield {
    what: `no news, ${people}`,
    measured: `${ms.toFixed(1)} ms`,
    reference: `limit ${mostMs} ms`,
    ratio: ms / mostMs,
    wanted: { atMost: 1 },
    figures: { rows: (await cycles()) - before.cycle, bytes: bytesOf(company) - before.bytes },
  };
  const requests = after.graphRequests - before.ends.graphRequests + after.requests - before.ends.requests;
  yield {
    what: `requests of it, ${people}`,
    measured: `${(requests / idle.length).toFixed(1)} to Graph and Lattice`,
    reference: "one",
    ratio: requests / idle.length,
    wanted: { atMost: 1 },
  };
  if (company.people < changed) return;
  await company.ends.change(changed);
  const news = await look();
  if (news.kind !== "nobody") throw new Error(`a look at other titles ended as ${news.kind}`);
  const { writes } = await company.ends.stats();
  yield {
    what: `${grouped(changed)} other titles read, ${people}`,
    measured: `${news.ms.toFixed(0)} ms, ${writes - after.writes} writes to Lattice`,
    reference: `no news ${ms.toFixed(1)} ms`,
    ratio: news.ms / ms,
    figures: { ms: news.ms, writes: writes - after.writes, rows: (await cycles()) - before.cycle },
  };
  await company.sync();
}

/** The database with what is not merged into it yet. */
function bytesOf({ program: { statePath } }: Company): number {
  return [statePath, `${statePath}-wal`].reduce(
    (sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

async function jobOf({ program: { folder, statePath }, ends }: Company): Promise<Job> {
  const config = join(folder, "lane.yaml");
  const state = { path: statePath };
  writeFileSync(config, JSON.stringify({ ...configurationOf(ends, {}), state }), { mode: 0o600 });
  const { signal } = new AbortController();
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  return openJob({ env: {}, cwd: folder, ...streams, signal }, { config, quiet: true });
}
