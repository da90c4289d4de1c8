import type { CycleResult } from "../cycle/course/request.ts";
import { findPerson, isIdentifier } from "../cycle/person/find-person.ts";
import { ConfigurationError, UsageError } from "../domain/errors.ts";
import type { PersonStep } from "../domain/plan.ts";
import type { StateStore } from "../domain/state/store.ts";
import type { Job, RunRequest } from "../job/job.ts";
import type { Mapping } from "../mapping/rules/mapping.ts";
import { type CommandIO, exitCode, exitCodeOf, note, print } from "../process/io.ts";
import { type ReportChoice, report } from "../report/report-cycle.ts";
import { stepLine } from "../report/steps.ts";
import { printable } from "../report/words.ts";
import { agrees, canAsk } from "./ask.ts";
import { noteCandidates, personText, severalPeople } from "./one-person.ts";
import { pendingIn } from "./pending.ts";

/** The most people in one call: as many as a reader can check one by one. */
const mostPeople = 20;

/** @throws UsageError if there is no name, an empty name, or too many names */
export function checkPeople(users: readonly string[]): void {
  if (users.length > mostPeople) {
    throw new UsageError(
      `--user takes up to ${mostPeople} people, not ${users.length}; a sync without --user provisions everyone. Nothing was done.`,
    );
  }
  if (users.length === 0 || users.some((user) => user.trim() === "")) {
    throw new UsageError("--user needs a user principal name or an object id. Nothing was done.");
  }
}

/** Options of provisioning on demand. */
export interface OnDemandOptions extends Omit<ReportChoice, "mapping" | "steps"> {
  /** Sends without a dry run or a question first. */
  readonly yes?: boolean | undefined;
  readonly detailedExitcode: boolean;
  /** How long to wait for another run to end, seconds. */
  readonly waitSeconds: number;
  /** Sends from this process, even if daemons share the database of the job. */
  readonly here?: boolean | undefined;
}

/**
 * Provisions single people on demand, and shows the five steps as they are done. Without `yes` it is a dry run first; its plan
 * is sent if a person at the terminal agrees.
 * @returns the exit code
 */
export async function onDemand(
  job: Job,
  users: readonly string[],
  options: OnDemandOptions,
  io: CommandIO,
): Promise<number> {
  const names = users.map((user) => user.trim());
  const unseen = options.yes === true && !options.dryRun;
  const only = await peopleMeant(job, names, { unseen }, io);
  if (unseen) return send(job, { only }, options, io);

  const result = await run(job, { only, dryRun: true }, options, io);
  const pending = pendingIn(result) > 0;
  if (result.failed > 0 && !pending) return exitCodeOf(result, false);
  const code = options.detailedExitcode && pending ? exitCode.changesPending : exitCode.done;
  if (options.dryRun || !pending) return code;
  if (result.onDemand?.agreement.operations === 0) {
    note(io, "Nothing was sent: the guard holds all of it. See status.");
    return code;
  }
  if (!canAsk(options, io)) {
    note(io, "Nothing was sent: this was a dry run. To send the changes, run the command again with --yes.");
    return code;
  }
  if (!(await agrees(io))) {
    note(io, "Nothing was sent.");
    return code;
  }
  return send(job, { only, agreed: result.onDemand?.agreement.digest }, options, io);
}

/**
 * Finds the people that names mean. A part of a name means a person if no other person has it in a name. A user principal
 * name or an object id stays as it is: Entra may have a user by now whom the last read did not have.
 * @param how `unseen`: no person looks at the plan before it is sent, so a part of a name is never enough
 * @returns each name as given, or an object id
 * @throws ConfigurationError if it is not certain who is meant; stderr lists who it may be
 */
