import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { check } from "../../src/commands/check.ts";
import { status } from "../../src/commands/status.ts";
import { sync } from "../../src/commands/sync.ts";
import { terminal } from "./terminal.ts";

it("names the commands to call next with the configuration and the sandbox that this one was given", async () => {
  const folder = mkdtempSync(join(tmpdir(), "als-next-"));
  try {
    writeFileSync(join(folder, "held.yaml"), "guard: { maxReactivations: 0, maxDoubtfulLinks: 0 }\n");
    const options = { sandbox: "both", config: "held.yaml", people: 30 } as const;
    const place = terminal(folder);
    const code = await sync(
      {
        ...options,
        dryRun: false,
        full: false,
        format: "table",
        detailedExitcode: false,
        waitSeconds: 0,
        quiet: true,
      },
      place.io,
    );
    expect(code).toBe(3);
    expect(place.output()).toMatch(/To release it: .* release \S+ --sandbox --config held\.yaml\n/);
    expect(await status({ ...options, format: "table" }, place.io)).toBe(0);
    expect(place.output()).toMatch(/To release it: .* release \S+ --sandbox --config held\.yaml\n/);
    await check(options, place.io);
    expect(place.output()).toMatch(/Next: .* sync --dry-run --sandbox --config held\.yaml\n/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
