import { api } from "./api.js";
import { decide, deciding, decisionParts } from "./decide.js";
import { h, table } from "./dom.js";
import { moreButton, pagesOf } from "./pager.js";
import { resume } from "./watch.js";
import { byWhom, count, moment, mostRejections, number, personLink } from "./words.js";

/** Changes that people rejected and that are not sent. A rejection can be undone for each person. */
export const rejectedView = {
  read: async (visit) => {
    resume(visit);
    const page = await readPage(0, visit.signal);
    return { people: page.people, more: page.more, list: pagesOf(page.rows, page.next) };
  },
  draw: ({ people, more, list }, visit) => [
    h("h1", null, "Rejected changes"),
    h(
      "p",
      null,
      "These changes are not sent while they stay the same. Other changes of these people are sent as usual.",
    ),
    more
      ? h(
          "p",
          { class: "notice warn", "data-key": "more" },
          `Only the newest ${number(mostRejections)} rejected changes are listed and counted here.`,
        )
      : null,
    ...decisionParts(visit),
    h(
      "section",
      { "data-key": "rejected" },
      list.rows.length === 0
        ? h("p", null, "Nothing is rejected.")
        : [
            table(
              `${count(people, "person", "people")}, the last rejection first`,
              ["Person", "What was rejected", "When", "Undo"],
              list.rows.map((change) => row(change, visit)),
            ),
            moreButton(visit, list, "Show more", (from) => readPage(from, visit.signal)),
          ],
    ),
  ],
};

async function readPage(from, signal) {
  const page = await api(`rejected?from=${from}`, { signal });
  return { people: page.people, more: page.more === true, rows: page.changes, next: page.next };
}

function row({ objectId, userName, what, planId, rejectedAt, by, reason }, visit) {
  return h(
    "tr",
    { "data-key": `rejected-${objectId}-${what}` },
    h("td", null, personLink(objectId, userName)),
    h("td", null, what),
    h(
      "td",
      null,
      moment(rejectedAt),
      by === undefined ? null : h("div", { class: "small quiet" }, byWhom({ by, reason })),
    ),
    h(
      "td",
      null,
      h(
        "button",
        {
          type: "button",
          "aria-disabled": deciding(visit) ? "true" : null,
          "aria-label": `Undo the rejection of ${userName ?? objectId}`,
          onclick: () => decide(visit, planId, { undoReject: [objectId] }),
        },
        "Undo",
      ),
    ),
  );
}
