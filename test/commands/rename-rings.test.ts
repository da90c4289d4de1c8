import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { readMapping } from "../../src/job/read-settings.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "als-rings-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function loaded(mapping: string) {
  const file = join(folder, "config.yaml");
  writeFileSync(file, `matching:\n  renameRings: temporaryName\n${mapping}`);
  return loadConfig({ file, env: {}, cwd: folder });
}

it("refuses temporary userNames if people are matched only by userName, and says what to do", async () => {
  const byNameAlone = `mapping:
  - { target: userName, source: userPrincipalName, matchingPrecedence: 1 }
  - { target: externalId, source: objectId, apply: onCreate }
`;
  await expect(readMapping(loaded(byNameAlone))).rejects.toThrow(
    /needs externalId among the matching attributes/,
  );
  expect((await readMapping(loaded(""))).matching).toContain("externalId");
});
