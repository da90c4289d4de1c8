import type { Action, Change } from "../domain/plan.ts";
import { shortPath } from "../mapping/rules/target-attributes.ts";
import { type Layout, padded, wrapped } from "./terminal.ts";
import { changeText, printable } from "./words.ts";

export const signs: {
  readonly [A in Action]: { readonly sign: string; readonly color: Parameters<Layout["paint"]>[0] };
} = {
  create: { sign: "+", color: "green" },
  link: { sign: "=", color: "cyan" },
  update: { sign: "~", color: "yellow" },
  reactivate: { sign: "↑", color: "green" },
  deactivate: { sign: "-", color: "red" },
};

const indent = 4;
const widestName = 24;

/** Each attribute with its old and new value, aligned in columns. */
export function changeLines(changes: readonly Change[], layout: Layout): readonly string[] {
  const { columnsOf, width } = layout;
  const named = changes.map((change) => ({
    name: printable(shortPath(change.attribute)),
    text: changeText(change),
  }));
  const column = Math.min(widestName, Math.max(0, ...named.map(({ name }) => columnsOf(name))));
  return named.flatMap(({ name, text }) => {
    const start = `${" ".repeat(indent)}${padded(name, column, layout)}  `;
    const taken = columnsOf(start);
    // If a name takes most of the line, the values go below it.
    const beside = width - taken >= Math.min(20, columnsOf(text));
    const left = beside ? taken : indent + 2;
    const [first = "", ...more] = wrapped(text, layout, width - left);
    const head = beside ? [start + first] : [start.trimEnd(), " ".repeat(left) + first];
    return [...head, ...more.map((line) => " ".repeat(left) + line)];
  });
}
