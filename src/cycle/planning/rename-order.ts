import type { Change } from "../../domain/plan.ts";
import type { PlannedCreate, PlannedRename } from "../../domain/state/sending-order.ts";

/** The form in which userNames are compared: letter case does not matter (RFC 7643, section 4.1.1). */
export function nameKey(userName: string): string {
  return userName.toLowerCase();
}

/** The keys of the userNames that an operation with these changes gives an account and takes from it. */
export function namesIn(changes: readonly Change[]): { readonly given?: string; readonly freed?: string } {
  const change = changes.find(({ attribute }) => attribute === "userName");
  if (typeof change?.after !== "string") return {};
  const given = nameKey(change.after);
  return typeof change.before === "string" ? { given, freed: nameKey(change.before) } : { given };
}

/** An operation of the plan, and its wave. */
interface PlacedOperation {
  readonly operationId: number;
  readonly wave: number;
}

/** An operation that gives an account a userName, and the one that takes this name from another account. */
export interface NameNeed {
  readonly giving: PlacedOperation;
  readonly freeing: PlacedOperation;
}

/**
 * Which operations need a userName that another operation of the plan frees. So a row of renames is done in one cycle: if a
 * gets b's name and b gets c's, the order is c, b, a.
 */
export function nameNeeds(
  renames: readonly PlannedRename[],
  creates: readonly PlannedCreate[],
): readonly NameNeed[] {
  const freeing = new Map(renames.map((rename) => [nameKey(rename.from), rename]));
  const given = [
    ...renames.map((rename) => ({ giving: rename, name: nameKey(rename.to) })),
    ...creates.map((create) => ({ giving: create, name: create.userNameKey })),
  ];
  return given.flatMap(({ giving, name }) => {
    const other = freeing.get(name);
    return other === undefined || other === giving ? [] : [{ giving, freeing: other }];
  });
}
