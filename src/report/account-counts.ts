import { accountKinds, type KindCounts } from "../cycle/person/account-kinds.ts";

/** The name of each kind in a list of counts. */
const kindWords = {
  linked: "linked",
  left: "of people who have left",
  unlinked: "not linked although a user matches",
  nobodys: "nobody's",
} as const;

/** Accounts by kind in one line: `Accounts: 240 linked, 12 of people who have left (1 active), 2 nobody's (2 active)`. */
export function accountsText(counts: KindCounts): string {
  const parts = accountKinds.flatMap((kind) => {
    const { active, inactive } = counts[kind];
    const total = active + inactive;
    if (kind === "linked") return [`${total.toLocaleString("en")} ${kindWords.linked}`];
    return total === 0
      ? []
      : [`${total.toLocaleString("en")} ${kindWords[kind]} (${active.toLocaleString("en")} active)`];
  });
  return `Accounts: ${parts.join(", ")}`;
}
