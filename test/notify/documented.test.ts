import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { eventKinds } from "../../src/domain/event.ts";
import { packageRoot } from "../../src/process/package-root.ts";

it("has each kind of notification in both tables of docs/notifications.md: when it comes, and what it holds", () => {
  const text = readFileSync(join(packageRoot, "docs/notifications.md"), "utf8");
  const rows = [...text.matchAll(/^\| (`\w+`(?:, `\w+`)*) \|/gm)].flatMap(([, kinds = ""]) =>
    kinds.replaceAll("`", "").split(", "),
  );
  const missing = eventKinds.filter((kind) => rows.filter((row) => row === kind).length !== 2);
  expect(missing).toEqual([]);
});
