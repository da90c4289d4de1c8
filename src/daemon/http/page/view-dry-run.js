import { api } from "./api.js";
import { h, table } from "./dom.js";
import { operationRow } from "./operation-row.js";
import { moreButton, pagesOf } from "./pager.js";
import { number } from "./words.js";
import { summaryText, wouldBeHeld } from "./work-card.js";

const pageSize = 100;

/** The plan of the last dry run. */
export const dryRunView = {
  gone: "This dry run is no longer kept. The daemon keeps only the last one, until it restarts.",
  read: async ({ parameter: id, signal }) => {
    const address = `works/${encodeURIComponent(id)}`;
    const work = await api(address, { signal });
    const first = await readPage(address, 0, signal);
    return { address, work, first, list: pagesOf(first.rows, first.next) };
  },
  draw: ({ address, work, first, list }, visit) => [
    h("h1", null, "Dry run"),
    h(
      "p",
      null,
      "Nothing was written. ",
      work.result === null ? "" : [summaryText(work.result.summary, "are planned"), wouldBeHeld(work.result)],
    ),
    work.result?.guard.held
      ? h(
          "div",
          { class: "notice warn" },
          "In a sync, changes marked “would be held” wait for your decision. Everything else is sent:",
          h(
            "ul",
            null,
            work.result.guard.reasons.map((reason) => h("li", null, reason)),
          ),
        )
      : null,
    first.total > first.kept
      ? h(
          "p",
          { class: "quiet" },
          `The first ${number(first.kept)} of ${number(first.total)} operations. Use “sync --dry-run --out FILE” to see all.`,
        )
      : null,
    h(
      "section",
      null,
      first.total === 0
        ? h("p", null, "Nothing to do: Entra and Lattice agree.")
        : [
            table(
              work.result?.guard.held ? "What would be held comes first" : "What would be sent",
              ["Person", "Action", "Why", "What would change"],
              list.rows.map((operation) => operationRow(operation)),
            ),
            moreButton(visit, list, "Show more", (from) => readPage(address, from, visit.signal)),
          ],
    ),
  ],
};

async function readPage(address, from, signal) {
  const page = await api(`${address}/operations?limit=${pageSize}&from=${from}`, { signal });
  const shown = from + page.operations.length;
  return { ...page, rows: page.operations, next: shown < page.kept ? shown : null };
}
