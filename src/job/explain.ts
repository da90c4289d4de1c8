import { explain } from "../cycle/person/explain.ts";
import type { Explanation } from "../cycle/person/explanation.ts";
import { systemClock } from "../domain/clock.ts";
import { systemRandom } from "../domain/random.ts";
import type { StateStore } from "../domain/state/store.ts";
import type { Mapping } from "../mapping/rules/mapping.ts";
import type { ConfiguredJob } from "./configured-job.ts";
import type { Job } from "./job.ts";
import { explainSettings } from "./settings.ts";
import { onScratch } from "./under-lease.ts";

const environment = { now: systemClock.now, random: systemRandom };

/** Explains one person from the state database alone. @param store only read @throws StateError */
export function explainFromState(
  { config, embedded }: ConfiguredJob,
  mapping: Mapping,
  store: StateStore,
  person: string,
): Promise<Explanation> {
  return explain(store, explainSettings(config, mapping, embedded), person, { environment });
}

/**
 * Explains one person with the current data of Entra and Lattice, on a private copy of the state database.
 * @throws StateError, ConfigurationError, HostUnavailableError
 */
export async function explainLive(job: Job, person: string, signal: AbortSignal): Promise<Explanation> {
  const { readNow } = await import("../cycle/person/read-now.ts");
  const { clock, log, settings, config, mapping, embedded } = job;
  return onScratch(job, async (store) => {
    const [source, target] = [await job.source(), await job.target()];
    const ports = { source, target, store, clock, log, settings, random: environment.random };
    const live = await readNow(ports, person, signal).finally(() => target.close());
    return explain(store, explainSettings(config, mapping, embedded), person, { environment, live });
  });
}
