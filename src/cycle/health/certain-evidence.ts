import type { EvidenceKind } from "../../domain/plan.ts";

/** Evidence of leavers that does not depend on the scope: they are disabled or deleted. */
export const certainEvidence: ReadonlySet<EvidenceKind> = new Set([
  "accountDisabled",
  "softDeleted",
  "deleted",
]);
