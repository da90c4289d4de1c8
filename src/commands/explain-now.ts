import { readNow } from "../cycle/on-demand.ts";
import { explain } from "../cycle/person/explain.ts";
import type { Explanation } from "../cycle/person/explanation.ts";
import { openSession } from "../job/job.ts";
import type { Environment } from "../mapping/language/functions/definition.ts";
import type { CommandIO } from "../process/io.ts";
import { explainSettings, type UserOptions } from "./user.ts";

/**
 * Explains one person as both ends have them now, in a private copy of the state database as a dry run does.
 * @throws UsageError, StateError, ConfigurationError, HostUnavailableError
 */
export async function explainNow(
  options: UserOptions,
  environment: Environment,
  io: CommandIO,
): Promise<Explanation> {
  const session = await openSession(io, { ...options, quiet: true });
  try {
    const store = await session.openScratchStore();
    const { clock, log, settings, config, mapping } = session;
    const source = await session.source();
    const target = await session.target();
    const ports = { source, target, store, clock, log, settings, random: environment.random };
    const live = await readNow(ports, options.user, io.signal).finally(() => target.close());
    return await explain(store, explainSettings(config, mapping, options.sandbox), options.user, {
      environment,
      live,
    });
  } finally {
    await session.close();
  }
}
