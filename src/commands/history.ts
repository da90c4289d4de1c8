import type { LoadedConfig } from "../config/load.ts";
import { UsageError } from "../domain/errors.ts";
import type { LogEntry, LogQuery } from "../domain/log.ts";
import type { OperationStatus } from "../domain/operation.ts";
import type { Action } from "../domain/plan.ts";
import { count } from "../domain/sentence.ts";
import type { StateStore } from "../domain/state/store.ts";
import { configuredJob } from "../job/configured-job.ts";
import { readMapping } from "../job/read-settings.ts";
import { type CommandIO, exitCode, noCycleYet, note } from "../process/io.ts";
import { writeOut } from "../report/output.ts";
import { isTerminal, layoutOf } from "../report/terminal.ts";
import { printable } from "../report/words.ts";
import { parsePointInTime } from "./point-in-time.ts";

export interface HistoryOptions {
  readonly config?: string | undefined;
  /** `--job`. */
  readonly job?: string | undefined;
  readonly sandbox?: "both" | "lattice" | undefined;
  /** One person, by user name, id or a part of a name. */
  readonly user?: string | undefined;
  readonly action?: readonly Action[] | undefined;
  readonly outcome?: readonly OperationStatus[] | undefined;
  /** A date, a time, or how long ago. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly cycle?: number | undefined;
  /** The largest number of entries; the newest are shown. */
  readonly limit: number;
  /** Shows every entry, without a limit. */
  readonly all: boolean;
  readonly format: "table" | "json" | "csv";
  readonly out?: string | undefined;
}

const pageSize = 500;

/**
 * Shows the provisioning log, the newest entry first. Only reads, page by page, while a daemon may write.
 * @throws UsageError if a time is not valid, or the person is not known
 */
export async function history(options: HistoryOptions, io: CommandIO): Promise<number> {
  const job = configuredJob(io, options);
  const { loaded } = job;
  const query = queryOf(options, job.clock.now());
  const store = await job.readState();
  if (store === null) note(io, noCycleYet(job.statePlace.name));
  try {
    const person =
      options.user === undefined || store === null
        ? {}
        : { person: await knownPerson(store, options.user, loaded, io) };
    const limit = options.all ? Number.POSITIVE_INFINITY : options.limit;
    const taken = { shown: 0, more: false };
    const entries = store === null ? nothing() : entriesOf(store, { ...query, ...person }, limit, taken, io);
    await writeOut({ out: options.out, stream: io.stdout }, (write) => writeAs(entries, options, write, io));
    if (store !== null && taken.shown === 0) note(io, "No log entry matches.");
    if (taken.more)
      note(
        io,
        `Only the newest ${count(taken.shown, "entry is", "entries are")} shown. Use --all to see every entry.`,
      );
    if (options.out !== undefined) note(io, `The provisioning log was written to ${options.out}.`);
    return exitCode.done;
  } finally {
    await store?.close();
  }
}

function queryOf(options: HistoryOptions, now: number): Omit<LogQuery, "limit"> {
  const since = options.since === undefined ? null : parsePointInTime(options.since, now);
  const until = options.until === undefined ? null : parsePointInTime(options.until, now);
  for (const [flag, given, parsed] of [
    ["--since", options.since, since],
    ["--until", options.until, until],
  ] as const) {
    if (given !== undefined && parsed === null) {
      throw new UsageError(
        `${flag} takes a date (2026-01-31), a time (2026-01-31T08:30) or a time ago (7d, 12h), not "${printable(given)}"`,
      );
    }
  }
  if (since !== null && until !== null && since.first > until.last) {
    throw new UsageError(`--since ${options.since} is later than --until ${options.until}`);
  }
  return {
    ...(since === null ? {} : { since: since.first }),
    ...(until === null ? {} : { until: until.last }),
    ...(options.action === undefined ? {} : { actions: options.action }),
    ...(options.outcome === undefined ? {} : { outcomes: options.outcome }),
    ...(options.cycle === undefined ? {} : { cycleId: options.cycle }),
  };
}

/** The person who is meant, as the log knows them: who has the name now, else who had it, else who has it as a part of a name. */
async function knownPerson(
  store: StateStore,
  user: string,
  loaded: LoadedConfig,
  io: CommandIO,
): Promise<string> {
  const direct = await store.findSource(user);
  if (direct !== null) return direct.objectId;
  const [entry] = await store.history({ person: user, limit: 1 });
  if (entry !== undefined) return user;
  const [{ findPerson }, { tellWhom }, mapping] = await Promise.all([
    import("../cycle/person/find-person.ts"),
    import("./one-person.ts"),
    readMapping(loaded),
  ]);
  const found = await findPerson(store, user, mapping);
  tellWhom(found, io);
  const person = found.objectId ?? found.account?.userName;
  if (person === undefined) {
    throw new UsageError(
      `Neither the directory as last read nor the provisioning log has "${printable(user)}". Give a part of the name, the user principal name, the user name in Lattice or the object id.`,
    );
  }
  return person;
}

async function* entriesOf(
  store: StateStore,
  query: Omit<LogQuery, "limit">,
  limit: number,
  taken: { shown: number; more: boolean },
  io: CommandIO,
): AsyncGenerator<LogEntry> {
  let before: number | undefined;
  for (;;) {
    io.signal.throwIfAborted();
    const size = Math.min(pageSize, limit - taken.shown + 1);
    const page = await store.history({ ...query, ...(before === undefined ? {} : { before }), limit: size });
    for (const entry of page) {
      if (taken.shown === limit) {
        taken.more = true;
        return;
      }
      taken.shown += 1;
      yield entry;
    }
    before = page.at(-1)?.id;
    if (before === undefined || page.length < size) return;
  }
}

async function* nothing(): AsyncGenerator<LogEntry> {}

async function writeAs(
  entries: AsyncIterable<LogEntry>,
  options: HistoryOptions,
  write: (text: string) => Promise<void>,
  io: CommandIO,
): Promise<void> {
  const outlet = { out: options.out, stream: io.stdout, env: io.env };
  switch (options.format) {
    case "json": {
      const { writeLogJson } = await import("../report/log-json.ts");
      return writeLogJson(entries, write);
    }
    case "csv": {
      const { writeLogCsv } = await import("../report/log-csv.ts");
      return writeLogCsv(entries, write, isTerminal(outlet));
    }
    case "table": {
      const { writeLogTable } = await import("../report/log-table.ts");
      return writeLogTable(entries, write, await layoutOf(outlet));
    }
  }
}
