import type { Json } from "../domain/json.ts";
import type { LeavingEvent, SkipCode } from "../domain/plan.ts";
import type { Presence, SourceUser } from "../domain/source.ts";
import type { AccountPerson, LinkedPerson, ReportedAccount } from "../domain/state/account-report.ts";

/** The columns of an account that every store has in the same form. */
export interface AccountColumns {
  readonly lattice_id: string;
  readonly user_name: string;
  readonly external_id: string | null;
  readonly missing_since: number | null;
  readonly object_id: string | null;
}

/** The columns of a person that every store has in the same form. */
export interface PersonColumns {
  readonly person: string;
  readonly manager_id: string | null;
  readonly presence: Presence;
  readonly skip_code: SkipCode | null;
  readonly skip_reason: string | null;
  readonly retry_code: string | null;
  readonly retry_message: string | null;
  readonly next_try_at: number | null;
  readonly held: string | null;
}

/** The columns of an account that each store has in a form of its own. */
export interface OwnAccountColumns<Row> {
  active(row: Row): boolean | null;
  department(row: Row): string | null;
}

/** The columns of a person that each store has in a form of its own. */
export interface OwnPersonColumns<Row> {
  /** Values of the properties that were asked for, in their order; `null` for one that the person does not have. */
  values(row: Row): readonly Json[];
  unshown(row: Row): readonly string[] | null;
  member(row: Row): boolean;
  pending(row: Row): boolean;
  former(row: Row): boolean;
  groups(row: Row): readonly string[];
  events(row: Row): readonly { readonly event: LeavingEvent; readonly since: number }[];
}

/** The account of a row with its people. */
export function reportedAccount<Row extends AccountColumns>(
  row: Row,
  own: OwnAccountColumns<Row>,
  people: readonly AccountPerson[],
): ReportedAccount {
  return {
    latticeId: row.lattice_id,
    userName: row.user_name,
    externalId: row.external_id,
    active: own.active(row),
    department: own.department(row),
    missingSince: row.missing_since,
    linkedTo: row.object_id,
    people,
  };
}

const noGroups: ReadonlySet<string> = new Set();
const noEvents: ReadonlyMap<LeavingEvent, number> = new Map();

/** The person of a row. @param properties those that were asked for */
export function linkedPerson<Row extends PersonColumns>(
  row: Row,
  own: OwnPersonColumns<Row>,
  properties: readonly string[],
): LinkedPerson {
  const { skip_code: code, retry_code: retry } = row;
  const groups = own.groups(row);
  const events = own.events(row);
  return {
    source: sourceUser(row, own, properties),
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
  };
}

function sourceUser<Row extends PersonColumns>(
  row: Row,
  own: OwnPersonColumns<Row>,
  properties: readonly string[],
): SourceUser {
  const values = own.values(row);
  const unshown = own.unshown(row);
  const attributes: { [name: string]: Json } = {};
  for (const [index, name] of properties.entries()) {
    const value = values[index] ?? null;
    if (value !== null) attributes[name] = value;
  }
  return {
    objectId: row.person,
    attributes,
    managerId: row.manager_id,
    presence: row.presence,
    ...(unshown === null ? {} : { unshown }),
  };
}
