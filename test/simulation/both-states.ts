import type { PostgresPlace } from "../../src/state/postgres/connection/place.ts";
import { askEverything } from "../state/both/ask-everything.ts";
import { bothStores, type Differences } from "../state/both/both-stores.ts";
import type { PlayedState } from "./played-state.ts";
import { postgresState } from "./postgres-state.ts";
import { sqliteState } from "./sqlite-state.ts";

/** SQLite, and PostgreSQL in a schema that no other state uses. */
export async function sqliteAndPostgres(place: PostgresPlace): Promise<PlayedState> {
  return bothStates(sqliteState(), await postgresState(place));
}

/**
 * Two states on which the same history is played. Whatever the engine asks is asked of both, and all there is to ask is
 * asked after each cycle: an answer of the second that is not that of the first is a fault. A dry run is played on a copy of the first
 * alone.
 */
function bothStates(first: PlayedState, second: PlayedState): PlayedState {
  const differences: Differences = { found: [] };
  const { store } = bothStores(first.store, second.store, differences);
  return {
    store,
    changes: first.changes,
    ask: first.ask,
    fault: async () => {
      await askEverything(store);
      const [difference = null] = differences.found;
      return (await first.fault()) ?? (await second.fault()) ?? difference;
    },
    wipe: async () => {
      differences.found.length = 0;
      await first.wipe();
      await second.wipe();
    },
    image: async () => `${await first.image()} ${await second.image()}`,
    copy: () => first.copy(),
    close: async () => {
      await first.close();
      await second.close();
    },
  };
}
