import { api } from "./api.js";
import { h, table } from "./dom.js";
import { number } from "./words.js";

const dayMs = 86_400_000;
const days = 30;
const actions = ["create", "update", "deactivate", "reactivate", "link"];
// Told apart by lightness as well as by colour.
const colors = {
  light: {
    create: "#1d6b3f",
    update: "#2f7fb8",
    deactivate: "#a8281f",
    reactivate: "#c98a1b",
    link: "#7a5aa6",
    line: "#dde1e7",
    ink: "#566070",
  },
  dark: {
    create: "#79cf9d",
    update: "#7cbbe6",
    deactivate: "#ff9a8f",
    reactivate: "#f0c66a",
    link: "#c3a6ee",
    line: "#323943",
    ink: "#a3adba",
  },
};

/** The charts keep what is drawn in them: they are made anew when the view is read again. */
export const trendsView = { whole: true, read: readCharts, draw: (sections) => sections };

async function readCharts({ signal }) {
  const [data] = await Promise.all([api("days", { signal }), loadCharts()]);
  const since = Date.parse(data.since);
  const dayNames = Array.from({ length: days }, (_, index) =>
    new Date(since + index * dayMs).toISOString().slice(0, 10),
  );
  const at = dayNames.map((day) => Date.parse(day) / 1000);
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
  const cycles = [...data.cycles].reverse();
  const seconds = cycles.map(({ durationMs }) => durationMs / 1000);
  const longest = dayNames.map((day) => {
    const of = cycles
      .filter(({ startedAt }) => startedAt.startsWith(day))
      .map(({ durationMs }) => durationMs / 1000);
    return of.length === 0 ? null : Math.max(...of);
  });
  // Half a day more at either end, so that a bar of the first or last day is shown whole.
  const span = [since / 1000 - dayMs / 2000, since / 1000 + (days - 0.5) * (dayMs / 1000)];
  const bars = { paths: "bars", span };
  return [
    h("h1", null, "The last 30 days"),
    chart("Operations that were done, by kind", at, operations, dayNames, { ...bars, signal }),
    chart(
      "How long cycles took, in seconds",
      cycles.map(({ startedAt }) => Date.parse(startedAt) / 1000),
      [{ name: "seconds", color: "update", values: seconds }],
      dayNames,
      {
        span: [since / 1000, since / 1000 + (days * dayMs) / 1000],
        signal,
        rows: [
          {
            name: "longest cycle, seconds",
            values: longest.map((value) => (value === null ? null : Math.round(value * 10) / 10)),
          },
        ],
      },
    ),
    chart("Errors", at, errors, dayNames, { ...bars, signal }),
  ];
}

function chart(title, at, series, dayNames, { signal, paths, span, rows = series }) {
  const place = h("div", {
    class: "chart",
    role: "img",
    "aria-label": `${title}: chart; the figures are in the table below it`,
  });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let plot = null;
  const draw = () => {
    const palette = dark.matches ? colors.dark : colors.light;
    plot?.destroy();
    const axis = {
      stroke: palette.ink,
      grid: { stroke: palette.line, width: 1 },
      ticks: { stroke: palette.line },
      font: "12px system-ui",
    };
    // Bars stand on those before them: the tallest is drawn first.
    const stacked = paths === "bars" ? stack(series) : series;
    plot = new uPlot(
      {
        width: Math.max(place.clientWidth, 200),
        height: 240,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        scales: {
          x: { time: true, range: [span[0], span[1]] },
          y: { range: (_plot, _low, high) => [0, Math.max(high * 1.05, 1)] },
        },
        axes: [axis, { ...axis, size: 56 }],
        series: [
          {},
          ...stacked.map(({ name, color }) => ({
            label: name,
            stroke: palette[color ?? name],
            fill: paths === "bars" ? palette[color ?? name] : undefined,
            width: paths === "bars" ? 0 : 1.5,
            points: { show: paths !== "bars" && at.length < 60 },
            ...(paths === "bars" ? { paths: uPlot.paths.bars({ size: [0.7, 28] }) } : {}),
          })),
        ],
      },
      [at, ...stacked.map(({ values }) => values)],
      place,
    );
  };
  const observer = new ResizeObserver(() => {
    if (plot === null) draw();
    else plot.setSize({ width: Math.max(place.clientWidth, 200), height: 240 });
  });
  observer.observe(place);
  dark.addEventListener("change", draw, { signal });
  signal.addEventListener("abort", () => {
    observer.disconnect();
    plot?.destroy();
  });
  const palette = dark.matches ? colors.dark : colors.light;
  return h(
    "section",
    null,
    h("h2", null, title),
    h(
      "ul",
      { class: "legend" },
      series.map(({ name, color, values }) => {
        const key = document.createElementNS("http://www.w3.org/2000/svg", "svg");
        key.setAttribute("viewBox", "0 0 10 10");
        key.setAttribute("aria-hidden", "true");
        const square = document.createElementNS("http://www.w3.org/2000/svg", "rect");
        square.setAttribute("width", "10");
        square.setAttribute("height", "10");
        square.setAttribute("rx", "2");
        square.setAttribute("fill", palette[color ?? name]);
        key.append(square);
        const total = values.reduce((all, value) => all + value, 0);
        return h("li", null, key, paths === "bars" ? `${name} ${number(total)}` : name);
      }),
    ),
    place,
    h(
      "details",
      null,
      h("summary", null, "As a table"),
      table(
        title,
        ["Day (UTC)", ...rows.map(({ name }) => ({ text: name, class: "number" }))],
        dayNames
          .map((day, index) =>
            h(
              "tr",
              null,
              h("td", null, day),
              rows.map(({ values }) =>
                h("td", { class: "number" }, values[index] === null ? "" : number(values[index])),
              ),
            ),
          )
          .reverse(),
        { stack: false },
      ),
    ),
  );
}

/** Each series on top of those after it, so that drawn one after the other they look stacked. */
function stack(series) {
  return series.map((one, index) => ({
    ...one,
    values: one.values.map((_, day) =>
      series.slice(index).reduce((sum, other) => sum + other.values[day], 0),
    ),
  }));
}

let charts = null;

/** The library for charts, and its style, when they are first needed. */
function loadCharts() {
  charts ??= new Promise((resolve, reject) => {
    const base = new URL(".", import.meta.url);
    document.head.append(h("link", { rel: "stylesheet", href: new URL("uPlot.min.css", base).href }));
    document.head.append(
      h("script", {
        src: new URL("uPlot.iife.min.js", base).href,
        onload: () => resolve(),
        onerror: () => reject(new Error("The library for charts could not be loaded.")),
      }),
    );
  });
  return charts;
}
