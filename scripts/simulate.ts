import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteAndPostgres } from "../test/simulation/both-states.ts";
import { families, familyOf } from "../test/simulation/families.ts";
import { describeHistory } from "../test/simulation/history.ts";
import { movingState } from "../test/simulation/moving-state.ts";
import { playHistories } from "../test/simulation/play.ts";
import type { PlayedState } from "../test/simulation/played-state.ts";
import { postgresState } from "../test/simulation/postgres-state.ts";
import { sqliteState } from "../test/simulation/sqlite-state.ts";
import { serverIn } from "../test/state/postgres/server.ts";
import { optionsOf } from "./options.ts";

// Plays random histories of both ends, of faults and of killed processes. A failing one is made as small as it gets and
// printed with what is needed to play it again: --family, --seed and --path.

const values = optionsOf({
  about: "Plays random histories of both ends, of faults and of killed processes.",
  options: {
    runs: { type: "string", default: "2000", about: "histories of each family" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31), about: "the histories follow from it" },
    path: { type: "string", about: "plays the history of this path alone" },
    family: { type: "string", default: "everyday", about: "one of --list, or all" },
    list: { type: "boolean", default: false, about: "prints the families" },
    store: {
      type: "string",
      default: "sqlite",
      about:
        "sqlite; postgres: a real server, or the one of DATABASE_URL; both, whose answers are compared; moving: from one to the other and back again",
    },
    first: {
      type: "boolean",
      default: false,
      about: "stops at the first failing history as it is, without making it smaller",
    },
    "in-due-time": { type: "boolean", default: false, about: "the same as --family in-due-time" },
    "lost-database": { type: "boolean", default: false, about: "the same as --family lost-database" },
  },
});
const name = values["lost-database"]
  ? "lost-database"
  : values["in-due-time"]
    ? "in-due-time"
    : values.family;
const openState = openerOf(values.store);
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
  let played = 0;
  const { path, first } = values;
  const failure = await playHistories(
    family,
    { runs, seed, first, ...(path === undefined ? {} : { path }) },
    () => {
      played += 1;
      if (played % 1000 === 0) process.stderr.write(`${played} histories\n`);
    },
    openState,
  );

  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (failure === null) {
    process.stdout.write(
      `${runs} histories of the family ${family.name}, seed ${seed}: no promise was broken (${seconds} s).\n`,
    );
    return true;
  }
  process.stdout.write(
    `A history breaks a promise (family ${family.name}, seed ${seed}, run ${failure.run} of ${runs}, made smaller ${failure.shrinks} times, ${seconds} s):\n` +
      `${failure.broken}\n\n` +
      `${failure.history === undefined ? "" : describeHistory(failure.history)}\n\n` +
      `Play it again: npm run simulate -- --family ${family.name} --seed ${seed} --path ${failure.path}${values.store === "sqlite" ? "" : ` --store ${values.store}`}\n`,
  );
  return false;
}

function openerOf(store: string): () => PlayedState | Promise<PlayedState> {
  switch (store) {
    case "sqlite":
      return () => sqliteState();
    case "postgres":
      return openPostgres;
    case "both":
      return openBoth;
    case "moving":
      return openMoving;
    default:
      throw new Error(`There is no store "${store}"; there are sqlite, postgres, both, moving.`);
  }
}

/** A job of its own in a schema for simulations; the server ends with this process. */
async function openPostgres(): Promise<PlayedState> {
  return postgresState({ ...(await placeIn("als_simulate")), job: `simulation-${process.pid}` });
}

/** In a schema of its own. */
async function openBoth(): Promise<PlayedState> {
  return sqliteAndPostgres({ ...(await placeIn(`als_simulate_both_${process.pid}`)), job: "default" });
}

async function openMoving(): Promise<PlayedState> {
  return movingState({ ...(await placeIn("als_simulate")), job: `moving-${process.pid}` });
}

async function placeIn(schema: string): Promise<{ readonly url: string; readonly schema: string }> {
  return { url: await serverIn(join(tmpdir(), `als-simulate-${process.pid}`), process.pid), schema };
}
