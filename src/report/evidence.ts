import type { Evidence } from "../domain/plan.ts";

/** Evidence for programs: what was read. When the deactivation was due is not a part of it. */
export function evidenceDocument({ kind, detail }: Evidence): Evidence {
  return { kind, detail };
}
