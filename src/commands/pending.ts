import type { CycleResult } from "../cycle/course/request.ts";

/** How many operations a plan would send. */
export function pendingIn({ header }: Pick<CycleResult, "header">): number {
  const { create, update, deactivate, reactivate, link } = header.summary;
  return create + update + deactivate + reactivate + link;
}
