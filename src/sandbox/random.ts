/** Pseudo-random numbers that are the same on every machine for the same seed. */
export interface Random {
  /** From 0 up to, not including, `bound`. */
  int(bound: number): number;
  /** @throws RangeError on an empty list */
  pick<Item>(items: readonly Item[]): Item;
  /** True with this probability (0 to 1). */
  chance(probability: number): boolean;
}

/** A generator for one topic: each label gives an independent stream of the same seed. */
export function createRandom(seed: number, label: string): Random {
  let a = hash(label, seed);
  let b = hash(label, a);
  let c = hash(label, b);
  let counter = 1;
  // sfc32: a small chaotic generator with a counter, so that its period cannot be short.
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 12; round += 1) next();
  const fraction = () => next() / 0x1_0000_0000;
  return {
    int: (bound) => Math.floor(fraction() * bound),
    pick: (items) => {
      const item = items[Math.floor(fraction() * items.length)];
      if (item === undefined) throw new RangeError("There is nothing to pick from.");
      return item;
    },
    chance: (probability) => fraction() < probability,
  };
}

/** The version 4 UUID of the `number`th thing of a kind: the same for the same seed, never the same for two numbers. */
export function seededUUID(seed: number, kind: string, number: number): string {
  // `scramble` is a bijection, so the first word alone keeps different numbers apart.
  const word = (salt: number) => scramble((number ^ hash(kind, seed + salt)) >>> 0);
  const hex = [0, 1, 2, 3].map((salt) => word(salt).toString(16).padStart(8, "0")).join("");
  const variant = "89ab"[Number.parseInt(hex.charAt(16), 16) & 3] ?? "8";
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}

function hash(text: string, seed: number): number {
  let value = (0x811c9dc5 ^ seed) >>> 0;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return scramble(value);
}

function scramble(word: number): number {
  let value = word;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
