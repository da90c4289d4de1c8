import { printable } from "./words.ts";

/** HTML that is safe to send. Only `html` makes it from values; other code may give it text that this program wrote itself. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Markup | readonly Markup[];

/**
 * Template for HTML, in content and in quoted attributes. Every value is inserted as text, unless this template made it: a
 * person's name never becomes an element, and characters that could hide or reverse text are made visible.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(
    strings.reduce((text, string, index) => text + rendered(parts[index - 1] ?? "") + string),
  );
}

function rendered(part: Part): string {
  if (part instanceof Markup) return part.text;
  if (typeof part === "number") return String(part);
  if (typeof part === "string") return escaped(part);
  return part.map(({ text }) => text).join("");
}

const entities: { readonly [character: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return printable(text).replaceAll(/[&<>"']/g, (character) => entities[character] ?? "");
}
