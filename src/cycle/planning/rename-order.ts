import type { PlannedRename } from "../../domain/state/plan-log.ts";

/** The form in which userNames are compared: letter case does not matter (RFC 7643, section 4.1.1). */
export function nameKey(userName: string): string {
  return userName.toLowerCase();
}

/**
 * Orders renames so that a userName is free before it is given again: the operation that gives it comes one wave after the
 * one that takes it from another account. So a row of renames is done in one cycle: if a gets b's name and b gets c's, the
 * order is c, b, a. Leavers never wait. A ring has no first operation; it is cut at one member.
 * @returns the operations that must be sent later than planned, with their waves
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
