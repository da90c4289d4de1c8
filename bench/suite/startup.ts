import { type Bench, type Finding, median } from "../bench.ts";
import { startEnds } from "../ends/ends.ts";
import { program, type Ran } from "../program.ts";

const people = 250;

export const bench: Bench = {
  about:
    "a process of the program from its start to its end, against one of the same Node that does nothing: the help, and a sync that finds nothing to do",
  inCI: true,
  async *measure({ small, note }): AsyncGenerator<Finding> {
    using ends = await startEnds({ people });
    using als = await program();
    const { entra, lattice } = ends.configuration;
    const configuration = { entra, lattice: { ...lattice, token: "bench" } };
    const help = (): Promise<Ran> => als.run(["--help"], configuration);
    const sync = (): Promise<Ran> => als.run(["sync", "--format", "json"], configuration);

    note(`the first sync of ${people} people, which links or makes everybody`);
    await good(sync());
    const { requests } = await ends.stats();
    const rounds = small ? 11 : 21;
    const ran: { readonly [who in "node" | "help" | "sync"]: Ran[] } = { node: [], help: [], sync: [] };
    // The first round warms the file system, and is not counted.
    for (let round = 0; round <= rounds; round += 1) {
      note(`round ${round} of ${rounds}`);
      const results = {
        node: await good(als.runNothing()),
        help: await good(help()),
        sync: await good(sync()),
      };
      if (round === 0) continue;
      ran.node.push(results.node);
      ran.help.push(results.help);
      ran.sync.push(results.sync);
    }
    if ((await ends.stats()).requests !== requests) throw new Error("there was something to do in Lattice");

    const reference = middle(ran.node);
    for (const [what, name, atMost] of [
      ["azure-lattice-sync --help", "help", 2.5],
      ["azure-lattice-sync sync, nothing to do", "sync", 8],
    ] as const) {
      const figure = middle(ran[name]);
      yield {
        what,
        measured: `${figure.ms.toFixed(0)} ms`,
        reference: `node -e 0: ${reference.ms.toFixed(0)} ms`,
        ratio: figure.ms / reference.ms,
        wanted: { atMost },
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
