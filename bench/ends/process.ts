import { type Directory, personId } from "../../src/sandbox/directory.ts";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import type { EndsOptions } from "./ends.ts";
import { startQuickLattice } from "./quick-lattice.ts";

// Both ends in a process of their own, so that they are not part of what is measured. Its parent says what they are like
// on the command line, and asks for counts and changes over the channel between the two.

const { people, levels, delayMs, ratePerSecond, limits, retryAfter }: EndsOptions = JSON.parse(
  process.argv[2] ?? "{}",
);
let graphRequests = 0;
let graphPaths: string[] = [];
const entra = await startSandbox({
  file: ":memory:",
  people,
  requestLogSize: 0,
  onRequest: ({ host, path }) => {
    if (host === "entra") {
      graphRequests += 1;
      graphPaths.push(path);
    }
    return undefined;
  },
});
if (levels !== undefined) deepen(entra.directory, levels);
const lattice = await startQuickLattice({
  delayMs,
  limits: ratePerSecond === undefined ? limits : [{ perSecond: ratePerSecond, seconds: 0 }],
  retryAfter,
});
let edits = 0;
process.on("message", (message: { readonly ask: string; readonly count?: number }) => {
  if (message.ask === "clear") lattice.clear();
  if (message.ask === "change") changePeople(message.count ?? 0);
  const paths = message.ask === "paths" ? graphPaths : [];
  graphPaths = [];
  process.send?.({ stats: { ...lattice.stats(), graphRequests, graphPaths: paths } });
});
process.on("disconnect", () => process.exit());
process.send?.({
  ready: {
    tenantId: entra.tenantId,
    clientId: entra.clientId,
    clientSecret: entra.clientSecret,
    authorityHost: entra.authorityHost,
    graphUrl: entra.graphUrl,
    latticeUrl: `http://127.0.0.1:${lattice.port}/scim/v2`,
  },
});

/** Gives this many people, spread over the whole directory, another title. */
function changePeople(count: number): void {
  edits += 1;
  for (let index = 0; index < count; index += 1) {
    const person = 1 + Math.floor(((index + 0.5) * people) / count);
    entra.directory.updateUser(personId(entra.seed, person), { jobTitle: `Title ${edits}` });
  }
}

/**
 * Hangs everybody into a tree of so many levels: one head, and the others spread evenly over the levels below. The last
 * two stay each other's manager.
 */
function deepen(directory: Directory, levels: number): void {
  const [head, ...others] = [...directory.users()].slice(0, -2).map(({ id }) => id);
  let above = head === undefined ? [] : [head];
  const each = Math.ceil(others.length / (levels - 1));
  for (let start = 0; start < others.length; start += each) {
    const level = others.slice(start, start + each);
    level.forEach((id, index) => {
      directory.setManager(id, above[index % above.length] ?? null);
    });
    above = level;
  }
}
