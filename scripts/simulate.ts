import { parseArgs } from "node:util";
import fc from "fast-check";
import { createSimulator } from "../test/simulation/simulate.ts";
import { describeHistory, histories, inDueTime, lostDatabases } from "../test/simulation/steps.ts";

// Plays random histories of both ends, of faults and of killed processes. A failing one is made as small as it gets and
// printed with what is needed to play it again: --seed and --path.

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "2000" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    path: { type: "string" },
    // Histories in which things take effect later: delays, ignored events, first days.
    "in-due-time": { type: "boolean", default: false },
    // Stops at the first failing history as it is, without making it smaller.
    first: { type: "boolean", default: false },
    // The database is lost now and then.
    "lost-database": { type: "boolean", default: false },
  },
});
const [which, option] = values["lost-database"]
  ? [lostDatabases, " --lost-database"]
  : values["in-due-time"]
    ? [inDueTime, " --in-due-time"]
    : [histories, ""];
const runs = Number(values.runs);
const seed = Number(values.seed);
const startedAt = performance.now();
const simulator = createSimulator();
let played = 0;

const outcome = await fc.check(
  fc.asyncProperty(which, async (history) => {
    const broken = await simulator.play(history);
    played += 1;
    if (played % 1000 === 0) process.stderr.write(`${played} histories\n`);
    if (broken !== null) throw new Error(broken);
  }),
  {
    numRuns: runs,
    seed,
    endOnFailure: values.first,
    ...(values.path === undefined ? {} : { path: values.path }),
  },
);
await simulator.close();

const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
if (outcome.failed) {
  const [history] = outcome.counterexample ?? [];
  process.stdout.write(
    `A history breaks a promise (seed ${seed}, run ${outcome.numRuns} of ${runs}, made smaller ${outcome.numShrinks} times, ${seconds} s):\n` +
      `${outcome.errorInstance instanceof Error ? outcome.errorInstance.message : "it did not end"}\n\n` +
      `${history === undefined ? "" : describeHistory(history)}\n\n` +
      `Play it again: npm run simulate --${option} --seed ${seed} --path ${outcome.counterexamplePath ?? ""}\n`,
  );
  process.exitCode = 1;
} else {
  process.stdout.write(`${runs} histories, seed ${seed}: no promise was broken (${seconds} s).\n`);
}
