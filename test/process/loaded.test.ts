import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { configuration, makeWorkplace, program, type Workplace } from "./real-process.ts";

// A start takes as long as what it loads: each of these files is a tenth of a second or more that others need not wait for.

it("loads two of its own files besides the small entry for the help, and few for a sync: Lattice's HTTP client only if something is sent", async () => {
  await using opened = new AsyncDisposableStack();
  const sandbox = opened.adopt(await startSandbox({ file: ":memory:", people: 20 }), (one) => one.close());
  using place = makeWorkplace();
  const file = place.configure(configuration({ sandbox, statePath: place.statePath }));

  expect(await loaded(place, ["--help"])).toEqual(["base", "cli"]);
  expect(await loaded(place, ["sync", "--config", file])).toContain("axios");
  // The account that was reactivated is read again.
  await loaded(place, ["sync", "--config", file]);
  expect(await loaded(place, ["sync", "--config", file])).toEqual([
    "base",
    "cli",
    "configuration",
    "cycle",
    "database",
    "rolldown-runtime",
  ]);
});

/** The program's own files that a run loads, without what tells one version of a file from another. */
async function loaded(place: Workplace, args: readonly string[]): Promise<readonly string[]> {
  const list = join(place.folder, "loaded.json");
  const hook = `
    import { writeFileSync } from "node:fs";
    import { registerHooks } from "node:module";
    const urls = [];
    registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) });
    process.on("exit", () => writeFileSync(${JSON.stringify(list)}, JSON.stringify(urls)));`;
  const imported = `--import=data:text/javascript,${encodeURIComponent(hook)}`;
  expect(await place.start(args, { NODE_OPTIONS: imported }).ended).toMatchObject({ code: 0 });
  const urls: readonly string[] = JSON.parse(readFileSync(list, "utf8"));
  const own = `${pathToFileURL(dirname(program)).href}/`;
  return urls
    .filter((url) => url.startsWith(own) && url.endsWith(".js"))
    .map((url) => url.slice(own.length).replace(/(-[\w-]{8})?\.js$/, ""))
    .sort();
}
