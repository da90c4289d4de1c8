import { accessSync, constants, existsSync } from "node:fs";
import { styleText } from "node:util";
import { listenText } from "../config/listen.ts";
import { refuseForDaemon } from "../daemon/refuse-daemon.ts";
import { DomainError, StateError, UsageError } from "../domain/errors.ts";
import { count, sentence, sentences } from "../domain/sentence.ts";
import type { StateStore } from "../domain/state/store.ts";
import type { Job } from "../job/job.ts";
import { openJob } from "../job/open-job.ts";
import { knownMethod } from "../job/run-cycle.ts";
import { isExposed, type StatePlace } from "../job/state-place.ts";
import type { UpdateMethod } from "../lattice/options.ts";
import type { LatticeTarget } from "../lattice/target.ts";
import { commandLine, placeFlags } from "../process/command-name.ts";
import { type CommandIO, exitCode, print } from "../process/io.ts";
import { printable } from "../report/words.ts";
import { forEachJob } from "./each-job.ts";

export interface CheckOptions {
  readonly config?: string | undefined;
  /** `--job`. */
  readonly job?: string | undefined;
  readonly sandbox?: "both" | "lattice" | undefined;
}

interface Step {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly remedy?: string;
}

/** Tries everything that a cycle or a daemon needs, and changes nothing. Each line says what was tried, and how to fix a fault. */
export function check(options: CheckOptions, io: CommandIO): Promise<number> {
  return forEachJob(options, io, { json: false, settings: "compared" }, checkJob);
}

async function checkJob(options: CheckOptions, io: CommandIO): Promise<number> {
  const job = await openJob(io, { ...options, quiet: true });
  try {
    const { probeLattice } = await import("../lattice/check.ts");
    const source = await job.source();
    const steps: Step[] = [
      configurationStep(job),
      await stateStep(job),
      ...(await source.probe(io.signal)),
      ...(await probeLattice(
        {
          ...job.lattice,
          paths: job.mapping.paths,
          clock: job.clock,
          log: job.log,
          knownUpdateMethod: await learntMethod(job),
        },
        new Map(job.mapping.attributes.map(({ target, type }) => [target, type])),
        io.signal,
      )),
      ...(await sharedCompanyStep(job, io)),
      notificationsStep(job, options),
      await daemonStep(job),
    ];
    const color = io.stdout.isTTY === true && (io.env.NO_COLOR ?? "") === "";
    for (const step of steps) print(io, line(step, color));
    const failed = steps.filter((step) => !step.ok).length;
    print(
      io,
      failed === 0
        ? `\nAll checks passed. Next: ${commandLine(`sync --dry-run${placeFlags(options)}`)}`
        : `\n${failed} of ${steps.length} checks failed.`,
    );
    return failed === 0 ? exitCode.done : exitCode.error;
  } finally {
    await job.close();
  }
}

/** How updates are sent, as an earlier sync has learnt it. A database that cannot be read is reported by the step for it. */
async function learntMethod(job: Job): Promise<UpdateMethod | undefined> {
  try {
    const store = await job.readState();
    try {
      return knownMethod((await store?.meta()) ?? {});
    } finally {
      await store?.close();
    }
  } catch (error) {
    if (error instanceof StateError) return undefined;
    throw error;
  }
}

function configurationStep({ loaded, mapping }: Job): Step {
  return {
    name: "Configuration",
    ok: true,
    detail: `${loaded.file ?? "From the environment alone"}; ${count(mapping.attributes.length, "attribute mapping")} from ${loaded.mappingSource.origin}.`,
  };
}

/**
 * Finds another job that writes to the same Lattice company with another API key, as far as the states of both show it. A job that
 * knows no accounts yet asks Lattice for those of the other jobs.
 * @returns no step if there is no such job
 */
