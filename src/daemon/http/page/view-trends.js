import { api } from "./api.js";
import { chart, loadCharts } from "./chart.js";
import { h } from "./dom.js";
import { duration, number } from "./words.js";

const dayMs = 86_400_000;
const days = 30;
const actions = ["create", "update", "deactivate", "reactivate", "link"];
const outcomes = { someFailed: "some failed", paused: "sending paused" };

/** A chart cannot be updated: it is made again when the view is read again. */
export const trendsView = { whole: true, read: readCharts, draw: (sections) => sections };

async function readCharts({ signal }) {
  const [data] = await Promise.all([api("days", { signal }), loadCharts()]);
  const since = Date.parse(data.since);
  const dayNames = Array.from({ length: days }, (_, index) =>
    new Date(since + index * dayMs).toISOString().slice(0, 10),
  );
  const sum = (day, matches) =>
    data.counts.filter((one) => one.day === day && matches(one)).reduce((total, one) => total + one.count, 0);
  const operations = actions.map((action) => ({
    name: action,
    values: dayNames.map((day) => sum(day, (one) => one.action === action && one.outcome === "done")),
  }));
  const errors = [
    {
      name: "failed operations",
      color: "deactivate",
      values: dayNames.map((day) => sum(day, (one) => one.outcome === "failed")),
    },
    {
      name: "failed cycles",
      color: "reactivate",
      values: dayNames.map(
        (day) =>
          data.cycles.filter((cycle) => cycle.outcome === "failed" && cycle.startedAt.startsWith(day)).length,
      ),
    },
  ];
  return [
    h("h1", null, "The last 30 days"),
    daily("Completed operations, by kind", dayNames, operations, signal),
    lengths([...data.cycles].reverse(), dayNames, signal),
    daily("Errors", dayNames, errors, signal),
  ];
}

/** The unit for durations up to `longestMs`, with its size in seconds. */
function unitFor(longestMs) {
  if (longestMs < 2_000) return { text: "ms", size: 0.001 };
  if (longestMs < 180_000) return { text: "s", size: 1 };
  return longestMs < 3 * 3_600_000 ? { text: "min", size: 60 } : { text: "h", size: 3_600 };
}

const utcDay = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });

/** A UTC day such as `2026-01-31`, in the form of the browser's language. */
function dayText(name) {
  return utcDay.format(new Date(name));
}

function dayCell(name) {
  return h("time", { datetime: name }, dayText(name));
}

/** Operations by day. The days are those of UTC, as in the log. */
function daily(title, dayNames, series, signal) {
  const at = dayNames.map((name) => Date.parse(name) / 1000);
  return chart(title, {
    kind: "bars",
    at,
    series,
    // Half a day more at each end, so that the bars of the first and last day are shown whole.
    span: [at[0] - dayMs / 2000, at.at(-1) + dayMs / 2000],
    timeZone: "UTC",
    reading: (index) => {
      const parts = series.flatMap(({ name, values }) =>
        values[index] > 0 ? [`${name} ${number(values[index])}`] : [],
      );
      return `${dayText(dayNames[index])}: ${parts.length === 0 ? "nothing" : parts.join(", ")}`;
    },
    table: {
      heads: ["Day (UTC)", ...series.map(({ name }) => ({ text: name, class: "number" }))],
      rows: dayNames
        .map((name, index) =>
          h(
            "tr",
            null,
            h("td", null, dayCell(name)),
            series.map(({ values }) => h("td", { class: "number" }, number(values[index]))),
          ),
        )
        .reverse(),
    },
    signal,
  });
}

/** The duration of each cycle, the oldest first. */
function lengths(cycles, dayNames, signal) {
  const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const first = Date.parse(dayNames[0]) / 1000;
  const said = ({ cycle, outcome }) => `${cycle}, ${outcomes[outcome] ?? outcome}`;
  return chart("How long cycles took", {
    kind: "line",
    at: cycles.map(({ startedAt }) => Date.parse(startedAt) / 1000),
    series: [
      {
        name: "from start to end",
        color: "update",
        values: cycles.map(({ durationMs }) => durationMs / 1000),
      },
    ],
    span: [first, first + (days * dayMs) / 1000],
    unit: unitFor(Math.max(...cycles.map(({ durationMs }) => durationMs))),
    reading: (index) => {
      const one = cycles[index];
      return `${clock.format(new Date(one.startedAt))}: ${duration(one.durationMs)} (${said(one)})`;
    },
    table: {
      heads: [
        "Day (UTC)",
        { text: "Cycles", class: "number" },
        { text: "The longest took", class: "number" },
      ],
      rows: dayNames
        .map((name) => {
          const took = cycles
            .filter(({ startedAt }) => startedAt.startsWith(name))
            .map(({ durationMs }) => durationMs);
          return h(
            "tr",
            null,
            h("td", null, dayCell(name)),
            h("td", { class: "number" }, number(took.length)),
            h("td", { class: "number" }, took.length === 0 ? "" : duration(Math.max(...took))),
          );
        })
        .reverse(),
    },
    signal,
  });
}
