import { api } from "./api.js";
import { h, table } from "./dom.js";
import { count, moment, number, outcomeTag, standingAside } from "./words.js";

/** All jobs of this daemon, the nearest trouble first, and the daemons that share them. The view refreshes itself. */
export const jobsView = {
  title: "Jobs",
  nav: null,
  everyMs: 15_000,
  read: ({ signal }) => api("fleet", { signal }),
  draw: ({ jobs, now, shared, workers }) => [
    h("h1", null, "Jobs"),
    h(
      "section",
      { "data-key": "jobs" },
      table(
        summary(jobs),
        ["Job", "State", "Last cycle", "Next cycle", ...(shared ? ["Worker"] : []), "Held", "Failing"],
        jobs.map((job) =>
          h(
            "tr",
            { "data-key": job.name },
            h("th", { scope: "row" }, h("a", { href: `#/jobs/${job.name}/` }, job.name)),
            h("td", null, ...state(job)),
            h("td", null, ...lastCycle(job)),
            h("td", null, job.open && job.nextDueAt ? moment(job.nextDueAt) : ""),
            shared ? h("td", null, job.worker ?? "") : null,
            h("td", null, held(job)),
            h("td", null, job.people ? number(job.people.retrying) : ""),
          ),
        ),
      ),
    ),
    shared ? workersPart(workers) : null,
    h("p", { class: "quiet small" }, "As of ", moment(now, { away: false }), "."),
  ],
};

/** The daemons that share the database. Those that died and were replaced are not worth a line. */
function workersPart(workers) {
  const shown = workers.filter(({ alive, missing }) => alive || missing);
  const missing = shown.filter((worker) => worker.missing).length;
  const alive = count(shown.length - missing, "worker");
  return h(
    "section",
    { "data-key": "workers" },
    table(
      missing === 0 ? alive : `${alive}, ${missing} missing`,
      ["Worker", "State", "Works on", "Jobs", "Version", "Last seen"],
      shown.map((worker) =>
        h(
          "tr",
          { "data-key": worker.id },
          h("th", { scope: "row" }, worker.host, worker.self ? " (shows this page)" : ""),
          h(
            "td",
            null,
            worker.missing
              ? h("span", { class: "tag bad" }, "missing")
              : h("span", { class: "tag good" }, "alive"),
          ),
          h("td", null, worker.working.map(({ job }) => job).join(", ")),
          h("td", null, number(worker.jobs.length)),
          h("td", null, worker.version),
          h("td", null, moment(worker.seenAt)),
        ),
      ),
    ),
  );
}

const inTrouble = new Set(["failing", "quarantined", "untaken", "overdue"]);

function summary(jobs) {
  const troubled = jobs.filter(({ condition }) => inTrouble.has(condition)).length;
  const waiting = jobs.filter(({ condition }) => condition === "held").length;
  return [
    count(jobs.length, "job"),
    ...(troubled === 0 ? [] : [`${troubled} in trouble`]),
    ...(waiting === 0 ? [] : [`${waiting} held`]),
  ].join(", ");
}

const tags = {
  failing: ["bad", "failing"],
  quarantined: ["bad", "quarantine"],
  untaken: ["bad", "no worker"],
  overdue: ["bad", "overdue"],
  held: ["warn", "held"],
  paused: ["warn", "paused"],
  running: ["", "working"],
  idle: ["good", "ok"],
};

function state({ open, fault, waits, condition, reason, working, aside = [] }) {
  const [tone, text] = !open
    ? ["bad", "not open"]
    : fault
      ? ["warn", waits ? "waits for another daemon" : "old configuration"]
      : (tags[condition] ?? ["", condition]);
  const alsoWorks = working && condition !== "running" && condition !== "idle";
  return [
    h("span", { class: `tag ${tone}` }, text),
    alsoWorks ? h("span", { class: "tag" }, "working") : null,
    reason ? h("div", { class: "small" }, reason) : null,
    ...standingAside(aside),
  ];
}

function lastCycle({ lastCycle: last }) {
  return last ? [outcomeTag(last.outcome), " ", moment(last.startedAt)] : [];
}

function held({ name, heldOperations, heldPlanId }) {
  if (!heldOperations) return heldOperations === undefined ? "" : "0";
  return h("a", { href: `#/jobs/${name}/plans/${encodeURIComponent(heldPlanId)}` }, number(heldOperations));
}
