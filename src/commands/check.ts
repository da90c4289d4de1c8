import { accessSync, constants, existsSync } from "node:fs";
import { styleText } from "node:util";
import { listenText } from "../config/listen.ts";
import { refuseForDaemon } from "../daemon/refuse-daemon.ts";
import { StateError, UsageError } from "../domain/errors.ts";
import { count, sentence, sentences } from "../domain/sentence.ts";
import { openSession, type Session } from "../job/job.ts";
import { knownMethod } from "../job/run-cycle.ts";
import type { UpdateMethod } from "../lattice/options.ts";
import { commandLine, placeFlags } from "../process/command-name.ts";
import { type CommandIO, exitCode, print } from "../process/io.ts";
import { printable } from "../report/words.ts";

export interface CheckOptions {
  readonly config?: string | undefined;
  readonly sandbox?: "both" | "lattice" | undefined;
}

interface Step {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly remedy?: string;
}

/** Tries everything that a cycle or a daemon needs and leaves nothing behind; each line says what was tried and how to fix it. */
export async function check(options: CheckOptions, io: CommandIO): Promise<number> {
  const session = await openSession(io, { ...options, quiet: true });
  try {
    const { probeLattice } = await import("../lattice/check.ts");
    const source = await session.source();
    const steps: Step[] = [
      configurationStep(session),
      await stateStep(session),
      ...(await source.probe(io.signal)),
      ...(await probeLattice(
        {
          ...session.lattice,
          paths: session.mapping.paths,
          clock: session.clock,
          log: session.log,
          knownUpdateMethod: await learntMethod(session),
        },
        new Map(session.mapping.attributes.map(({ target, type }) => [target, type])),
        io.signal,
      )),
      notificationsStep(session),
      await daemonStep(session),
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
    await session.close();
  }
}

/** How updates are sent, as an earlier sync has learnt it; a state that cannot be read is the state step's to tell. */
async function learntMethod(session: Session): Promise<UpdateMethod | undefined> {
  if (!existsSync(session.statePath)) return undefined;
  const { openReadOnlyStore } = await import("../state/sqlite/store.ts");
  try {
    const store = openReadOnlyStore(session.statePath);
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

function configurationStep({ loaded, mapping }: Session): Step {
  return {
    name: "Configuration",
    ok: true,
    detail: `${loaded.file ?? "From the environment alone"}; ${count(mapping.attributes.length, "attribute mapping")} from ${loaded.mappingSource.origin}.`,
  };
}

/** From the configuration alone: a test message is for `notify test`. */
function notificationsStep({ config: { notify } }: Session): Step {
  const name = "Notifications";
  const receivers = notify.receivers.map((receiver) => `${receiver.name} (${receiver.kind})`);
  if (receivers.length === 0 && notify.ping === null)
    return { name, ok: true, detail: "No notifications are configured (notify.receivers)." };
  const told = [...receivers, ...(notify.ping === null ? [] : ["the dead-man's ping"])].join(", ");
  return { name, ok: true, detail: `${told}; to test the receivers: ${commandLine("notify test")}.` };
}

/** Whether a daemon would start with this configuration; nobody is asked. */
async function daemonStep(session: Session): Promise<Step> {
  const name = "Daemon";
  try {
    await refuseForDaemon(session);
    const { doubtsAbout } = await import("../daemon/http/access.ts");
    const { http } = session.config;
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

async function stateStep(session: Session): Promise<Step> {
  const name = "State database";
  const [{ proveWritable }, { openReadOnlyStore }] = await Promise.all([
    import("../state/sqlite/files/prove-writable.ts"),
    import("../state/sqlite/store.ts"),
  ]);
  try {
    if (existsSync(session.statePath)) {
      accessSync(session.statePath, constants.R_OK | constants.W_OK);
      proveWritable(session.statePath);
      const store = openReadOnlyStore(session.statePath, { check: true });
      const { linked, sourceUsers } = (await store?.totals()) ?? { linked: 0, sourceUsers: 0 };
      await store?.close();
      return {
        name,
        ok: true,
        detail: `${session.statePath}: ${count(sourceUsers, "person", "people")} read, ${linked} linked.`,
      };
    }
    proveWritable(session.statePath);
    return { name, ok: true, detail: `${session.statePath} does not exist yet; the first sync creates it.` };
  } catch (error) {
    if (error instanceof StateError || error instanceof UsageError)
      return { name, ok: false, detail: error.message };
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return {
      name,
      ok: false,
      detail: `${session.statePath} cannot be written (${code}).`,
      remedy: "Give this user write access, or set state.path (ALS_STATE).",
    };
  }
}

function line({ name, ok, detail, remedy }: Step, color: boolean): string {
  const mark = ok ? "ok  " : "FAIL";
  const painted = color ? styleText(ok ? "green" : "red", mark, { validateStream: false }) : mark;
  return `${painted}  ${name}: ${printable(sentences(detail))}${remedy === undefined ? "" : `\n      ${printable(sentence(remedy))}`}`;
}
