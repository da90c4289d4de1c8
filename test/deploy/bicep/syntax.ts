import { createRequire } from "node:module";
import { Language, type Node, Parser } from "web-tree-sitter";

/** Parses Bicep by the grammar of tree-sitter. */
export async function openParser(): Promise<(text: string) => Node> {
  await Parser.init();
  const grammar = createRequire(import.meta.url).resolve("tree-sitter-bicep/tree-sitter-bicep.wasm");
  const parser = new Parser();
  parser.setLanguage(await Language.load(grammar));
  return (text) => {
    const tree = parser.parse(text);
    if (tree === null) throw new Error("nothing was parsed");
    return tree.rootNode;
  };
}

/** Named parts of a node, without comments. */
export function partsOf(node: Node): readonly Node[] {
  return node.namedChildren.filter((child): child is Node => child !== null && child.type !== "comment");
}

/** All nodes below a node, and itself. */
export function* nodesOf(node: Node): Generator<Node> {
  yield node;
  for (const child of node.children) if (child !== null) yield* nodesOf(child);
}

/** The place at which a node begins, as an editor counts. */
export function placeOf({ startPosition: { row, column } }: Node): string {
  return `${row + 1}:${column + 1}`;
}

/** The text of a string without interpolation; `null` for anything else. */
export function literalOf(node: Node | undefined): string | null {
  if (node === undefined || node.type !== "string") return null;
  const parts = partsOf(node);
  return parts.every(({ type }) => type === "string_content") ? parts.map(({ text }) => text).join("") : null;
}

/** The properties of an object whose keys are not computed. */
export function valuesIn(object: Node): ReadonlyMap<string, Node> {
  const values = new Map<string, Node>();
  for (const part of partsOf(object)) {
    if (part.type !== "object_property") continue;
    const [key, value] = partsOf(part);
    const name = key?.type === "identifier" ? key.text : literalOf(key);
    if (name !== null && value !== undefined) values.set(name, value);
  }
  return values;
}
