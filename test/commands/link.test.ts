import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { accounts } from "../../src/commands/accounts.ts";
import { decide } from "../../src/commands/link.ts";
import { sync } from "../../src/commands/sync.ts";
import { user } from "../../src/commands/user.ts";
import { terminal } from "./terminal.ts";

it("unlink and link decide which account is a user's, show what the next cycle does, and decide nothing in a dry run", async () => {
  const folder = mkdtempSync(join(tmpdir(), "als-link-"));
  try {
    const place = terminal(folder);
    const options = { sandbox: "both", people: 30 } as const;
    const how = { format: "table", waitSeconds: 0, dryRun: false, full: false, quiet: true } as const;
    const decision = { ...options, reason: "ticket-4711", format: "table", waitSeconds: 0 } as const;
    const synced = () => sync({ ...options, ...how, detailedExitcode: false }, place.io);
    const linked = async () => {
      await accounts({ ...options, active: true, kind: ["linked"], format: "json" }, place.io);
      const shown = JSON.parse(place.output()) as {
        accounts: { latticeId: string; userPrincipalName: string }[];
      };
      return shown.accounts;
    };
    expect(await synced()).toBe(0);
    place.output();
    const before = await linked();
    const { latticeId: account = "", userPrincipalName: person = "" } = before[0] ?? {};

    expect(await decide({ ...decision, user: person, dryRun: true }, place.io)).toBe(0);
    expect(place.output()).toMatch(
      /\nThe next cycle: skipped: .* was unlinked by cli:.*\nThis is a dry run: nothing was decided\.\n$/,
    );
    expect(await linked()).toEqual(before);

    expect(await decide({ ...decision, user: person, dryRun: false }, place.io)).toBe(0);
    expect(place.output()).toMatch(
      /^The Lattice account .* is no longer .*'s: it stays as it is in Lattice, and matching does not link them again\.\n/,
    );
    expect(await synced()).toBe(0);
    place.output();
    expect((await linked()).map(({ latticeId }) => latticeId)).toEqual(
      before.map(({ latticeId }) => latticeId).filter((id) => id !== account),
    );
    await user({ ...options, user: person, format: "table", live: false }, place.io);
    expect(place.output()).toMatch(/Decisions about the account\n {2}.*: unlinked by cli:.*: ticket-4711\n/);

    await accounts({ ...options, active: true, kind: ["nobodys"], format: "json" }, place.io);
    const [free] = JSON.parse(place.output()).accounts as { latticeId: string }[];
    await decide({ ...decision, user: person, account: free?.latticeId, dryRun: true }, place.io);
    expect(place.output()).toContain(
      `Lattice will refuse the userName as long as the account ${account} has it: rename that account in Lattice first.`,
    );

    await decide({ ...decision, user: person, account: free?.latticeId, dryRun: false }, place.io);
    place.output();
    await accounts({ ...options, active: true, kind: ["unlinked"], format: "json" }, place.io);
    expect(JSON.parse(place.output()).accounts).toContainEqual(
      expect.objectContaining({
        latticeId: free?.latticeId,
        userPrincipalName: person,
        reason: expect.stringMatching(
          /^linked by cli:.* \(ticket-4711\) to [^;]*; in the plan of the next cycle$/,
        ),
      }),
    );

    const json = { ...decision, format: "json", user: person, account } as const;
    expect(await decide({ ...json, dryRun: false }, place.io)).toBe(0);
    expect(JSON.parse(place.output())).toMatchObject({
      latticeId: account,
      changed: true,
      dryRun: false,
      next: {
        kind: "operation",
        action: "link",
        reason: expect.stringMatching(/^linked by cli:.* \(ticket-4711\)$/),
      },
    });
    expect(await decide({ ...json, dryRun: false }, place.io)).toBe(0);
    expect(JSON.parse(place.output())).toMatchObject({ changed: false });
    expect(await synced()).toBe(0);
    place.output();
    expect((await linked()).map(({ latticeId }) => latticeId)).toContain(account);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
