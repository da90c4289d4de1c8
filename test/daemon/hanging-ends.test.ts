import { expect, it } from "vitest";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { startFront } from "../process/front.ts";
import { ownDatabase } from "../state/postgres/own-database.ts";
import { until } from "./http/running-daemon.ts";
import { jobIn, startJobs } from "./several-jobs.ts";

const jobsInAll = 20;
const [hungLattice, hungEntra] = ["job-01", "job-02"];

/** Two of them are taken by jobs that hang. */
const jobsAtOnce = 3;

it.each(["SQLite", "PostgreSQL"])(
  "a job whose Lattice and one whose Entra take requests and never answer keep neither the 18 others nor the dashboard waiting, on %s",
  async (store) => {
    await using stack = new AsyncDisposableStack();
    const jobs: Record<string, object> = {};
    let asked = { lattice: 0, entra: 0 };
    const hang = async (to: string, what: keyof typeof asked): Promise<string> => {
      const front = stack.use(await startFront(new URL(to).origin));
      front.before = () => {
        asked = { ...asked, [what]: asked[what] + 1 };
        return new Promise<undefined>(() => {});
      };
      return `${front.origin}${new URL(to).pathname}`;
    };
    const inJob = async (name: string, company: Sandbox): Promise<object> => {
      const job = jobIn(company, { guard: { enabled: false } }) as { entra: object; lattice: object };
      if (name === hungLattice)
        return { ...job, lattice: { ...job.lattice, url: await hang(company.latticeUrl, "lattice") } };
      if (name === hungEntra)
        return { ...job, entra: { ...job.entra, graphUrl: await hang(company.graphUrl, "entra") } };
      return job;
    };
    for (let number = 1; number <= jobsInAll; number += 1) {
      const open = startSandbox({ file: ":memory:", people: 4, seed: 400 + number });
      const company = stack.adopt(await open, (one) => one.close());
      const name = `job-${String(number).padStart(2, "0")}`;
      jobs[name] = await inJob(name, company);
    }
    const others = Object.keys(jobs).filter((name) => name !== hungLattice && name !== hungEntra);
    const state = store === "SQLite" ? {} : { state: { url: stack.use(await ownDatabase()).url } };
    const daemon = stack.use(
      await startJobs(jobs, { shared: { ...state, workers: { maxJobsAtOnce: jobsAtOnce } } }),
    );
    const finished = (name: string): number => daemon.lines("cycle finished", name).length;
    await until(() => asked.lattice > 0 && asked.entra > 0);
    await until(() => others.every((name) => finished(name) === 1));
    // A job whose cycle has just ended is busy until its end is stored.
    for (const name of others)
      await until(async () => (await daemon.post(`/api/jobs/${name}/cycles`)).status === 202);
    await until(() => others.every((name) => finished(name) === 2));

    expect(daemon.lines("cycle failed")).toEqual([]);
    const listed = new Map((await daemon.jobs()).map((job) => [job.name, job]));
    for (const name of [hungLattice, hungEntra]) {
      expect(listed.get(name)).toMatchObject({ open: true, working: true });
      expect((await daemon.get(`/api/jobs/${name}/now`)).status).toBe(200);
    }
    for (const path of ["/healthz", "/metrics", "/api/fleet", "/api/jobs/job-07/now"])
      expect([path, (await daemon.get(path)).status]).toEqual([path, 200]);
    const ready = await daemon.get("/readyz");
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { status: "not ready", jobs: jobsInAll, notReady: 2 },
    ]);
    expect(await daemon.stop()).toBe(0);
  },
  240_000,
);
