import { distance } from "fastest-levenshtein";
import { type Defect, hasFunction, swapStatement } from "./defect.ts";

/** The sources of the product with what lets a defect be put in place, and the defects for which that is not possible. */
export interface Prepared {
  /** Sources with a statement for each function that a defect swaps, by module. */
  readonly sources: ReadonlyMap<string, string>;
  /** Why a defect cannot be put in place, by its name. */
  readonly faults: ReadonlyMap<string, string>;
}

/**
 * Prepares each module that a defect swaps a function of. A defect whose module or function is gone is left out, so that the
 * others can be played.
 * @param read the source of a module; `null` if there is no such module
 */
export function prepare(defects: readonly Defect[], read: (module: string) => string | null): Prepared {
  const originals = new Map<string, string | null>();
  const sourceOf = (module: string): string | null => {
    if (!originals.has(module)) originals.set(module, read(module));
    return originals.get(module) ?? null;
  };
  const faults = new Map<string, string>();
  const statements = new Map<string, Set<string>>();
  for (const { name, swaps } of defects) {
    for (const swap of swaps) {
      const source = sourceOf(swap.module);
      if (source === null) {
        faults.set(name, `the defect "${name}" swaps a function of src/${swap.module}, which does not exist`);
      } else if (!hasFunction(source, swap.name)) {
        faults.set(
          name,
          `the defect "${name}" swaps the function ${swap.name}, which src/${swap.module} does not have exactly once`,
        );
      } else {
        statements.set(swap.module, (statements.get(swap.module) ?? new Set()).add(swapStatement(swap)));
      }
    }
  }
  const sources = new Map(
    [...statements].map(([module, added]) => [module, (sourceOf(module) ?? "") + [...added].join("")]),
  );
  return { sources, faults };
}

/**
 * The defect with this name.
 * @throws Error that names the nearest defect if there is none, or says why it cannot be put in place
 */
export function defectNamed(
  defects: readonly Defect[],
  name: string,
  { faults }: Pick<Prepared, "faults">,
): Defect {
  const found = defects.find((one) => one.name === name);
  const fault = faults.get(name);
  if (fault !== undefined) throw new Error(fault);
  if (found !== undefined) return found;
  const [nearest] = defects.toSorted((one, other) => distance(one.name, name) - distance(other.name, name));
  throw new Error(`there is no defect "${name}"; the nearest is "${nearest?.name ?? ""}"`);
}
