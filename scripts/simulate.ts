import { parseArgs } from "node:util";
import fc from "fast-check";
import { families, familyOf } from "../test/simulation/families.ts";
import { describeHistory } from "../test/simulation/history.ts";
import { createSimulator } from "../test/simulation/simulate.ts";

// Plays random histories of both ends, of faults and of killed processes. A failing one is made as small as it gets and
// printed with what is needed to play it again: --family, --seed and --path.

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "2000" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    path: { type: "string" },
    // One of `--list`, or `all`: so many runs of each.
    family: { type: "string", default: "everyday" },
    // What there is.
    list: { type: "boolean", default: false },
    // Stops at the first failing history as it is, without making it smaller.
    first: { type: "boolean", default: false },
    // The same as --family in-due-time.
    "in-due-time": { type: "boolean", default: false },
    // The same as --family lost-database.
    "lost-database": { type: "boolean", default: false },
  },
});
const name = values["lost-database"]
  ? "lost-database"
  : values["in-due-time"]
    ? "in-due-time"
    : values.family;
const runs = Number(values.runs);
const seed = Number(values.seed);

if (values.list) {
  const width = Math.max(...families.map((family) => family.name.length));
  process.stdout.write(families.map((one) => `${one.name.padEnd(width)}  ${one.about}\n`).join(""));
} else {
  for (const family of name === "all" ? families : [familyOf(name)]) {
    if (!(await keepsPromises(family))) {
      process.exitCode = 1;
      break;
    }
  }
}

/** @returns whether no promise was broken; prints what was */
async function keepsPromises(family: ReturnType<typeof familyOf>): Promise<boolean> {
  const startedAt = performance.now();
  const simulator = createSimulator();
  let played = 0;
  const outcome = await fc.check(
    fc.asyncProperty(family.histories, async (history) => {
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
  if (!outcome.failed) {
    process.stdout.write(
      `${runs} histories of the family ${family.name}, seed ${seed}: no promise was broken (${seconds} s).\n`,
    );
    return true;
  }
  const [history] = outcome.counterexample ?? [];
  process.stdout.write(
    `A history breaks a promise (family ${family.name}, seed ${seed}, run ${outcome.numRuns} of ${runs}, made smaller ${outcome.numShrinks} times, ${seconds} s):\n` +
      `${outcome.errorInstance instanceof Error ? outcome.errorInstance.message : "it did not end"}\n\n` +
      `${history === undefined ? "" : describeHistory(history)}\n\n` +
      `Play it again: npm run simulate -- --family ${family.name} --seed ${seed} --path ${outcome.counterexamplePath ?? ""}\n`,
  );
  return false;
}