async function peopleMeant(
  job: Job,
  names: readonly string[],
  how: { readonly unseen: boolean },
  io: CommandIO,
): Promise<readonly string[]> {
  const store = await job.readState();
  // Before the first sync no person is known: Entra alone decides what a name means.
  if (store === null) return names;
  try {
    return await peopleIn(store, job.mapping, names, how, io);
  } finally {
    await store.close();
  }
}

async function peopleIn(
  store: StateStore,
  mapping: Mapping,
  names: readonly string[],
  how: { readonly unseen: boolean },
  io: CommandIO,
): Promise<readonly string[]> {
  const meant: string[] = [];
  for (const name of names) {
    const isWhole = isIdentifier(name) || (await store.findSource(name)) !== null;
    const found = isWhole ? null : await findPerson(store, name, mapping, { alone: true });
    if (found !== null && found.candidates.length > 0) {
      noteCandidates(found, io);
      throw new ConfigurationError(`${severalPeople(name)} Nothing was done.`);
    }
    if (found !== null && found.byPart !== null) {
      const person = `"${printable(name)}" is a part of the name of one person: ${personText(found.byPart)}`;
      if (how.unseen) {
        throw new ConfigurationError(
          `${person}. --yes sends without a question, so it needs a user principal name or an object id. Nothing was done.`,
        );
      }
      note(io, `${person}.`);
    }
    meant.push(found?.objectId ?? name);
  }
  return meant;
}

async function send(
  job: Job,
  people: Pick<RunRequest, "only" | "agreed">,
  options: OnDemandOptions,
  io: CommandIO,
): Promise<number> {
  const result =
    (await sendElsewhere(job, people, options, io)) ??
    (await run(job, { ...people, dryRun: false }, options, io));
  return exitCodeOf(result, false);
}

/** Has a daemon that shares the database send it, and reports the result; `null` if no daemon does it. */
async function sendElsewhere(
  job: Job,
  { only = [], agreed }: Pick<RunRequest, "only" | "agreed">,
  options: OnDemandOptions,
  io: CommandIO,
): Promise<CycleResult | null> {
  // Daemons do not share a state in a file, so `in-fleet.ts` is not even loaded for one.
  if (options.here === true || job.statePlace.kind === "file") return null;
  const { runInFleet } = await import("./in-fleet.ts");
  const request = { full: false, only, ...(agreed === undefined ? {} : { agreed }) };
  const ran = await runInFleet(job, async () => ({ kind: "onDemand", request, decision: null }), options, io);
  const store = ran === null ? null : await job.readState();
  if (ran === null || store === null) return ran?.result ?? null;
  const { result, steps = [] } = ran;
  try {
    const live = showsSteps(options);
    if (live) {
      for (const step of steps) print(io, stepLine(step, { user: only.length > 1 }));
      print(io, "");
    }
    const shown = { ...options, mapping: job.mapping, dryRun: false, steps: live ? [] : steps };
    await report(store, result, shown, io);
  } finally {
    await store.close();
  }
  return result;
}

/** On stdout the steps come before the report; a document has all of them at once. */
function showsSteps({ format, out }: Pick<OnDemandOptions, "format" | "out">): boolean {
  return format === "table" && out === undefined;
}

async function run(
  job: Job,
  request: Pick<RunRequest, "only" | "agreed" | "dryRun">,
  options: OnDemandOptions,
  io: CommandIO,
): Promise<CycleResult> {
  const { only = [], dryRun } = request;
  const steps: PersonStep[] = [];
  const live = showsSteps(options);
  const onStep = (step: PersonStep): void => {
    steps.push(step);
    if (live) print(io, stepLine(step, { user: only.length > 1 }));
  };
  const { result } = await job.run(
    { ...request, full: false, waitMs: options.waitSeconds * 1000, signal: io.signal },
    {
      onStep,
      ended: async (ran, store) => {
        if (live) print(io, "");
        const shown = { ...options, mapping: job.mapping, dryRun, steps: live ? [] : steps };
        await report(store, ran.result, shown, io);
      },
    },
  );
  return result;
}
