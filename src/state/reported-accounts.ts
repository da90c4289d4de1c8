import type { LeavingEvent, SkipCode } from "../domain/plan.ts";
import type { SourceUser } from "../domain/source.ts";
import type { AccountPerson, ReportedAccount } from "../domain/state/account-report.ts";

/** The columns that every store has in the same form, of an account with one of its people. Those of the person are null if there is none. */
export interface ReportedRow {
  readonly lattice_id: string;
  readonly user_name: string;
  readonly external_id: string | null;
  readonly missing_since: number | null;
  readonly object_id: string | null;
  readonly person: string | null;
  readonly skip_code: SkipCode | null;
  readonly skip_reason: string | null;
  readonly retry_code: string | null;
  readonly retry_message: string | null;
  readonly next_try_at: number | null;
  readonly held: string | null;
  readonly person_lattice_id: string | null;
}

/** What a store has in a form of its own. */
export interface OwnColumns<Row> {
  /** Only asked for if there is a person. */
  source(row: Row): SourceUser;
  active(row: Row): boolean | null;
  department(row: Row): string | null;
  member(row: Row): boolean;
  pending(row: Row): boolean;
  former(row: Row): boolean;
  groups(row: Row): readonly string[];
  events(row: Row): readonly { readonly event: LeavingEvent; readonly since: number }[];
}

/** The accounts of rows that are in the order of accounts: those of one account follow one another. */
export function reportedAccounts<Row extends ReportedRow>(
  rows: readonly Row[],
  own: OwnColumns<Row>,
): readonly ReportedAccount[] {
  const accounts: (ReportedAccount & { readonly people: AccountPerson[] })[] = [];
  for (const row of rows) {
    let account = accounts.at(-1);
    if (account?.latticeId !== row.lattice_id) {
      account = {
        latticeId: row.lattice_id,
        userName: row.user_name,
        externalId: row.external_id,
        active: own.active(row),
        department: own.department(row),
        missingSince: row.missing_since,
        linkedTo: row.object_id,
        people: [],
      };
      accounts.push(account);
    }
    if (row.person !== null) account.people.push(accountPerson(row, own));
  }
  return accounts;
}

const noGroups: ReadonlySet<string> = new Set();
const noEvents: ReadonlyMap<LeavingEvent, number> = new Map();

function accountPerson<Row extends ReportedRow>(row: Row, own: OwnColumns<Row>): AccountPerson {
  const { skip_code: code, retry_code: retry } = row;
  const groups = own.groups(row);
  const events = own.events(row);
  return {
    source: own.source(row),
    member: own.member(row),
    groups: groups.length === 0 ? noGroups : new Set(groups),
    events: events.length === 0 ? noEvents : new Map(events.map((one) => [one.event, one.since])),
    skip: code === null ? null : { code, reason: row.skip_reason ?? "" },
    retry:
      retry === null
        ? null
        : { code: retry, message: row.retry_message ?? "", nextTryAt: row.next_try_at ?? 0 },
    held: row.held,
    marked: own.pending(row),
    former: own.former(row),
    latticeId: row.person_lattice_id,
  };
}
