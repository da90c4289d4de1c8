import type { LeavingEvent, SkipCode } from "../domain/plan.ts";
import type { SourceUser } from "../domain/source.ts";
import type { AccountPerson, ReportedAccount } from "../domain/state/account-report.ts";

/** An account with one of its people. The columns of the person are null if there is none. */
export interface ReportedRow {
  readonly lattice_id: string;
  readonly user_name: string;
  readonly external_id: string | null;
  readonly active: boolean | null;
  readonly department: string | null;
  readonly missing_since: number | null;
  readonly object_id: string | null;
  readonly written_at: number | null;
  readonly source: SourceUser | null;
  readonly member: boolean;
  readonly groups: readonly string[];
  readonly events: readonly { readonly event: LeavingEvent; readonly since: number }[];
  readonly skip_code: SkipCode | null;
  readonly skip_reason: string | null;
  readonly retry_code: string | null;
  readonly retry_message: string | null;
  readonly next_try_at: number | null;
  readonly held: string | null;
  readonly pending: boolean;
  readonly person_lattice_id: string | null;
}

/** The accounts of rows that are in the order of accounts: those of one account follow one another. */
export function reportedAccounts(rows: readonly ReportedRow[]): readonly ReportedAccount[] {
  const accounts: (ReportedAccount & { readonly people: AccountPerson[] })[] = [];
  for (const row of rows) {
    let account = accounts.at(-1);
    if (account?.latticeId !== row.lattice_id) {
      account = {
        latticeId: row.lattice_id,
        userName: row.user_name,
        externalId: row.external_id,
        active: row.active,
        department: row.department,
        missingSince: row.missing_since,
        linkedTo: row.object_id,
        writtenAt: row.written_at,
        people: [],
      };
      accounts.push(account);
    }
    if (row.source !== null) account.people.push(accountPerson(row, row.source));
  }
  return accounts;
}

const noGroups: ReadonlySet<string> = new Set();
const noEvents: ReadonlyMap<LeavingEvent, number> = new Map();

function accountPerson(row: ReportedRow, source: SourceUser): AccountPerson {
  const { skip_code: code, retry_code: retry } = row;
  return {
    source,
    member: row.member,
    groups: row.groups.length === 0 ? noGroups : new Set(row.groups),
    events: row.events.length === 0 ? noEvents : new Map(row.events.map((one) => [one.event, one.since])),
    skip: code === null ? null : { code, reason: row.skip_reason ?? "" },
    retry:
      retry === null
        ? null
        : { code: retry, message: row.retry_message ?? "", nextTryAt: row.next_try_at ?? 0 },
    held: row.held,
    marked: row.pending,
    latticeId: row.person_lattice_id,
  };
}
