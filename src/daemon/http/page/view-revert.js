import { api } from "./api.js";
import { h, table } from "./dom.js";
import { pageAddress } from "./job.js";
import { operationRow } from "./operation-row.js";
import { moreButton, pagesOf } from "./pager.js";
import { follow, resume } from "./watch.js";
import { count, number, personLink, shortPath } from "./words.js";
import { workCard } from "./work-card.js";

const pageSize = 100;
const whys = { changedSince: "changed since", cannot: "cannot be undone", skipped: "skipped" };

/** Takes a cycle back: a preview first, then exactly what it showed. */
export const revertView = {
  read: async (visit) => {
    const { parameter, signal, state } = visit;
    const { works } = await api("works", { signal });
    state.work ??= works.find(({ finishedAt }) => finishedAt === null) ?? null;
    resume(visit);
    const last = works.find(({ result }) => result?.revert?.cycleId === Number(parameter));
    if (last?.kind !== "dryRun") return { preview: null };
    try {
      const address = `works/${encodeURIComponent(last.id)}`;
      const [sent, left] = await Promise.all([
        readPage(address, "operations", 0, signal),
        readPage(address, "left", 0, signal),
      ]);
      return {
        preview: { ...last.result, address },
        sent: { total: sent.total, kept: sent.kept, list: pagesOf(sent.rows, sent.next) },
        left: { total: left.total, list: pagesOf(left.rows, left.next) },
      };
    } catch (error) {
      // The daemon keeps the plan of the last dry run only.
      if (error.status === 404) return { preview: null };
      throw error;
    }
  },
  draw: (data, visit) => {
    const { parameter, state } = visit;
    return [
      h("h1", null, `Take cycle ${parameter} back`),
      h(
        "p",
        null,
        "Each value that Lattice still has as this cycle sent it is set back to its earlier value. Later cycles keep that until Entra has another value, or until you undo the rejection. ",
        h("a", { href: pageAddress(`log?cycle=${parameter}`) }, "Log of this cycle"),
      ),
      order(visit),
      h(
        "div",
        { role: "alert", "data-key": "problem" },
        state.problem ? h("div", { class: "notice bad" }, state.problem) : null,
      ),
      state.work ? workCard(state.work) : null,
      ...(data.preview === null ? [] : previewParts(data, visit)),
    ];
  },
};

function busyWith({ state }) {
  return state.busy === true || state.work?.finishedAt === null;
}

function order(visit) {
  const { state } = visit;
  return h(
    "section",
    { "data-key": "order" },
    h(
      "label",
      { class: "small" },
      h("input", {
        type: "checkbox",
        checked: state.deactivateCreated === true,
        onchange: ({ currentTarget }) => {
          state.deactivateCreated = currentTarget.checked;
        },
      }),
      " Deactivate the accounts that this cycle created",
    ),
    h(
      "p",
      null,
      button("Show what would be sent", null, !busyWith(visit), () => {
        ask(visit, { dryRun: true, deactivateCreated: state.deactivateCreated === true });
      }),
    ),
  );
}

function button(text, tone, possible, press) {
  return h(
    "button",
    {
      type: "button",
      class: tone,
      "aria-disabled": possible ? null : "true",
      onclick: () => {
        if (possible) press();
      },
    },
    text,
  );
}

/** Sends the request to the daemon, and follows the work to its end. */
async function ask(visit, body) {
  const { state, parameter } = visit;
  if (busyWith(visit)) return;
  Object.assign(state, { busy: true, problem: null, work: null });
  visit.redraw();
  try {
    const { work } = await api(`cycles/${parameter}/revert`, { method: "POST", body });
    follow(visit, work);
  } catch (error) {
    state.problem = visit.refused(error);
  }
  state.busy = false;
  visit.redraw();
}

function previewParts({ preview, sent, left }, visit) {
  return [
    preview.guard.held
      ? h(
          "div",
          { class: "notice warn", "data-key": "limits" },
          "It exceeds a limit of the guard. It is sent whole or not at all:",
          h(
            "ul",
            null,
            preview.guard.reasons.map((reason) => h("li", null, reason)),
          ),
        )
      : null,
    h(
      "section",
      { "data-key": "sent" },
      sent.total === 0
        ? h("p", null, "There is nothing to take back.")
        : [
            sent.total > sent.kept
              ? h(
                  "p",
                  { class: "quiet" },
                  `The first ${number(sent.kept)} of ${number(sent.total)} operations.`,
                )
              : null,
            table(
              "What would be sent",
              ["Person", "Action", "Why", "What would change"],
              sent.list.rows.map((operation) => operationRow(operation)),
            ),
            moreButton(visit, sent.list, "Show more", (from) =>
              readPage(preview.address, "operations", from, visit.signal),
            ),
          ],
    ),
    left.total === 0
      ? null
      : h(
          "section",
          { "data-key": "left" },
          table(
            `What is left, of ${count(left.total, "person", "people")}`,
            ["Person", "Why"],
            left.list.rows.map(leftRow),
          ),
          moreButton(visit, left.list, "Show more", (from) =>
            readPage(preview.address, "left", from, visit.signal),
          ),
        ),
    sent.total === 0 ? null : send(preview, visit),
  ];
}

function leftRow({ objectId, userName, why, what }) {
  return h(
    "tr",
    { "data-key": `left-${why}-${objectId}` },
    h("td", null, personLink(objectId, userName)),
    h(
      "td",
      null,
      what.map(({ attribute, reason }) =>
        h("div", null, `${shortPath(attribute)}: ${reason} (${whys[why]})`),
      ),
    ),
  );
}

function send({ revert, guard }, visit) {
  const { state } = visit;
  const accounts = count(revert.operations, "account");
  const press = () => {
    const question = guard.held
      ? `Change ${accounts} in Lattice now, although this exceeds a limit of the guard?`
      : `Change ${accounts} in Lattice now?`;
    if (!confirm(question)) return;
    const reason = (state.reason ?? "").trim();
    ask(visit, {
      agreed: revert.agreed,
      deactivateCreated: revert.deactivateCreated,
      ...(revert.only === null ? {} : { only: revert.only }),
      release: guard.held,
      ...(reason === "" ? {} : { reason }),
    });
  };
  const actions = h(
    "div",
    { class: "sticky row" },
    h(
      "label",
      { class: "small" },
      "Reason ",
      h("input", {
        type: "text",
        maxlength: 500,
        placeholder: "optional",
        value: state.reason ?? "",
        oninput: ({ currentTarget }) => {
          state.reason = currentTarget.value;
        },
      }),
    ),
    button(guard.held ? "Send it all the same" : "Send these changes", "danger", !busyWith(visit), press),
  );
  return h("section", { "data-key": "actions" }, actions);
}

async function readPage(address, part, from, signal) {
  const page = await api(`${address}/${part}?limit=${pageSize}&from=${from}`, { signal });
  const rows = page[part];
  const shown = from + rows.length;
  return { total: page.total, kept: page.kept, rows, next: shown < page.kept ? shown : null };
}
