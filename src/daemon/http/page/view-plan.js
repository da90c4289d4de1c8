import { api } from "./api.js";
import { h, table } from "./dom.js";
import { pager } from "./pager.js";
import { changeList, count, moment, number, personLink, tag } from "./words.js";
import { summaryText, workCard } from "./work-card.js";

/** A held plan, to be released or rejected person by person. */
export async function planView({ parameter: planId, signal, reload }) {
  const address = `plans/${encodeURIComponent(planId)}`;
  const plan = await api(`${address}?limit=100`, { signal });
  const chosen = new Map();
  const status = h("p", { class: "small quiet", role: "status" });
  const problem = h("div", { role: "alert" });
  const place = h("div", null);

  const decide = async (body, question) => {
    if (!confirm(question)) return;
    problem.replaceChildren();
    for (const button of buttons) button.disabled = true;
    try {
      const { work } = await api(`${address}/release`, { method: "POST", body });
      const begun = await api(`works/${work}`, { signal });
      place.replaceChildren(
        workCard(begun, signal, () =>
          actions.replaceChildren(h("a", { class: "button", href: "#/" }, "To the dashboard")),
        ),
      );
      place.scrollIntoView({ block: "nearest" });
    } catch (error) {
      problem.replaceChildren(h("div", { class: "notice bad" }, error.message));
      update();
    }
  };
  const names = () => [...chosen.keys()];
  const people = () => count(chosen.size, "person", "people");
  const releaseChosen = h(
    "button",
    {
      type: "button",
      class: "main",
      onclick: () => decide({ only: names() }, `Release what is held of ${people()}? It is sent now.`),
    },
    "Release chosen",
  );
  const rejectChosen = h(
    "button",
    {
      type: "button",
      class: "danger",
      onclick: () =>
        decide(
          { reject: names() },
          `Reject what is held of ${people()}? It is not sent as long as it is due as it was; everything else of them goes on.`,
        ),
    },
    "Reject chosen",
  );
  const releaseAll = h(
    "button",
    {
      type: "button",
      onclick: () =>
        decide({}, `Release all ${number(plan.heldOperations)} held operations? They are sent now.`),
    },
    "Release all",
  );
  const buttons = [releaseChosen, rejectChosen, releaseAll];
  const update = () => {
    releaseChosen.disabled = chosen.size === 0;
    rejectChosen.disabled = chosen.size === 0;
    releaseAll.disabled = false;
    status.textContent = chosen.size === 0 ? "Nobody is chosen." : `${people()} chosen.`;
  };
  const actions = h("div", { class: "sticky row" }, buttons, status);
  const row = (operation) => {
    const box = h("input", {
      type: "checkbox",
      "aria-label": `Choose ${operation.userName}`,
      onchange: () => {
        if (box.checked) chosen.set(operation.objectId, operation.userName);
        else chosen.delete(operation.objectId);
        update();
      },
    });
    return operationRow(operation, box);
  };
  const body = table(
    "What is held",
    ["Choose", "Person", "Action", "Why", "What would change"],
    plan.held.map(row),
  );
  const more = pager("Show more", plan.next, async (next) => {
    const page = await api(`${address}?limit=100&afterWave=${next.afterWave}&afterId=${next.afterId}`, {
      signal,
    });
    const rows = page.held.map(row);
    body.querySelector("tbody").append(...rows);
    return { rows, next: page.next };
  });
  update();
  const heading = [
    h("h1", null, "Held plan"),
    h(
      "p",
      { class: "quiet" },
      `${plan.cycle} cycle of `,
      moment(plan.startedAt),
      ". ",
      summaryText(plan.summary, "were to be"),
    ),
    h(
      "div",
      { class: "notice warn" },
      h(
        "ul",
        null,
        [...(plan.guard?.reasons ?? []), ...(plan.guard?.notes ?? [])].map((line) => h("li", null, line)),
      ),
    ),
    place,
    problem,
  ];
  if (plan.held.length === 0) {
    return [
      ...heading,
      h(
        "section",
        null,
        h("p", null, "This plan holds nothing."),
        h("button", { type: "button", onclick: reload }, "Look again"),
      ),
    ];
  }
  return [...heading, h("section", null, body, more, actions)];
}

/** What the last dry run would do. */
export async function dryRunView({ parameter: id, signal }) {
  const pageSize = 100;
  const work = await api(`works/${encodeURIComponent(id)}`, { signal });
  const first = await api(`works/${encodeURIComponent(id)}/operations?limit=${pageSize}`, { signal });
  const body = table(
    "What would be sent",
    ["Person", "Action", "Why", "What would change"],
    first.operations.map((operation) => operationRow(operation, null)),
  );
  const nextOf = (shown) => (shown < first.kept ? shown : null);
  const more = pager("Show more", nextOf(first.operations.length), async (from) => {
    const page = await api(`works/${encodeURIComponent(id)}/operations?limit=${pageSize}&from=${from}`, {
      signal,
    });
    const rows = page.operations.map((operation) => operationRow(operation, null));
    body.querySelector("tbody").append(...rows);
    return { rows, next: nextOf(from + rows.length) };
  });
  return [
    h("h1", null, "Dry run"),
    h(
      "p",
      null,
      "Nothing was written. ",
      work.result === null ? "" : summaryText(work.result.summary, "would be"),
    ),
    work.result?.guard.held
      ? h(
          "div",
          { class: "notice warn" },
          "The guard would hold a part of this:",
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
          `The first ${number(first.kept)} of ${number(first.total)} operations; “sync --dry-run --out FILE” has all.`,
        )
      : null,
    h("section", null, first.total === 0 ? h("p", null, "Nothing is due: both ends agree.") : [body, more]),
  ].filter((part) => part !== null);
}

function operationRow(operation, box) {
  return h(
    "tr",
    null,
    box === null ? null : h("td", null, box),
    h("td", null, personLink(operation.objectId, operation.userName)),
    h("td", null, tag(operation.action)),
    h(
      "td",
      null,
      operation.reason,
      operation.evidence && operation.evidence.detail !== operation.reason
        ? h("div", { class: "small quiet" }, operation.evidence.detail)
        : null,
    ),
    h("td", null, changeList(operation.changes)),
  );
}
