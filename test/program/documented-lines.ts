import type { Document } from "./markdown.ts";

/** A command line of this program that a document shows. */
export interface DocumentedLine {
  /** The words after the program's name, split like in a shell. */
  readonly words: readonly string[];
  /** The line as written there. */
  readonly line: string;
  readonly place: string;
}

/** The forms in which the program is typed: by its name, from a checkout, by the command for the systemd units. */
const names = new Set(["azure-lattice-sync", "src/cli.ts", "als"]);
/** Words that may come before the name. After any other word it is the name of something else: a container, an application. */
const starters = /^(azure-lattice-sync|als|npx|docker|kubectl|\$env:|sudo|source)/;

/** Every command line of this program in the code blocks of a document, without comments and text next to it. */
export function documentedLines({ blocks, name }: Pick<Document, "blocks" | "name">): DocumentedLine[] {
  return blocks
    .filter(({ language }) => language !== "yaml" && language !== "json")
    .flatMap(({ text, place }) => wholeLines(text, Number(place.split(":")[1])))
    .flatMap(({ line, number }) =>
      commandsIn(line).map((words) => ({ words, line: line.trim(), place: `${name}:${number}` })),
    );
}

/** Lines that a backslash breaks, or a backtick as in PowerShell, are one. */
function wholeLines(text: string, first: number): { line: string; number: number }[] {
  const whole: { line: string; number: number }[] = [];
  let broken = false;
  for (const [index, part] of text.split("\n").entries()) {
    const line = part.replace(/ [\\`]$/, "");
    const last = whole.at(-1);
    if (broken && last !== undefined) last.line += ` ${line.trim()}`;
    else whole.push({ line, number: first + index });
    broken = line !== part;
  }
  return whole;
}

/** The words behind the program's name, for each time that a line calls it. */
export function commandsIn(line: string): string[][] {
  const typed = line
    .replace(/^\$ /, "")
    .replace(/\s+#.*$/, "")
    .replace(/ {2,}.*$/, "");
  return typed.split(/\s*(?:&&|;|\||<\(|\$\()\s*/).flatMap((part) => {
    const words = part
      .replace(/\)+$/, "")
      .replaceAll(/\s+\d?>{1,2}\s*\S+/g, "")
      .split(/\s+/)
      .filter((word) => word !== "");
    if (!starters.test(words[0] ?? "")) return [];
    // A namespace of Kubernetes and a deployment have the name too.
    const own = words[0] === "kubectl" ? words.slice(words.indexOf("--") + 1 || words.length) : words;
    const index = own.findLastIndex((word) => names.has(word));
    if (index === -1 || index === own.length - 1) return [];
    return words[0] === "docker" && !/ (exec|run) /.test(part) ? [] : [own.slice(index + 1)];
  });
}
