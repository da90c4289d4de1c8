import type { NobodysAccount } from "../../domain/state/account-report.ts";
import type { StateChange } from "../../domain/state/change.ts";
import type { CycleContext } from "../context/context.ts";
import { type KindCounts, parseKindCounts } from "./account-kinds.ts";

const pageSize = 5_000;
/** Accounts that one event names. */
const mostNamed = 20;

/**
 * Counts the accounts by kind, for status and metrics, and reports active accounts that have become nobody's since the cycle before: one
 * event, however many they are. Those that the first cycle finds are not reported: `accounts` lists them.
 */
export async function noteAccounts(
  context: Pick<CycleContext, "store" | "fence" | "clock" | "onEvent">,
): Promise<void> {
  const { store, fence, clock, onEvent } = context;
  const known = parseKindCounts(await store.meta());
  const found = await allPages(
    (after) => store.newNobodys(after, pageSize),
    ({ latticeId }) => latticeId,
  );
  const former = await allPages(
    (after) => store.formerNobodys(after, pageSize),
    (latticeId) => latticeId,
  );
  const counts = await kindCounts(context);
  const event = known === null || found.length === 0 ? null : eventOf(found);
  const nobodys: NonNullable<StateChange["nobodys"]> = {
    drop: former,
    put: found.map(({ latticeId }) => latticeId),
  };
  await store.commit(
    {
      nobodys,
      notes: { accountCounts: JSON.stringify(counts) },
      ...(event === null ? {} : { events: [{ event, at: clock.now() }] }),
    },
    fence,
  );
  if (event !== null) onEvent?.(event);
}

async function kindCounts({ store }: Pick<CycleContext, "store">): Promise<KindCounts> {
  const { linked, left, matched, nobodys } = await store.accountCounts();
  return {
    linked: { active: linked.active - left.active, inactive: linked.inactive - left.inactive },
    left,
    unlinked: matched,
    nobodys,
  };
}

function eventOf(found: readonly NobodysAccount[]) {
  return { kind: "nobodysAccounts", count: found.length, accounts: found.slice(0, mostNamed) } as const;
}

async function allPages<Row>(
  read: (after: string) => Promise<readonly Row[]>,
  keyOf: (row: Row) => string,
): Promise<readonly Row[]> {
  const all: Row[] = [];
  for (let after = ""; ; ) {
    const page = await read(after);
    const last = page.at(-1);
    if (last === undefined) return all;
    all.push(...page);
    after = keyOf(last);
  }
}
