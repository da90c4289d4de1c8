import { type AccountedFor, type AccountKind, accountKinds } from "../cycle/person/account-kinds.ts";
import { count, iso, timeText } from "../domain/sentence.ts";
import { jsonText } from "../domain/visible.ts";
import { type Cell, csvField } from "./csv-field.ts";
import { indented, type Layout, padded } from "./terminal.ts";
import type { Write } from "./view.ts";
import { printable } from "./words.ts";

/** When the accounts and people were last read. Times are milliseconds since the epoch; `null` if there was no such read yet. */
export interface AccountsAsOf {
  /** When Lattice was last listed in full. */
  readonly listedAt: number | null;
  /** When the directory was last read. */
  readonly peopleReadAt: number | null;
  /** Why the last listing was incomplete, in words; `null` if it was complete. */
  readonly incomplete: string | null;
}

type State = "active" | "inactive" | "unknown";

/** Accounts by kind and state; all of them, whether they are shown or not. */
export type AccountCounts = { readonly [K in AccountKind]: { readonly [S in State]: number } };

/** Counts accounts as they pass. */
export function countAccounts(): {
  readonly counts: AccountCounts;
  readonly add: (account: Pick<AccountedFor, "kind" | "active">) => void;
} {
  const none = () => ({ active: 0, inactive: 0, unknown: 0 });
  const counts = { linked: none(), left: none(), unlinked: none(), nobodys: none() };
  return {
    counts,
    add: ({ kind, active }) => {
      counts[kind][stateOf(active)] += 1;
    },
  };
}

function stateOf(active: boolean | null): State {
  return active === null ? "unknown" : active ? "active" : "inactive";
}

/** Minor versions add, major versions break, as in a plan. */
const formatVersion = "1.0";

/**
 * Writes accounts as one JSON value, one line each, and then the counts.
 * @param accounts in pages
 * @param counts read once all accounts have passed
 */
export async function writeAccountsJson(
  accounts: AsyncIterable<readonly AccountedFor[]>,
  asOf: AccountsAsOf,
  counts: AccountCounts,
  write: Write,
): Promise<void> {
  const { listedAt, peopleReadAt, incomplete } = asOf;
  const times = { listedAt: iso(listedAt), peopleReadAt: iso(peopleReadAt), incomplete };
  await write(`{\n  "formatVersion": "${formatVersion}",\n  "asOf": ${jsonText(times)},\n  "accounts": [`);
  let separator = "\n    ";
  for await (const page of accounts) {
    if (page.length === 0) continue;
    await write(separator + page.map((account) => jsonText(accountDocument(account))).join(",\n    "));
    separator = ",\n    ";
  }
  await write(separator.startsWith(",") ? "\n  ],\n" : "],\n");
  await write(`  "summary": ${jsonText(counts)}\n}\n`);
}

/** An account for programs. */
export function accountDocument(account: AccountedFor): object {
  const { active, missingSince, changedAt, ...rest } = account;
  return { ...rest, state: stateOf(active), missingSince: iso(missingSince), changedAt: iso(changedAt) };
}

const columns: readonly { readonly name: string; readonly of: (account: AccountedFor) => Cell }[] = [
  { name: "kind", of: ({ kind }) => kind },
  { name: "state", of: ({ active }) => stateOf(active) },
  { name: "latticeId", of: ({ latticeId }) => latticeId },
  { name: "userName", of: ({ userName }) => userName },
  { name: "externalId", of: ({ externalId }) => externalId },
  { name: "department", of: ({ department }) => department },
  { name: "objectId", of: ({ objectId }) => objectId },
  { name: "userPrincipalName", of: ({ userPrincipalName }) => userPrincipalName },
  { name: "protected", of: (account) => String(account.protected) },
  { name: "missingSince", of: ({ missingSince }) => iso(missingSince) },
  { name: "changedAt", of: ({ changedAt }) => iso(changedAt) },
  { name: "reason", of: ({ reason }) => reason },
];

/**
 * Writes accounts as CSV (RFC 4180, with a header), one row each.
 * @param toTerminal control characters are made visible: a terminal would act on them
 */
export async function writeAccountsCsv(
  accounts: AsyncIterable<readonly AccountedFor[]>,
  write: Write,
  toTerminal: boolean,
): Promise<void> {
  await write(`${columns.map(({ name }) => name).join(",")}\r\n`);
  const row = (account: AccountedFor): string => {
    const cells = columns.map(({ of }) => of(account));
    const shown = cells.map((cell) =>
      csvField(typeof cell === "string" && toTerminal ? printable(cell) : cell),
    );
    return `${shown.join(",")}\r\n`;
  };
  for await (const page of accounts) await write(page.map(row).join(""));
}

const titles: { readonly [K in AccountKind]: string } = {
  linked: "linked, and in scope",
  left: "linked, and the person has left",
  unlinked: "not linked, although a user matches",
  nobodys: "nobody's: no user of the directory",
};

/**
 * Writes accounts for people to read, the counts last.
 * @param counts read once all accounts have passed
 */
export async function writeAccountsTable(
  accounts: AsyncIterable<readonly AccountedFor[]>,
  asOf: AccountsAsOf,
  counts: AccountCounts,
  write: Write,
  layout: Layout,
): Promise<void> {
  for await (const page of accounts) {
    await write(page.map((account) => accountLines(account, layout)).join(""));
  }
  await write(`\n${summaryLines(asOf, counts, layout).join("\n")}\n`);
}

function accountLines(
  { kind, active, userName, department, changedAt, reason }: AccountedFor,
  layout: Layout,
): string {
  const { paint } = layout;
  const state = stateOf(active);
  const alarming = kind !== "linked" && state !== "inactive";
  const start = `${kind.padEnd(8)}  ${state.padEnd(8)}  `;
  const details = [
    ...(department === null ? [] : [printable(department)]),
    ...(changedAt === null ? [] : [`written ${timeText(changedAt)}`]),
  ].join(", ");
  const beside = details === "" ? "" : `  ${paint("dim", details)}`;
  const first = `${paint(alarming ? "yellow" : "dim", start)}${printable(userName)}${beside}\n`;
  if (reason === null) return first;
  const reasons = indented(printable(reason), 4, layout).map((line) => paint("dim", line));
  return `${first}${reasons.join("\n")}\n`;
}

function summaryLines(asOf: AccountsAsOf, counts: AccountCounts, layout: Layout): readonly string[] {
  const widest = Math.max(...Object.values(titles).map((title) => title.length));
  const lines = accountKinds.map((kind) => {
    const { active, inactive, unknown } = counts[kind];
    const states = [
      `${active} active`,
      `${inactive} inactive`,
      ...(unknown > 0 ? [`${unknown} of unknown state`] : []),
    ];
    return `${padded(kind, 8, layout)}  ${padded(titles[kind], widest, layout)}  ${states.join(", ")}`;
  });
  const all = Object.values(counts).reduce(
    (sum, { active, inactive, unknown }) => sum + active + inactive + unknown,
    0,
  );
  const listed =
    asOf.listedAt === null
      ? "Lattice has not been listed in full yet: accounts may be missing."
      : `As of ${timeText(asOf.listedAt)}, when Lattice was last listed in full: accounts that were made in Lattice since then are missing.`;
  const incomplete =
    asOf.incomplete === null ? [] : [`The last listing was incomplete: ${printable(asOf.incomplete)}`];
  return [...lines, "", `${count(all, "account")}. ${listed}`, ...incomplete];
}
