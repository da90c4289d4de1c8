import { type Bench, type Finding, median } from "../bench.ts";
import { startEnds } from "../ends/ends.ts";
import { program, type Ran } from "../program.ts";

const people = 250;
/** As it is after an installation. */
const asInstalled = { NODE_DISABLE_COMPILE_CACHE: "1" };

export const bench: Bench = {
  about:
    "a process of the program from its start to its end, against one of the same Node that does nothing: the help, and a sync that finds nothing to do",
  inCI: true,
  async *measure({ small, note }): AsyncGenerator<Finding> {
    using ends = await startEnds({ people });
    using als = await program();
    const { entra, lattice } = ends.configuration;
    const configuration = { entra, lattice: { ...lattice, token: "bench" } };
    const run = {
      node: () => als.runNothing(asInstalled),
      help: () => als.run(["--help"], configuration, asInstalled),
      sync: () => als.run(["sync"], configuration, asInstalled),
      nodeCompiled: () => als.runNothing(),
      syncCompiled: () => als.run(["sync"], configuration),
    };
    type Name = keyof typeof run;
    const names: readonly Name[] = ["node", "help", "sync", "nodeCompiled", "syncCompiled"];

    note(`the first sync of ${people} people`);
    await good(run.sync());
    const { requests } = await ends.stats();
    const rounds = small ? 5 : 9;
    const ran: { readonly [N in Name]: Ran[] } = {
      node: [],
      help: [],
      sync: [],
      nodeCompiled: [],
      syncCompiled: [],
    };
    // The first round fills the caches and is not counted; the others take turns, so that a disturbance meets all of them.
    for (let round = 0; round <= rounds; round += 1) {
      note(`round ${round} of ${rounds}`);
      for (const name of names) {
        const result = await good(run[name]());
        if (round > 0) ran[name].push(result);
      }
    }
    if ((await ends.stats()).requests !== requests) throw new Error("there was something to do in Lattice");

    for (const [what, name, against, wanted] of [
      ["azure-lattice-sync --help", "help", "node", { atMost: 2.5 }],
      ["sync, nothing to do", "sync", "node", { atMost: 8 }],
      ["the same with NODE_COMPILE_CACHE", "syncCompiled", "nodeCompiled", undefined],
    ] as const) {
      const figure = middle(ran[name]);
      const reference = middle(ran[against]);
      yield {
        what,
        measured: `${figure.ms.toFixed(0)} ms`,
        reference: `node -e 0: ${reference.ms.toFixed(0)} ms`,
        ratio: figure.ms / reference.ms,
        ...(wanted === undefined ? {} : { wanted }),
        figures: {
          ms: figure.ms,
          cpuMs: figure.cpuMs,
          peakMB: figure.peakMB,
          referenceMs: reference.ms,
          referenceCpuMs: reference.cpuMs,
          rounds,
        },
      };
    }
  },
};

async function good(run: Promise<Ran>): Promise<Ran> {
  const ran = await run;
  if (ran.code !== 0) throw new Error(`the run ended with ${ran.code}: ${ran.stderr}`);
  return ran;
}

function middle(runs: readonly Ran[]): { ms: number; cpuMs: number; peakMB: number } {
  return {
    ms: median(runs.map(({ milliseconds }) => milliseconds)),
    cpuMs: median(runs.map(({ cpuMilliseconds }) => cpuMilliseconds)),
    peakMB: median(runs.map(({ peakMegabytes }) => peakMegabytes)),
  };
}
