import { type AccountedFor, type AccountKind, accountsOf } from "../cycle/person/account-kinds.ts";
import type { StateStore } from "../domain/state/store.ts";
import { type ConfiguredJob, configuredJob } from "../job/configured-job.ts";
import { readMapping } from "../job/read-settings.ts";
import { explainSettings } from "../job/settings.ts";
import { type CommandIO, exitCode, noCycleYet, note } from "../process/io.ts";
import { type AccountsAsOf, countAccounts } from "../report/accounts.ts";
import { writeOut } from "../report/output.ts";
import { departmentPath } from "../report/report-cycle.ts";
import { isTerminal, layoutOf } from "../report/terminal.ts";

export interface AccountsOptions {
  readonly config?: string | undefined;
  /** `--job`. */
  readonly job?: string | undefined;
  readonly sandbox?: "both" | "lattice" | undefined;
  /** Only accounts of these kinds. */
  readonly kind?: readonly AccountKind[] | undefined;
  /** Only accounts that are not known to be inactive. */
  readonly active: boolean;
  readonly format: "table" | "json" | "csv";
  readonly out?: string | undefined;
}

/**
 * Shows every Lattice account as last read, and whose it is. Only reads the state, page by page, while a daemon may write.
 * @throws UsageError if the configuration or the mapping has a fault
 */
export async function accounts(options: AccountsOptions, io: CommandIO): Promise<number> {
  const job = configuredJob(io, options);
  const store = await job.readState();
  if (store === null) note(io, noCycleYet(job.statePlace.name));
  try {
    const asOf = store === null ? nothingRead : await asOfNow(store);
    const counter = countAccounts();
    const all = store === null ? none() : await everyAccount(job, store, io);
    const shown = chosen(all, options, counter.add);
    const outlet = { out: options.out, stream: io.stdout, env: io.env };
    await writeOut({ out: options.out, stream: io.stdout }, async (write) => {
      const report = await import("../report/accounts.ts");
      switch (options.format) {
        case "json":
          return report.writeAccountsJson(shown, asOf, counter.counts, write);
        case "csv":
          return report.writeAccountsCsv(shown, write, isTerminal(outlet));
        case "table":
          return report.writeAccountsTable(shown, asOf, counter.counts, write, await layoutOf(outlet));
      }
    });
    if (options.out !== undefined) note(io, `The accounts were written to ${options.out}.`);
    return exitCode.done;
  } finally {
    await store?.close();
  }
}

async function everyAccount(
  { loaded, config, embedded, clock }: ConfiguredJob,
  store: StateStore,
  io: CommandIO,
): Promise<AsyncGenerator<readonly AccountedFor[]>> {
  const mapping = await readMapping(loaded);
  return accountsOf(store, explainSettings(config, mapping, embedded), {
    department: departmentPath(mapping),
    now: clock.now(),
    signal: io.signal,
  });
}

async function* chosen(
  all: AsyncIterable<readonly AccountedFor[]>,
  { kind, active }: Pick<AccountsOptions, "kind" | "active">,
  add: (account: AccountedFor) => void,
): AsyncGenerator<readonly AccountedFor[]> {
  for await (const page of all) {
    page.forEach(add);
    yield page.filter(
      (account) =>
        (kind === undefined || kind.includes(account.kind)) && !(active && account.active === false),
    );
  }
}

const nothingRead: AccountsAsOf = { listedAt: null, peopleReadAt: null, incomplete: null };

async function asOfNow(store: StateStore): Promise<AccountsAsOf> {
  const { targetListedAt, watermarkAt, listingFault } = await store.meta();
  return {
    listedAt: time(targetListedAt),
    peopleReadAt: time(watermarkAt),
    incomplete: listingFault === undefined || listingFault === "" ? null : listingFault,
  };
}

function time(text: string | undefined): number | null {
  return text === undefined || text === "" ? null : Number(text);
}

async function* none(): AsyncGenerator<readonly AccountedFor[]> {}
