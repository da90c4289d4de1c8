import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type OutputBundle, type Plugin, rolldown } from "rolldown";

const root = dirname(import.meta.dirname);

/** Comes with binaries of its own, which no bundle holds. */
const external = ["better-sqlite3"];

const graphClient = "@microsoft/microsoft-graph-client";

/**
 * Makes one program of the sources and the libraries they use, a file for each part that is loaded by itself. To find and
 * read a thousand files takes longer than most runs.
 * @param folder where it goes; what is there already is removed
 */
export async function bundle(folder: string): Promise<void> {
  const build = await rolldown({
    // A thread starts from a file of its own.
    input: { cli: join(root, "src/cli.ts"), "reader-thread": join(root, "src/state/reader-thread.ts") },
    platform: "node",
    external,
    resolve: {
      // The form of modules, of which what is not used can be left out; Node itself would take the other one.
      alias: { [graphClient]: join(root, "node_modules", graphClient, "lib/es/src/index.js") },
    },
    plugins: [charts(), licences()],
    // Of libraries: a circular import, an eval. Our own sources are checked by the compiler.
    logLevel: "silent",
  });
  try {
    await build.write({ dir: folder, format: "esm", cleanDir: true, entryFileNames: "[name].js" });
  } finally {
    await build.close();
  }
}

const chartLibrary = join(root, "node_modules/uplot");

/** Adds the library for charts, which the browser runs as it comes. */
function charts(): Plugin {
  return {
    name: "charts",
    generateBundle() {
      for (const fileName of ["uPlot.iife.min.js", "uPlot.min.css"]) {
        this.emitFile({
          type: "asset",
          fileName,
          source: readFileSync(join(chartLibrary, "dist", fileName)),
        });
      }
    },
  };
}

/** Adds the licences of the libraries that went into the program, as they ask for. */
function licences(): Plugin {
  return {
    name: "licences",
    generateBundle(_options, output) {
      this.emitFile({ type: "asset", fileName: "THIRD-PARTY-LICENCES.txt", source: licencesOf(output) });
    },
  };
}

function licencesOf(output: OutputBundle): string {
  const folders = new Set<string>([chartLibrary]);
  for (const part of Object.values(output)) {
    if (part.type !== "chunk") continue;
    for (const id of part.moduleIds) {
      const folder = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0];
      if (folder !== undefined) folders.add(folder);
    }
  }
  return [...folders]
    .map(licenceOf)
    .sort()
    .join(`\n${"-".repeat(80)}\n\n`);
}

function licenceOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(entry));
  const text = file === undefined ? "" : `\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
  return `${name} ${version} (${license})\n${text}`;
}
