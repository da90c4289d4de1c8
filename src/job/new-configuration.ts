import { keptConfig } from "../config/kept-config.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { Fence } from "../domain/state/fence.ts";
import type { StateStore } from "../domain/state/store.ts";
import type { NewConfiguration } from "../report/new-configuration.ts";
import type { Job } from "./job.ts";

/** Remembers the configuration of a cycle of everybody that has ended, if it is another one. */
export async function noteConfiguration(
  store: Pick<StateStore, "commit" | "meta">,
  fence: Fence,
  loaded: LoadedConfig,
): Promise<void> {
  const configuration = JSON.stringify(keptConfig(loaded));
  if ((await store.meta()).configuration !== configuration)
    await store.commit({ notes: { configuration } }, fence);
}

/** Logs what a configuration changes, names only, before the first cycle with it. */
export function sayNewConfiguration({ log }: Pick<Job, "log">, changes: NewConfiguration | null): void {
  if (changes === null) return;
  const { difference, plansEverybodyAgain } = changes;
  const changed = [
    ...difference.settings.map(({ key }) => key),
    ...difference.mapping.map(({ target }) => `mapping: ${target}`),
  ];
  log.info(
    {
      ...(changed.length === 0 ? {} : { changed }),
      ...(plansEverybodyAgain ? { plansEverybodyAgain } : {}),
    },
    plansEverybodyAgain
      ? "the mapping, scope, actions or matching are not those of the last cycle: the next one plans everybody again"
      : "the configuration is not that of the last cycle",
  );
}
