import type { Ports } from "../cycle/ports.ts";
import type { CycleRequest, CycleResult } from "../cycle/run.ts";
import type { StateStore } from "../domain/store.ts";
import type { Session } from "./session.ts";

/** Opens both ends and runs one cycle on `store`; what was learnt of the target is remembered. */
export async function performCycle(
  session: Session,
  store: StateStore,
  request: CycleRequest,
  onProgress?: Ports["onProgress"],
): Promise<CycleResult> {
  const { runCycle } = await import("../cycle/run.ts");
  const meta = await store.meta();
  // Asked for anew where everything is read anew, so that a change at the target is met within a day.
  const known =
    !request.full && (meta.updateMethod === "patch" || meta.updateMethod === "put")
      ? meta.updateMethod
      : undefined;
  const target = await session.target(known);
  if (!request.dryRun) await target.updateMethod(request.signal);
  const ports: Ports = {
    source: await session.source(),
    target,
    store,
    clock: session.clock,
    log: session.log,
    settings: session.settings,
    random: Math.random,
    onProgress,
  };
  const result = await runCycle(ports, request);
  if (!request.dryRun) await store.putMeta({ updateMethod: await target.updateMethod(request.signal) });
  return result;
}
