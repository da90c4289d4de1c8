import { api } from "./api.js";
import { h, table } from "./dom.js";
import { count, moment, number, outcomeTag } from "./words.js";

/** All jobs of this daemon. The view refreshes itself. */
export const jobsView = {
  title: "Jobs",
  nav: null,
  everyMs: 15_000,
  read: ({ signal }) => api("jobs", { signal }),
  draw: ({ jobs, now }) => [
    h("h1", null, "Jobs"),
    h(
      "section",
      { "data-key": "jobs" },
      table(
        summary(jobs),
        ["Job", "State", "Last cycle", "Next cycle", "Held", "Failing"],
        jobs.map((job) =>
          h(
            "tr",
            { "data-key": job.name },
            h("th", { scope: "row" }, h("a", { href: `#/jobs/${job.name}/` }, job.name)),
            h("td", null, ...state(job)),
            h("td", null, ...lastCycle(job)),
            h("td", null, job.open && job.nextDueAt ? moment(job.nextDueAt) : ""),
            h("td", null, held(job)),
            h("td", null, job.people ? number(job.people.retrying) : ""),
          ),
        ),
      ),
    ),
    h("p", { class: "quiet small" }, "As of ", moment(now, { away: false }), "."),
  ],
};

function summary(jobs) {
  const troubled = jobs.filter(({ fault, quarantine }) => fault || quarantine).length;
  const text = count(jobs.length, "job");
  return troubled === 0 ? text : `${text}, ${troubled} in trouble`;
}

function state({ open, fault, quarantine, working }) {
  const reason = fault?.reason ?? quarantine?.reason;
  const [tone, text] = !open
    ? ["bad", "not open"]
    : fault
      ? ["warn", "old configuration"]
      : quarantine
        ? ["bad", "quarantine"]
        : working
          ? ["", "working"]
          : ["good", "ok"];
  return [
    h("span", { class: `tag ${tone}` }, text),
    ...(reason === undefined ? [] : [h("div", { class: "small" }, reason)]),
  ];
}

function lastCycle({ lastCycle: last }) {
  return last ? [outcomeTag(last.outcome), " ", moment(last.startedAt)] : [];
}

function held({ name, heldOperations, heldPlanId }) {
  if (!heldOperations) return heldOperations === undefined ? "" : "0";
  return h("a", { href: `#/jobs/${name}/plans/${encodeURIComponent(heldPlanId)}` }, number(heldOperations));
}
