import { clouds } from "../entra/clouds.ts";

/** The Microsoft clouds by the names that `entra.cloud` takes. `usGov` is L4 (GCC High), `usGovDoD` is L5. */
export const cloudsByName = {
  global: clouds.global,
  usGov: clouds.usgov,
  usGovDoD: clouds.dod,
  china: clouds.china,
} as const;

/** The values of `entra.cloud`. */
export const cloudNames = [
  "global",
  "usGov",
  "usGovDoD",
  "china",
] as const satisfies (keyof typeof cloudsByName)[];
