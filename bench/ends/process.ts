import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { startQuickLattice } from "./quick-lattice.ts";

// Both ends in a process of their own, so that they are not part of what is measured. Its parent says what they are like
// on the command line, and asks for counts over the channel between the two.

const { people, delayMs, ratePerSecond } = JSON.parse(process.argv[2] ?? "{}");
const entra = await startSandbox({ file: ":memory:", people });
const lattice = await startQuickLattice({
  delayMs,
  ...(ratePerSecond === undefined ? {} : { requestsPerSecond: () => ratePerSecond }),
});
process.on("message", (message) => {
  if (message === "clear") lattice.clear();
  process.send?.({ stats: lattice.stats() });
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
