import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../../src/process/package-root.ts";

/** The allowed imports of each folder of src, as docs/architecture.md shows them, in its order. */
function documentedImports(): ReadonlyMap<string, readonly string[]> {
  const text = readFileSync(join(packageRoot, "docs/architecture.md"), "utf8");
  const folders = new Map<string, readonly string[]>();
  for (const [, folder = "", allowed = ""] of text.matchAll(/^\| `src\/(\w+)\/` \|.*\| ([^|]+) \|$/gm)) {
    const named = allowed.split(", ").filter((name) => name !== "nothing");
    folders.set(folder, allowed === "everything above" ? [...folders.keys()] : named);
  }
  return folders;
}

/** Arrows of the diagram of the folders. */
function drawnArrows(): ReadonlyMap<string, readonly string[]> {
  const text = readFileSync(join(packageRoot, "docs/architecture.md"), "utf8");
  const diagram = /^flowchart TD\n([^`]+)/m.exec(text)?.[1] ?? "";
  const arrows = new Map<string, readonly string[]>();
  for (const line of diagram.trim().split("\n")) {
    const groups = line.split("-->").map((group) => group.split("&").map((name) => name.trim()));
    for (const [place, group] of groups.entries()) {
      for (const from of group) arrows.set(from, [...(arrows.get(from) ?? []), ...(groups[place + 1] ?? [])]);
    }
  }
  return arrows;
}

/** Rooms of the engine, as docs/architecture.md shows them, in its order. */
function documentedRooms(): readonly string[] {
  const text = readFileSync(join(packageRoot, "docs/architecture.md"), "utf8");
  return [...text.matchAll(/^\| `(\w+)\/` \|/gm)].map(([, room = ""]) => room);
}

/** Patterns of imports that biome.json denies, by the path that they are denied to. */
function deniedPatterns(): ReadonlyMap<string, readonly (readonly string[])[]> {
  const { overrides } = JSON.parse(readFileSync(join(packageRoot, "biome.json"), "utf8")) as {
    overrides: {
      includes: readonly string[];
      linter?: {
        rules?: {
          style?: {
            noRestrictedImports?: { options: { patterns: readonly { group: readonly string[] }[] } };
          };
        };
      };
    }[];
  };
  return new Map(
    overrides.flatMap(({ includes, linter }) => {
      const patterns = linter?.rules?.style?.noRestrictedImports?.options.patterns;
      if (patterns === undefined) return [];
      return includes.map((path) => [path, patterns.map(({ group }) => group)] as const);
    }),
  );
}

/** Folders of src that a pattern names. */
function foldersIn(pattern = ""): readonly string[] {
  const names = /^\{\.\.\/,\.\.\/\.\.\/,\.\.\/\.\.\/\.\.\/\}\{?([\w,]+)\}?\/\*\*$/.exec(pattern)?.[1];
  return (names ?? "").split(",");
}

describe("the folders of src", () => {
  const documented = documentedImports();
  const folders = [...documented.keys()];

  it("are all in docs/architecture.md, each below what it may import", () => {
    const found = readdirSync(join(packageRoot, "src"), { withFileTypes: true });
    expect(folders.toSorted()).toEqual(
      found
        .filter(
          (entry) => entry.isDirectory() && readdirSync(join(packageRoot, "src", entry.name)).length > 0,
        )
        .map(({ name }) => name)
        .toSorted(),
    );
    for (const [folder, allowed] of documented) {
      const above = folders.slice(0, folders.indexOf(folder));
      expect({ folder, unknown: allowed.filter((name) => !above.includes(name)) }).toEqual({
        folder,
        unknown: [],
      });
    }
  });

  it("are drawn in docs/architecture.md with arrows to exactly the folders that they may import", () => {
    const arrows = drawnArrows();
    const reached = (folder: string): ReadonlySet<string> =>
      new Set((arrows.get(folder) ?? []).flatMap((below) => [below, ...reached(below)]));
    expect([...arrows.values()].flat().length).toBeGreaterThan(20);
    for (const [folder, allowed] of documented) {
      expect(allowed).toEqual(expect.arrayContaining([...(arrows.get(folder) ?? [])]));
      expect([...reached(folder)]).toEqual(expect.arrayContaining([...allowed]));
    }
  });

  it("are kept by the linter from importing other folders", () => {
    const denied = deniedPatterns();
    for (const [folder, allowed] of documented) {
      const others = folders.filter((name) => name !== folder && !allowed.includes(name));
      const [first] = denied.get(`src/${folder}/**`) ?? [];
      expect({ folder, denied: foldersIn(first?.[0]) }).toEqual({ folder, denied: others });
    }
  });
});

describe("the rooms of the engine", () => {
  it("are kept by the linter from importing rooms below them in docs/architecture.md, and the files next to them", () => {
    const rooms = documentedRooms();
    const denied = deniedPatterns();
    const engine = denied.get("src/cycle/**")?.[0];
    expect(rooms.length).toBeGreaterThan(7);
    for (const [place, room] of rooms.entries()) {
      const below = rooms.slice(place + 1);
      const names = below.length > 1 ? `{${below.join(",")}}` : below.join("");
      const own = names === "" ? ["../*.ts"] : [`../${names}/**`, "../*.ts"];
      expect({ room, denied: denied.get(`src/cycle/${room}/**`) }).toEqual({ room, denied: [engine, own] });
    }
  });
});
