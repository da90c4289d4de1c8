import { type QuickLattice, startQuickLattice } from "../bench/ends/quick-lattice.ts";
import { personId } from "../src/sandbox/directory.ts";
import { startSandbox } from "../src/sandbox/sandbox.ts";

// The directory and the Lattice companies of a fleet, in a process of their own, so that they are not part of what is measured. All jobs read
// one directory, and each has a Lattice company of its own.

const { people, jobs }: { readonly people: number; readonly jobs: number } = JSON.parse(
  process.argv[2] ?? "{}",
);
const entra = await startSandbox({ file: ":memory:", people, requestLogSize: 0 });
const companies: QuickLattice[] = [];
for (let number = 0; number < jobs; number += 1) companies.push(await startQuickLattice());
let edits = 0;
process.on("message", ({ change }: { readonly change: number }) => {
  edits += 1;
  for (let index = 0; index < change; index += 1) {
    const person = 1 + Math.floor(((index + 0.5) * people) / change);
    entra.directory.updateUser(personId(entra.seed, person), { jobTitle: `Title ${edits}` });
  }
  const writes = companies.reduce((sum, company) => sum + company.stats().writes, 0);
  process.send?.({ writes });
});
process.on("disconnect", () => process.exit());
const { tenantId, clientId, clientSecret, authorityHost, graphUrl } = entra;
process.send?.({
  entra: { tenantId, clientId, clientSecret, authorityHost, graphUrl, scope: { mode: "all" } },
  ports: companies.map(({ port }) => port),
});
