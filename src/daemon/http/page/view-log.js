import { api } from "./api.js";
import { h, table } from "./dom.js";
import { pageAddress } from "./job.js";
import { moreButton, pagesOf } from "./pager.js";
import { byWhom, changeList, duration, moment, personLink, tag } from "./words.js";

const actions = ["create", "update", "deactivate", "reactivate", "link"];
const outcomes = ["done", "failed", "held", "cancelled", "reported", "planned", "sending"];
const pageSize = 50;

/** The provisioning log, filtered. */
export const logView = {
  read: async ({ query, signal }) => readEntries(requestOf(query), signal),
  draw: (list, visit) => [
    h("h1", null, "Provisioning log"),
    filters(visit.query),
    takeBack(visit.query.get("cycle")),
    h("section", null, entries(visit, list, requestOf(visit.query))),
  ],
};

/** A link to the page that takes back the cycle whose log is shown. */
function takeBack(cycle) {
  if (!/^[0-9]+$/.test(cycle ?? "")) return null;
  return h(
    "p",
    { "data-key": "take-back" },
    h("a", { class: "button", href: pageAddress(`revert/${cycle}`) }, `Take cycle ${cycle} back…`),
  );
}

function filters(query) {
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
    const next = pageAddress(`log?${new URLSearchParams(values)}`);
    if (location.hash === next) dispatchEvent(new HashChangeEvent("hashchange"));
    else location.hash = next;
  };
  return h(
    "form",
    { class: "filters", onsubmit: apply, role: "search" },
    field("text", "Name contains", input("text", "search")),
    field("action", "Action", select("action", actions)),
    field("outcome", "Outcome", select("outcome", outcomes)),
    field("since", "From", input("since", "date")),
    field("until", "To", input("until", "date")),
    field("cycle", "Cycle number", input("cycle", "number")),
    h("button", { type: "submit", class: "main" }, "Filter"),
  );
}

/** The first page of the entries that match `parameters`. */
export async function readEntries(parameters, signal) {
  const page = await readPage(parameters, null, signal);
  return pagesOf(page.rows, page.next);
}

/** The entries of `list`, with a button for older ones that match `parameters`. */
export function entries(visit, list, parameters) {
  if (list.rows.length === 0) return h("p", { class: "quiet" }, "No log entry matches.");
  const heads = ["When", "Person", "Action", "Outcome", "What"];
  return [
    table("The newest first", heads, list.rows.map(row)),
    moreButton(visit, list, "Show older", (before) => readPage(parameters, before, visit.signal)),
  ];
}

async function readPage(parameters, before, signal) {
  const query = new URLSearchParams({ ...parameters, limit: String(pageSize) });
  if (before !== null) query.set("before", String(before));
  const page = await api(`log?${query}`, { signal });
  return { rows: page.entries, next: page.before };
}

function requestOf(query) {
  const request = Object.fromEntries(query);
  // Days are those of the reader's time zone.
  if (request.since) request.since = new Date(`${request.since}T00:00:00`).toISOString();
  if (request.until) request.until = new Date(`${request.until}T23:59:59.999`).toISOString();
  return request;
}

function row(entry) {
  return h(
    "tr",
    { "data-key": `entry-${entry.id}` },
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
        entry.decision === undefined
          ? null
          : h("p", { class: "small" }, `${entry.decision.what} `, byWhom(entry.decision)),
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
