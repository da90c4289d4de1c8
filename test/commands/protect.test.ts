import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import { accounts } from "../../src/commands/accounts.ts";
import { protect, unprotect } from "../../src/commands/protect.ts";
import { status } from "../../src/commands/status.ts";
import { sync } from "../../src/commands/sync.ts";
import { user } from "../../src/commands/user.ts";
import { terminal } from "./terminal.ts";

it("protect and unprotect decide about one account, and status, accounts and user show it with who and why", async () => {
  const folder = mkdtempSync(join(tmpdir(), "als-protect-"));
  try {
    const place = terminal(folder);
    const options = { sandbox: "both", people: 30 } as const;
    const decision = { ...options, reason: "break-glass" };
    await expect(protect({ ...decision, account: "root@example.com" }, place.io)).rejects.toThrow(
      "no cycle has read the accounts yet",
    );
    const how = { format: "table", waitSeconds: 0, dryRun: false, full: false, quiet: true } as const;
    expect(await sync({ ...options, ...how, detailedExitcode: false }, place.io)).toBe(0);
    place.output();
    const db = new Database(join(folder, "state/azure-lattice-sync.sandbox-both.db"), { readonly: true });
    const [account] = db
      .prepare("SELECT user_name AS name, lattice_id AS id FROM target_user LIMIT 1")
      .all() as {
      name: string;
      id: string;
    }[];
    db.close();
    if (account === undefined) throw new Error("the cycle has made accounts");

    expect(await protect({ ...decision, account: account.name.toUpperCase() }, place.io)).toBe(0);
    expect(place.output()).toBe(
      `The Lattice account ${account.id} (${account.name}) is protected from now on: nothing is sent to it, and it is linked to no one else.\n`,
    );
    expect(await protect({ ...decision, account: account.id }, place.io)).toBe(0);
    expect(place.output()).toMatch(
      /is protected by cli:.* \(break-glass\) already\. Nothing was changed\.\n$/,
    );

    expect(await status({ ...options, format: "table" }, place.io)).toBe(0);
    expect(place.output()).toMatch(
      /Protected by people, and never written: 1 account\n {2}.*: protected by cli:/,
    );
    expect(await status({ ...options, format: "json" }, place.io)).toBe(0);
    expect(JSON.parse(place.output()).protected).toEqual([
      {
        latticeId: account.id,
        userName: account.name,
        by: expect.stringMatching(/^cli:/),
        reason: "break-glass",
        at: expect.any(String),
      },
    ]);
    expect(await accounts({ ...options, active: false, format: "json" }, place.io)).toBe(0);
    const { accounts: all } = JSON.parse(place.output()) as {
      accounts: { protected: boolean; protection: unknown }[];
    };
    expect(all.filter((one) => one.protected)).toMatchObject([
      {
        latticeId: account.id,
        protection: { reason: "break-glass" },
        reason: expect.stringMatching(/^protected by cli:/),
      },
    ]);
    expect(await user({ ...options, user: account.id, format: "table", live: false }, place.io)).toBe(0);
    expect(place.output()).toMatch(/protected +by cli:.* since .* UTC: break-glass\n/);

    expect(await unprotect({ ...decision, account: account.name }, place.io)).toBe(0);
    expect(place.output()).toMatch(/is no longer protected by a person: the next cycle plans it again\.\n$/);
    expect(await unprotect({ ...decision, account: account.name }, place.io)).toBe(0);
    expect(place.output()).toMatch(/is not protected\. Nothing was changed\.\n$/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
