import { api } from "./api.js";
import { h, table } from "./dom.js";
import { pager } from "./pager.js";
import { changeList, duration, moment, personLink, tag } from "./words.js";

const actions = ["create", "update", "deactivate", "reactivate", "link"];
const outcomes = ["done", "failed", "held", "cancelled", "reported", "planned", "sending"];
const pageSize = 50;

export async function logView({ query, signal }) {
  const field = (name, text, control) => h("label", { for: `filter-${name}` }, text, control);
  const input = (name, type) =>
    h("input", { id: `filter-${name}`, name, type, value: query.get(name) ?? "" });
  const select = (name, values) =>
    h(
      "select",
      { id: `filter-${name}`, name },
      h("option", { value: "" }, "any"),
      values.map((value) => h("option", { value, selected: query.get(name) === value }, value)),
    );
  const apply = (event) => {
    event.preventDefault();
    const values = [...new FormData(event.target)].filter(([, value]) => value !== "");
    const next = `#/log?${new URLSearchParams(values)}`;
    if (location.hash === next) dispatchEvent(new HashChangeEvent("hashchange"));
    else location.hash = next;
  };
  const form = h(
    "form",
    { class: "filters", onsubmit: apply, role: "search" },
    field("text", "Name has", input("text", "search")),
    field("action", "Action", select("action", actions)),
    field("outcome", "Outcome", select("outcome", outcomes)),
    field("since", "From", input("since", "date")),
    field("until", "To", input("until", "date")),
    field("cycle", "Cycle number", input("cycle", "number")),
    h("button", { type: "submit", class: "main" }, "Filter"),
  );
  const list = h("div", null);
  await entries(list, requestOf(query), signal);
  return [h("h1", null, "Provisioning log"), form, h("section", null, list)];
}

/** The entries that meet `parameters`, page after page, into `list`. */
export async function entries(list, parameters, signal) {
  const page = await read(parameters, null, signal);
  if (page.entries.length === 0) {
    list.replaceChildren(h("p", { class: "quiet" }, "No entry of the log matches."));
    return;
  }
  const body = table(
    "The newest first",
    ["When", "Person", "Action", "Outcome", "What"],
    page.entries.map(row),
  );
  const more = pager("Show older", page.before, async (before) => {
    const next = await read(parameters, before, signal);
    const rows = next.entries.map(row);
    body.querySelector("tbody").append(...rows);
    return { rows, next: next.before };
  });
  list.replaceChildren(body, more);
}

function read(parameters, before, signal) {
  const query = new URLSearchParams({ ...parameters, limit: String(pageSize) });
  if (before !== null) query.set("before", String(before));
  return api(`log?${query}`, { signal });
}

function requestOf(query) {
  const request = Object.fromEntries(query);
  // Days are those of whoever looks.
  if (request.since) request.since = new Date(`${request.since}T00:00:00`).toISOString();
  if (request.until) request.until = new Date(`${request.until}T23:59:59.999`).toISOString();
  return request;
}

function row(entry) {
  return h(
    "tr",
    null,
    h("td", { class: "time" }, moment(entry.at, { away: false })),
    h("td", null, personLink(entry.objectId, entry.userName)),
    h("td", null, tag(entry.action)),
    h(
      "td",
      null,
      tag(entry.status),
      entry.attempt > 1 ? h("div", { class: "small quiet" }, `try ${entry.attempt}`) : null,
    ),
    h(
      "td",
      null,
      entry.reason,
      entry.error === null ? null : h("div", { class: "notice bad small" }, entry.error),
      h(
        "details",
        null,
        h("summary", { class: "small" }, "Details"),
        changeList(entry.changes),
        h(
          "p",
          { class: "small quiet" },
          `${entry.cycle} cycle ${entry.cycleId}`,
          entry.durationMs === null ? "" : `, ${duration(entry.durationMs)}`,
          entry.httpStatus === null ? "" : `, HTTP ${entry.httpStatus}`,
          entry.requestId === null ? "" : `, request ${entry.requestId}`,
        ),
      ),
    ),
  );
}
