import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
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

it("loads nothing of PostgreSQL, nor of its queue of jobs, for a daemon whose state is in a file", async () => {
  await using opened = new AsyncDisposableStack();
  const sandbox = opened.adopt(await startSandbox({ file: ":memory:", people: 5 }), (one) => one.close());
  using place = makeWorkplace();
  const file = place.configure(
    configuration(
      { sandbox, statePath: place.statePath },
      { http: { listen: "127.0.0.1:0", local: "open" }, log: { level: "info", format: "json" } },
    ),
  );
  const list = join(place.folder, "loaded.json");
  const daemon = place.start(["daemon", "--config", file], { LOG_LEVEL: "", NODE_OPTIONS: hookInto(list) });
  await daemon.said(/cycle finished/);
  daemon.child.kill("SIGTERM");
  expect(await daemon.ended).toMatchObject({ code: 0 });
  const urls: readonly string[] = JSON.parse(readFileSync(list, "utf8"));
  const own = urls.filter((url) => url.startsWith(pathToFileURL(dirname(program)).href));
  expect(own.length).toBeGreaterThan(3);
  const withQueue = (name: string): boolean =>
    readFileSync(join(dirname(program), name), "utf8").includes("pgboss");
  // The program has the queue, in files of its own.
  expect(
    readdirSync(dirname(program))
      .filter((name) => name.endsWith(".js"))
      .some(withQueue),
  ).toBe(true);
  expect(own.filter((url) => withQueue(basename(fileURLToPath(url))))).toEqual([]);
  expect(own.filter((url) => /\/(connect|fleet)-/.test(url))).toEqual([]);
});

/** The program's own files that a run loads, without what tells one version of a file from another. */
async function loaded(place: Workplace, args: readonly string[]): Promise<readonly string[]> {
  const list = join(place.folder, "loaded.json");
  const imported = hookInto(list);
  expect(await place.start(args, { NODE_OPTIONS: imported }).ended).toMatchObject({ code: 0 });
  const urls: readonly string[] = JSON.parse(readFileSync(list, "utf8"));
  const own = `${pathToFileURL(dirname(program)).href}/`;
  return urls
    .filter((url) => url.startsWith(own) && url.endsWith(".js"))
    .map((url) => url.slice(own.length).replace(/(-[\w-]{8})?\.js$/, ""))
    .sort();
}

/** Has a process write what it loads into a file as it ends. @returns its NODE_OPTIONS */
function hookInto(list: string): string {
  const hook = `
    import { writeFileSync } from "node:fs";
    import { registerHooks } from "node:module";
    const urls = [];
    registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) });
    process.on("exit", () => writeFileSync(${JSON.stringify(list)}, JSON.stringify(urls)));`;
  return `--import=data:text/javascript,${encodeURIComponent(hook)}`;
}
