import type { StateStore } from "../../../src/domain/state/store.ts";

/** A deliberate fault in the engine. The simulation must notice each. */
export interface Defect {
  readonly name: string;
  /** The seed under which it shows early; the engine as it is breaks nothing under it. */
  readonly seed: number;
  /** The first history that shows it, counted from 0. If that one no longer does, a later one is found. */
  readonly history: number;
  /** The histories that show it; default: those of every day. */
  readonly family?: string;
  /** Functions that the product is given another version of. */
  readonly swaps: readonly Swap[];
}

/** Another version of a function that a module has at its top level. */
export interface Swap {
  /** Under `src/`. */
  readonly module: string;
  readonly name: string;
  /** Makes the version with the defect of the one that the product has. */
  readonly version: (original: never) => unknown;
}

/** The modules of which exported functions are swapped, so that the compiler checks each version. */
interface Modules {
  "cycle/leavers/leaver-lane.ts": typeof import("../../../src/cycle/leavers/leaver-lane.ts");
  "cycle/leavers/scope-leavers.ts": typeof import("../../../src/cycle/leavers/scope-leavers.ts");
  "cycle/course/record-cycle.ts": typeof import("../../../src/cycle/course/record-cycle.ts");
  "cycle/guard/weigh.ts": typeof import("../../../src/cycle/guard/weigh.ts");
  "cycle/health/lane-rest.ts": typeof import("../../../src/cycle/health/lane-rest.ts");
  "cycle/guard/counts.ts": typeof import("../../../src/cycle/guard/counts.ts");
  "cycle/guard/canary/begin.ts": typeof import("../../../src/cycle/guard/canary/begin.ts");
  "cycle/guard/canary/wait-for-names.ts": typeof import("../../../src/cycle/guard/canary/wait-for-names.ts");
  "cycle/guard/canary/standing.ts": typeof import("../../../src/cycle/guard/canary/standing.ts");
  "cycle/operations/canary.ts": typeof import("../../../src/cycle/operations/canary.ts");
  "cycle/operations/fingerprint.ts": typeof import("../../../src/cycle/operations/fingerprint.ts");
  "cycle/operations/protected-account.ts": typeof import("../../../src/cycle/operations/protected-account.ts");
  "cycle/operations/weights.ts": typeof import("../../../src/cycle/operations/weights.ts");
  "cycle/health/refused-kinds.ts": typeof import("../../../src/cycle/health/refused-kinds.ts");
  "cycle/health/sending-pause.ts": typeof import("../../../src/cycle/health/sending-pause.ts");
  "cycle/health/clock-doubt.ts": typeof import("../../../src/cycle/health/clock-doubt.ts");
  "cycle/pictures/accounts.ts": typeof import("../../../src/cycle/pictures/accounts.ts");
  "cycle/pictures/drift.ts": typeof import("../../../src/cycle/pictures/drift.ts");
  "cycle/pictures/fold-held.ts": typeof import("../../../src/cycle/pictures/fold-held.ts");
  "cycle/pictures/fold-people.ts": typeof import("../../../src/cycle/pictures/fold-people.ts");
  "cycle/pictures/fold-reverted.ts": typeof import("../../../src/cycle/pictures/fold-reverted.ts");
  "cycle/pictures/fold-source.ts": typeof import("../../../src/cycle/pictures/fold-source.ts");
  "cycle/pictures/outcomes.ts": typeof import("../../../src/cycle/pictures/outcomes.ts");
  "cycle/pictures/marks.ts": typeof import("../../../src/cycle/pictures/marks.ts");
  "cycle/planning/carried-ids.ts": typeof import("../../../src/cycle/planning/carried-ids.ts");
  "cycle/planning/fate.ts": typeof import("../../../src/cycle/planning/fate.ts");
  "cycle/planning/faults.ts": typeof import("../../../src/cycle/planning/faults.ts");
  "cycle/planning/leavers.ts": typeof import("../../../src/cycle/planning/leavers.ts");
  "cycle/planning/leaving.ts": typeof import("../../../src/cycle/planning/leaving.ts");
  "cycle/planning/link-decision.ts": typeof import("../../../src/cycle/planning/link-decision.ts");
  "cycle/planning/lookups.ts": typeof import("../../../src/cycle/planning/lookups.ts");
  "cycle/planning/match.ts": typeof import("../../../src/cycle/planning/match.ts");
  "cycle/planning/passed-need.ts": typeof import("../../../src/cycle/planning/passed-need.ts");
  "cycle/planning/presumptions.ts": typeof import("../../../src/cycle/planning/presumptions.ts");
  "cycle/planning/rename-order.ts": typeof import("../../../src/cycle/planning/rename-order.ts");
  "cycle/planning/rename-rings.ts": typeof import("../../../src/cycle/planning/rename-rings.ts");
  "cycle/planning/revert-of.ts": typeof import("../../../src/cycle/planning/revert-of.ts");
  "cycle/guard/ask-by-id.ts": typeof import("../../../src/cycle/guard/ask-by-id.ts");
  "cycle/guard/confirm-leavers.ts": typeof import("../../../src/cycle/guard/confirm-leavers.ts");
  "cycle/reading/due.ts": typeof import("../../../src/cycle/reading/due.ts");
  "cycle/reading/ingest.ts": typeof import("../../../src/cycle/reading/ingest.ts");
  "cycle/reading/keep-accounts.ts": typeof import("../../../src/cycle/reading/keep-accounts.ts");
  "cycle/reading/missing-accounts.ts": typeof import("../../../src/cycle/reading/missing-accounts.ts");
  "cycle/reading/missing.ts": typeof import("../../../src/cycle/reading/missing.ts");
  "cycle/reading/protections.ts": typeof import("../../../src/cycle/reading/protections.ts");
  "cycle/reading/scope.ts": typeof import("../../../src/cycle/reading/scope.ts");
  "cycle/context/all-ended.ts": typeof import("../../../src/cycle/context/all-ended.ts");
  "cycle/cycle.ts": typeof import("../../../src/cycle/cycle.ts");
  "cycle/sending/confirm.ts": typeof import("../../../src/cycle/sending/confirm.ts");
  "cycle/sending/existing-account.ts": typeof import("../../../src/cycle/sending/existing-account.ts");
  "cycle/sending/keep-outcomes.ts": typeof import("../../../src/cycle/sending/keep-outcomes.ts");
  "cycle/sending/recover.ts": typeof import("../../../src/cycle/sending/recover.ts");
  "cycle/sending/references.ts": typeof import("../../../src/cycle/sending/references.ts");
  "cycle/sending/whose-account.ts": typeof import("../../../src/cycle/sending/whose-account.ts");
  "cycle/sending/send.ts": typeof import("../../../src/cycle/sending/send.ts");
  "entra/users.ts": typeof import("../../../src/entra/users.ts");
  "state/sqlite/store.ts": typeof import("../../../src/state/sqlite/store.ts");
}

/** Swaps an exported function. */
export function swap<Module extends keyof Modules, Name extends keyof Modules[Module] & string>(
  module: Module,
  name: Name,
  version: (original: Modules[Module][Name]) => Modules[Module][Name],
): Swap {
  return { module, name, version };
}

/** Swaps a function that its module keeps to itself; its type is that which the version names. */
export function swapInner<Inner>(module: string, name: string, version: (original: Inner) => Inner): Swap {
  return { module, name, version };
}

/** Swaps methods of the store. */
export function swapStore(version: (store: StateStore) => Partial<StateStore>): Swap {
  return swap("state/sqlite/store.ts", "storeOn", (original) => (...terms) => {
    const store = original(...terms);
    return { ...store, ...version(store) };
  });
}

/** The statement that the loader appends to a module for each of its swaps. */
export function swapStatement({ module, name }: Swap): string {
  return `\n${name} = globalThis.defective(${JSON.stringify(module)}, ${JSON.stringify(name)}, ${name});`;
}

/** Whether a module has the function, exactly once, at its top level. */
export function hasFunction(source: string, name: string): boolean {
  const declarations = source.match(new RegExp(`^(export )?(async )?function\\*? ${name}\\b`, "gm"));
  return declarations?.length === 1;
}
