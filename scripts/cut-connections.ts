import { tmpdir } from "node:os";
import { join } from "node:path";
import { playCuts } from "../test/state/postgres/cut-cycles.ts";
import { cuttingProxy } from "../test/state/postgres/cutting-proxy.ts";
import { serverIn } from "../test/state/postgres/server.ts";
import { optionsOf } from "./options.ts";

// Runs cycles of small companies on PostgreSQL whose connections are cut at random messages, and checks each company after that. A
// fault is printed with the seed that plays it again: --seed N --runs 1.

const values = optionsOf({
  about: "Runs cycles of small companies on PostgreSQL whose connections are cut at random messages.",
  options: {
    runs: { type: "string", default: "200", about: "companies" },
    seed: {
      type: "string",
      default: String(Date.now() % 2 ** 31),
      about: "the first company; the others have the seeds after it",
    },
  },
});
const [runs, first] = [Number(values.runs), Number(values.seed)];
const url = await serverIn(join(tmpdir(), `als-cut-${process.pid}`), process.pid);
let cut = 0;

for (let seed = first; seed < first + runs; seed += 1) {
  const proxy = await cuttingProxy(url);
  const place = { url: proxy.url, schema: `als_cut_${process.pid}`, job: `seed-${seed}` };
  const played = await playCuts(place, proxy, seed);
  await proxy.close();
  cut += played.cut;
  if (played.wrongs.length > 0) {
    process.stdout.write(`Seed ${seed}: ${played.wrongs.join("; ")}.\n`);
    process.exitCode = 1;
    break;
  }
}
process.stdout.write(`${cut} connections were cut, from seed ${first} on.\n`);