async function sharedCompanyStep(job: Job, io: CommandIO): Promise<readonly Step[]> {
  const name = "Lattice company";
  const [{ sharedCompany }, { neighboursOf }] = await Promise.all([
    import("../cycle/reading/shared-company.ts"),
    import("../job/neighbours.ts"),
  ]);
  let store: StateStore | null = null;
  let target: LatticeTarget | null = null;
  try {
    store = await job.readState();
    const neighbours = neighboursOf(job, store, false);
    if (neighbours === undefined) return [];
    const asked = await job.target();
    target = asked;
    const shared = await sharedCompany(store, neighbours, {
      listed: false,
      isThere: async (latticeId) => (await asked.get(latticeId, io.signal)) !== null,
    });
    if (shared === null) return [];
    return [{ name, ok: false, detail: `${shared.fact}: ${shared.advice}.` }];
  } catch (error) {
    io.signal.throwIfAborted();
    // A state that cannot be read, and a Lattice that does not answer, have steps of their own.
    if (error instanceof DomainError) return [];
    throw error;
  } finally {
    target?.close();
    await store?.close();
  }
}

/** From the configuration only. `notify test` sends a message. */
function notificationsStep({ config: { notify } }: Job, { config, job }: CheckOptions): Step {
  const name = "Notifications";
  const receivers = notify.receivers.map((receiver) => `${receiver.name} (${receiver.kind})`);
  if (receivers.length === 0 && notify.ping === null)
    return { name, ok: true, detail: "No notifications are configured (notify.receivers)." };
  const told = [...receivers, ...(notify.ping === null ? [] : ["the dead-man's ping"])].join(", ");
  return {
    name,
    ok: true,
    detail: `${told}; to test the receivers: ${commandLine(`notify test${placeFlags({ config, job })}`)}.`,
  };
}

/** The start of a daemon with this configuration. Sends nothing. */
async function daemonStep(job: Job): Promise<Step> {
  const name = "Daemon";
  try {
    await refuseForDaemon(job);
    const { doubtsAbout } = await import("../daemon/http/access.ts");
    const { http } = job.config;
    const doubts = doubtsAbout(http.listen, http).map((doubt) => `; ${doubt}`);
    return {
      name,
      ok: true,
      detail: `The dashboard would be served on ${listenText(http.listen)}${doubts.join("")}.`,
    };
  } catch (error) {
    if (error instanceof UsageError) return { name, ok: false, detail: error.message };
    throw error;
  }
}

async function stateStep(job: Job): Promise<Step> {
  const name = "State database";
  const { statePlace: place } = job;
  if (place.kind === "postgres") return databaseStep(job, place, name);
  const { path } = place;
  const { proveWritable } = await import("../state/sqlite/files/prove-writable.ts");
  try {
    if (existsSync(path)) {
      accessSync(path, constants.R_OK | constants.W_OK);
      proveWritable(path);
      return { name, ok: true, detail: `${path}: ${await contentOf(job)}.` };
    }
    proveWritable(path);
    return { name, ok: true, detail: `${path} does not exist yet; the first sync creates it.` };
  } catch (error) {
    if (error instanceof StateError || error instanceof UsageError)
      return { name, ok: false, detail: error.message };
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return {
      name,
      ok: false,
      detail: `${path} cannot be written (${code}).`,
      remedy: "Give this user write access, or set state.path (ALS_STATE).",
    };
  }
}

async function databaseStep(
  job: Job,
  place: Extract<StatePlace, { kind: "postgres" }>,
  name: string,
): Promise<Step> {
  const { proveWritable } = await import("../state/postgres/connection/connect.ts");
  try {
    const doubts = await proveWritable(place.database);
    if (await isExposed(place)) {
      doubts.unshift("the connection is not encrypted: add ?sslmode=verify-full to state.url");
    }
    const said = [`${place.name} (PostgreSQL): ${await contentOf(job)}`, ...doubts].join("; ");
    return { name, ok: true, detail: `${said}.` };
  } catch (error) {
    if (error instanceof StateError || error instanceof UsageError)
      return { name, ok: false, detail: error.message };
    throw error;
  }
}

async function contentOf(job: Job): Promise<string> {
  const store = await job.readState({ check: true });
  if (store === null) return "nothing of this job yet; the first sync creates it";
  try {
    const { linked, sourceUsers } = await store.totals();
    return `${count(sourceUsers, "person", "people")} read, ${linked} linked`;
  } finally {
    await store.close();
  }
}

function line({ name, ok, detail, remedy }: Step, color: boolean): string {
  const mark = ok ? "ok  " : "FAIL";
  const painted = color ? styleText(ok ? "green" : "red", mark, { validateStream: false }) : mark;
  return `${painted}  ${name}: ${printable(sentences(detail))}${remedy === undefined ? "" : `\n      ${printable(sentence(remedy))}`}`;
}
