import { chmodSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import { type OutputBundle, type Plugin, rolldown } from "rolldown";
import { billOfMaterials, type Library } from "./bill-of-materials.ts";

const root = dirname(import.meta.dirname);

/** A part that is not bundled is a dependency of the package: it has binaries of its own, which a bundle cannot contain. */
const external = Object.keys(manifestOf(root).dependencies ?? {});

const graphClient = "@microsoft/microsoft-graph-client";

/**
 * Modules that a run loads together are one file: to find, read and link a small file takes longer than to compile it. The
 * first group that has a module takes it, with all that it needs and no group before has taken. Paths are of src, files
 * or folders.
 */
const parts: readonly {
  readonly name: string;
  readonly paths: readonly string[];
  readonly library?: RegExp;
}[] = [
  {
    // Loaded by every command, the help included.
    name: "base",
    paths: [
      "program",
      "domain",
      "process/closed-pipe.ts",
      "process/package-root.ts",
      "process/io.ts",
      "process/hangup.ts",
      "process/tell-error.ts",
    ],
    library: /\/node_modules\/commander\//,
  },
  { name: "configuration", paths: ["config/load.ts", "config/plain-http.ts", "config/require.ts"] },
  { name: "database", paths: ["state/sqlite/store.ts"] },
  {
    // Loaded by every sync, also by one that finds nothing to do.
    name: "cycle",
    paths: [
      "commands/sync.ts",
      "job/run-cycle.ts",
      "job/log.ts",
      "job/deadline.ts",
      "cycle",
      "mapping/rules/mapping.ts",
      "mapping/rules/scoping-filter.ts",
      "entra/source.ts",
      "lattice/target.ts",
      "report/table.ts",
      "notify/silence.ts",
      "notify/outbox.ts",
      "notify/digest.ts",
      "notify/expiry.ts",
    ],
  },
];

/** @throws Error naming a path that is not there any more: it would silently be loaded in small files */
function groupsOf(): { name: string; test: RegExp; priority: number }[] {
  const missing = parts.flatMap(({ paths }) => paths).filter((path) => !existsSync(join(root, "src", path)));
  if (missing.length > 0)
    throw new Error(`scripts/bundle.ts names files that are gone: ${missing.join(", ")}`);
  return parts.map(({ name, paths, library }, index) => {
    const own = `/src/(?:${paths.map((path) => (path.endsWith(".ts") ? path : `${path}/`).replaceAll(".", "\\.")).join("|")})`;
    return {
      name,
      test: new RegExp(library === undefined ? own : `${own}|${library.source}`),
      priority: parts.length - index,
    };
  });
}

/**
 * Makes one program of the sources and the libraries they use, a file for each part that is loaded by itself. To find and
 * read a thousand files takes longer than most runs.
 * @param folder where it goes; what is there already is removed
 */
export async function bundle(folder: string): Promise<void> {
  const build = await rolldown({
    // A thread starts from a file of its own.
    input: {
      cli: join(root, "src/cli.ts"),
      "reader-thread": join(root, "src/state/sqlite/reader-thread.ts"),
    },
    platform: "node",
    external,
    resolve: {
      // The module form, from which unused parts are left out; Node itself would take the other form.
      alias: { [graphClient]: join(root, "node_modules", graphClient, "lib/es/src/index.js") },
    },
    plugins: [declared(), withoutDetours(), charts(), entry(), libraries()],
    // For libraries: a circular import, an eval. The compiler checks our own sources.
    logLevel: "silent",
  });
  try {
    await build.write({
      dir: folder,
      format: "esm",
      cleanDir: true,
      entryFileNames: "[name].js",
      codeSplitting: { groups: groupsOf() },
      // Detours are known by the names that they hand on.
      minifyInternalExports: false,
    });
    chmodSync(join(folder, "start.cjs"), 0o755);
  } finally {
    await build.close();
  }
}

/** Loads a part where it is, instead of through a file that does nothing but hand on what another one has. */
function withoutDetours(): Plugin {
  return {
    name: "without detours",
    generateBundle(_options, output) {
      const chunks = Object.values(output).filter((part) => part.type === "chunk");
      const ends = new Map<string, string>();
      for (const { fileName, code, isEntry } of chunks) {
        const end = /^export \{[\w$, ]+\} from "(\.\/[^"]+)";\s*$/.exec(code)?.[1];
        if (end === undefined || isEntry || / as /.test(code)) continue;
        ends.set(`./${fileName}`, end);
        delete output[fileName];
      }
      for (const chunk of chunks) {
        chunk.code = chunk.code.replaceAll(/\bimport\("(\.\/[^"]+)"\)/g, (whole, file: string) =>
          ends.has(file) ? `import("${ends.get(file)}")` : whole,
        );
      }
    },
  };
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

/** Adds what is started first, as it is. */
function entry(): Plugin {
  return {
    name: "entry",
    generateBundle() {
      for (const fileName of ["start.cjs", "start-program.cjs"]) {
        this.emitFile({ type: "asset", fileName, source: readFileSync(join(root, "src", fileName)) });
      }
    },
  };
}

/** Refuses a program that loads a package which an installation would not have. */
function declared(): Plugin {
  return {
    name: "declared",
    generateBundle(_options, output) {
      for (const part of Object.values(output)) {
        if (part.type !== "chunk") continue;
        for (const name of [...part.imports, ...part.dynamicImports]) {
          if (name in output || isBuiltin(name) || external.includes(name)) continue;
          throw new Error(`${part.fileName} loads ${name}, which is neither bundled nor a dependency`);
        }
      }
    },
  };
}

/** Adds the licences of the libraries that went into the program, as they ask for, and a list of them for scanners. */
function libraries(): Plugin {
  return {
    name: "libraries",
    generateBundle(_options, output) {
      const folders = foldersOf(output);
      const texts = folders.map(licenceOf).sort();
      this.emitFile({
        type: "asset",
        fileName: "THIRD-PARTY-LICENCES.txt",
        source: texts.join(`\n${"-".repeat(80)}\n\n`),
      });
      this.emitFile({
        type: "asset",
        fileName: "azure-lattice-sync.cdx.json",
        source: billOfMaterials(manifestOf(root), folders.map(manifestOf)),
      });
    },
  };
}

function foldersOf(output: OutputBundle): readonly string[] {
  const folders = new Set<string>([chartLibrary]);
  for (const part of Object.values(output)) {
    if (part.type !== "chunk") continue;
    for (const id of part.moduleIds) {
      const folder = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0];
      if (folder !== undefined) folders.add(folder);
    }
  }
  return [...folders];
}

function manifestOf(folder: string): Library & { readonly dependencies?: Readonly<Record<string, string>> } {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}

function licenceOf(folder: string): string {
  const { name, version, license } = manifestOf(folder);
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(entry));
  const text = file === undefined ? "" : `\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
  return `${name} ${version} (${license})\n${text}`;
}
