import { openStore } from "../../../src/state/postgres/store.ts";
import { freshPlace } from "../postgres/place.ts";
import { describeAnyStore } from "./any-store.ts";
import type { FreshState } from "./fresh-state.ts";

async function postgresState(): Promise<FreshState> {
  const place = await freshPlace();
  return {
    open: (logValues = "keep") => openStore(place, { leaseClock: "caller", logValues }),
    // The rows stay until the server ends: tests of other jobs must not see them.
    remove: () => {},
  };
}

describeAnyStore(postgresState);
