/** The cost of a .NET pattern, estimated from its text. */
export interface RegexSize {
  /** Steps of the compiled pattern, in which `a{3}` is written out as `aaa`. */
  readonly steps: number;
  /** The work of compiling it, in the same unit. A Unicode class is heavy: a table of hundreds of ranges. */
  readonly weight: number;
  /** Whether a search may read far beyond its match, and therefore read the same text again for each match. */
  readonly farSighted: boolean;
}

const escapeWeights: { readonly [letter: string]: number } = { w: 100, p: 100, d: 10, s: 10 };

/** One character or class with a repetition: a search for it reads only one character beyond its match. */
const oneAtom = /^(?:\[(?:[^\]\\]|\\.)+\]|\\[wds]|[^\\[(){}*+?|^$])[*+]$/i;

/** Reads the pattern once, without checking it: a fault is found when it is compiled. */
export function regexSize(source: string): RegexSize {
  const outer: number[] = [];
  let steps = 0;
  let last = 0;
  let weight = 0;
  let unbounded = false;
  const add = (size: number): void => {
    last = size;
    steps += size;
  };
  for (const [part] of source.matchAll(
    /\\[\s\S]?|\[\^?\]?(?:[^\]\\]|\\[\s\S])*\]?|\{\d+(?:,\d*)?\}|[\s\S]/g,
  )) {
    const repetition = /^\{(\d+)(,?)(\d*)\}$/.exec(part);
    if (repetition !== null) {
      const [, least, comma, most] = repetition;
      if (comma !== "" && most === "") unbounded = true;
      const count = Math.max(1, Number(most === "" ? least : most));
      steps += last * (count - 1);
      last *= count;
    } else if (part === "(") {
      outer.push(steps);
      steps = 0;
      last = 0;
    } else if (part === ")") {
      last = steps + 2;
      steps = (outer.pop() ?? 0) + last;
    } else if (part === "*" || part === "+") {
      unbounded = true;
    } else {
      add(1);
      weight += weightOf(part);
    }
  }
  const folds = /\(\?[a-z]*i/i.test(source) ? 2 : 1;
  return { steps, weight: folds * weight + steps, farSighted: unbounded && !oneAtom.test(source) };
}

function weightOf(part: string): number {
  const escapes = [...part.matchAll(/\\([\s\S])/g)];
  const inEscapes = escapes.reduce(
    (sum, [, letter = ""]) => sum + (escapeWeights[letter.toLowerCase()] ?? 1),
    0,
  );
  return inEscapes + (part.startsWith("[") ? 4 + part.length : 1);
}
