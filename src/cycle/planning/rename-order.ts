import type { PlannedRename } from "../../domain/state/plan-log.ts";

/** How userNames are told apart: whatever their letter case (RFC 7643, section 4.1.1). */
export function nameKey(userName: string): string {
  return userName.toLowerCase();
}

/**
 * Orders renames by who frees what: an operation that gives a userName comes after the one that takes it from another
 * account in the same plan, so that a row of people of whom each gets the next one's name is done in one cycle. Leavers
 * wait for nobody; within a ring nothing can be first, and the order stays as it is where it is cut.
 * @returns the operations that must come later than they are, with their waves
 */
export function renameWaves(renames: readonly PlannedRename[]): ReadonlyMap<number, number> {
  const freeing = new Map(renames.map((rename) => [nameKey(rename.from), rename]));
  const settled = new Map<PlannedRename, number>();
  const wavesOf = (start: PlannedRename): void => {
    const row: PlannedRename[] = [];
    const inRow = new Set<PlannedRename>();
    let at: PlannedRename | undefined = start;
    while (at !== undefined && !settled.has(at) && !inRow.has(at)) {
      row.push(at);
      inRow.add(at);
      at = at.action === "deactivate" ? undefined : freeing.get(nameKey(at.to));
      if (at === row.at(-1)) at = undefined;
    }
    let before = at === undefined ? -1 : (settled.get(at) ?? -1);
    for (const rename of row.toReversed()) {
      const wave = Math.max(rename.wave, before + 1);
      settled.set(rename, wave);
      before = wave;
    }
  };
  for (const rename of renames) wavesOf(rename);
  return new Map(
    [...settled].flatMap(([rename, wave]) => (wave === rename.wave ? [] : [[rename.operationId, wave]])),
  );
}
