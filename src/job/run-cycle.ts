import type { Sending } from "../cycle/health/quarantine.ts";
import type { Ports } from "../cycle/ports.ts";
import type { CycleRequest, CycleResult } from "../cycle/run.ts";
import type { StateEvent } from "../domain/event.ts";
import { systemRandom } from "../domain/random.ts";
import type { Meta, StateStore } from "../domain/store.ts";
import type { UpdateMethod } from "../lattice/options.ts";
import { keepHeapSmall } from "../process/small-heap.ts";
import type { Session } from "./job.ts";
import { noteGood } from "./notifying.ts";
import { sayEvent } from "./say-event.ts";

/**
 * Opens both ends and runs one cycle on `store`; what was learnt of the target is remembered. A cycle of everybody keeps
 * the quarantine; a dry run and a cycle of one person leave it as it is.
 * @param patient in quarantine it is not tried before its time
 */
export async function performCycle(
  session: Session,
  store: StateStore,
  request: CycleRequest,
  told: Pick<Ports, "onProgress" | "onStep"> = {},
  { patient = false }: { readonly patient?: boolean } = {},
): Promise<CycleResult> {
  const [{ runCycle }, { withQuarantine }, { withPause }] = await Promise.all([
    import("../cycle/run.ts"),
    import("../cycle/health/quarantine.ts"),
    import("../cycle/health/pause.ts"),
  ]);
  const { clock, log, settings } = session;
  const onEvent = (event: StateEvent): void => sayEvent(log, event);
  const cycle = (sending: Sending): Promise<CycleResult> =>
    withPause({ store, clock }, () => unpaused(sending));
  const unpaused = async (sending: Sending): Promise<CycleResult> => {
    const meta = await store.meta();
    // Asked for anew where everything is read anew, so that a change at the target is met within a day.
    const known = request.full ? undefined : knownMethod(meta);
    const target = await session.target(known);
    try {
      if (!request.dryRun) await target.updateMethod(request.signal);
      const source = await session.source();
      const ports: Ports = {
        source,
        target,
        store,
        clock,
        log,
        settings,
        random: systemRandom,
        onEvent,
        clocks: { entra: () => source.clockSkewMs(), lattice: (signal) => target.clockSkewMs(signal) },
        ...told,
        onProgress: (progress) => {
          // The first page is there: what reads is loaded.
          keepHeapSmall();
          told.onProgress?.(progress);
        },
      };
      const result = await runCycle(ports, { ...request, sending });
      if (!request.dryRun) await store.putMeta({ updateMethod: await target.updateMethod(request.signal) });
      return result;
    } finally {
      target.close();
    }
  };
  if (request.dryRun || request.only !== undefined) return cycle({ kind: "everything" });
  const result = await withQuarantine({ store, clock, settings, onEvent }, cycle, { patient });
  if (result.mostFailed === null) await noteGood(session, store);
  return result;
}

/** How updates are sent, as an earlier run has learnt it. */
export function knownMethod({ updateMethod }: Partial<Meta>): UpdateMethod | undefined {
  return updateMethod === "patch" || updateMethod === "put" ? updateMethod : undefined;
}
