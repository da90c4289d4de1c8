import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { type ExplainSettings, explain } from "../cycle/person/explain.ts";
import type { Explanation } from "../cycle/person/explanation.ts";
import { systemClock } from "../domain/clock.ts";
import { systemRandom } from "../domain/random.ts";
import { jsonText } from "../domain/visible.ts";
import { eventActions, matchingSettings, sandboxScope, sandboxState } from "../job/job.ts";
import { readMapping } from "../job/read-settings.ts";
import type { Mapping } from "../mapping/rules/mapping.ts";
import { type CommandIO, exitCode, note, print } from "../process/io.ts";
import { explanationText } from "../report/explanation.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { openReadOnlyStore } from "../state/sqlite/store.ts";

export interface UserOptions {
  readonly config?: string | undefined;
  readonly sandbox?: "both" | "lattice" | undefined;
  /** User principal name, object id, Lattice id, a userName in Lattice, or a part of a name. */
  readonly user: string;
  /** Ask both ends for this person now. */
  readonly live: boolean;
  /** A sandbox that runs already; whoever started it closes it. */
  readonly runningSandbox?: Sandbox | undefined;
  readonly format: "table" | "json";
}

/**
 * Explains one person: what Entra has, what the scope and the mapping make of it, what Lattice holds, and what would be
 * done. From the state database alone, unless `live`; writes nothing either way.
 * @returns exit code 1 where nobody of this name is known, or several people are
 * @throws UsageError, StateError; with `live` also ConfigurationError, HostUnavailableError
 */
export async function user(options: UserOptions, io: CommandIO): Promise<number> {
  const explanation = await (options.live ? explainLive(options, io) : explainOffline(options, io));
  if (explanation === null) return exitCode.error;
  const color = io.stdout.isTTY === true && (io.env.NO_COLOR ?? "") === "";
  print(io, options.format === "json" ? jsonText(explanation, 2) : explanationText(explanation, { color }));
  return explanation.found === "nobody" ? exitCode.error : exitCode.done;
}

async function explainOffline(options: UserOptions, io: CommandIO): Promise<Explanation | null> {
  const loaded = loadConfig({ file: options.config, env: io.env, cwd: io.cwd, sandbox: options.sandbox });
  const { config } = loaded;
  const path =
    options.sandbox === undefined ? config.state.path : sandboxState(config.state.path, options.sandbox);
  const settings = explainSettings(config, await readMapping(loaded), options.sandbox);
  const store = openReadOnlyStore(path);
  if (store === null) {
    note(io, `No person is known yet: there is no state database at ${path}. Run a sync, or use --live.`);
    return null;
  }
  try {
    return await explain(store, settings, options.user, { environment });
  } finally {
    await store.close();
  }
}

async function explainLive(options: UserOptions, io: CommandIO): Promise<Explanation> {
  const { explainNow } = await import("./explain-now.ts");
  return await explainNow(options, environment, io);
}

const environment = {
  now: systemClock.now,
  random: systemRandom,
};

/** What an explanation needs of the configuration. */
export function explainSettings(
  config: Config,
  mapping: Mapping,
  sandbox?: "both" | "lattice" | undefined,
): ExplainSettings {
  const { scope, clientId } = config.entra;
  const { actions, drift } = config;
  const shared = {
    mapping,
    actions,
    events: eventActions(config),
    drift,
    ...matchingSettings(config),
  };
  if (sandbox === "both") {
    const { mode, application, nested } = sandboxScope;
    return { ...shared, scope: { mode, configured: [application], nested, guests: scope.guests } };
  }
  const { mode, nested, guests } = scope;
  const application = scope.application ?? clientId;
  const configured = {
    assigned: application === undefined ? [] : [application],
    groups: scope.groups,
    all: [],
  }[mode];
  return { ...shared, scope: { mode, configured, nested, guests } };
}
