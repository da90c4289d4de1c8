import { startEnds } from "./ends/ends.ts";
import { type Profile, program } from "./program.ts";
import { configurationOf, syncArguments } from "./sync.ts";

// npm run bench:profile -- [PEOPLE]: where the time of a first run goes, and that of a cycle in which nothing has changed.

/** The first that fits. A call into SQLite counts where it was made. */
const areas: readonly (readonly [name: string, fits: RegExp])[] = [
  ["waiting", /^\(idle\)/],
  ["garbage collection", /^\(garbage collector\)/],
  ["axios", /node_modules\/(axios|form-data|follow-redirects|proxy-from-env)\//],
  ["the Graph client, fetch", /node_modules\/@microsoft\/|undici|webstreams|node:internal\/deps/],
  ["sign-in", /node_modules\/@azure\//],
  ["state: SQLite", /src\/state\/|better-sqlite3|sqliteTransaction/],
  ["engine: plan, order, send", /src\/cycle\//],
  ["mapping", /src\/mapping\//],
  ["Lattice: SCIM, limiter", /src\/lattice\//],
  ["Graph: pages, users", /src\/entra\//],
  [
    "Node's HTTP and sockets",
    /^write|node:(_http|http|net|internal\/http|internal\/stream|internal\/streams|stream|_tls|tls|events|buffer)/,
  ],
  [
    "loading modules",
    /modules\/|node:internal\/(bootstrap|main|process\/pre)|esm\/|cjs\/|compile|node:internal\/vm/,
  ],
  ["the rest of this program", /src\//],
];

const people = Number(process.argv[2] ?? 10_000);
using ends = await startEnds({ people });
using als = await program();
const configuration = configurationOf(ends, { maxConcurrency: 8, maxRequestsPerSecond: null });
for (const what of ["first run", "nothing changed"]) {
  const profile = await als.profile(syncArguments, configuration);
  print(`${what}, ${people.toLocaleString("en")} people`, profile);
}

function print(title: string, { nodes, samples, timeDeltas }: Profile): void {
  const areaOf = new Map(
    nodes.map(({ id, callFrame: { functionName, url } }) => {
      const place = `${functionName} ${url}`;
      return [id, areas.find(([, fits]) => fits.test(place))?.[0] ?? "the rest of Node"];
    }),
  );
  const sums = new Map<string, number>();
  let total = 0;
  samples.forEach((id, index) => {
    const spent = timeDeltas[index] ?? 0;
    const area = areaOf.get(id) ?? "the rest of Node";
    sums.set(area, (sums.get(area) ?? 0) + spent);
    total += spent;
  });
  process.stdout.write(`\n| ${title} | ms | share |\n|---|---|---|\n`);
  for (const [area, spent] of [...sums].sort((one, other) => other[1] - one[1])) {
    process.stdout.write(
      `| ${area} | ${Math.round(spent / 1_000)} | ${((spent / total) * 100).toFixed(0)} % |\n`,
    );
  }
}
