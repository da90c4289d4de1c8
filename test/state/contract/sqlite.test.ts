import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { openStore } from "../../../src/state/sqlite/store.ts";
import { tallyFault } from "../tally.ts";
import { describeAnyStore } from "./any-store.ts";
import type { FreshState } from "./fresh-state.ts";

function sqliteState(): FreshState {
  const folder = mkdtempSync(join(tmpdir(), "als-contract-"));
  const path = join(folder, "state.db");
  return {
    open: async (logValues = "keep") => openStore(path, { logValues }),
    remove: () => {
      const db = new Database(path, { readonly: true });
      const fault = tallyFault(db);
      db.close();
      rmSync(folder, { recursive: true, force: true });
      if (fault !== null) throw new Error(fault);
    },
  };
}

describeAnyStore(sqliteState);
