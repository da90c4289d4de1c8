import { h, table } from "./dom.js";
import { number } from "./words.js";

// One chart, drawn by uPlot. It is read with the pointer, the arrow keys, or as a table below it.

// The colours differ in lightness too.
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
const height = 240;
/** Steps of the axis of values: whole numbers, because operations are counted. */
const wholeSteps = Array.from({ length: 10 }, (_, power) =>
  [1, 2, 5].map((step) => step * 10 ** power),
).flat();

/**
 * A section with a chart of `series` over time.
 * @param {string} title
 * @param {object} chart
 * @param {readonly number[]} chart.at times, in seconds since the epoch
 * @param {readonly {name: string, color?: string, values: readonly number[]}[]} chart.series
 * @param {"bars" | "line"} chart.kind bars are whole numbers and are stacked
 * @param {readonly [number, number]} chart.span the first and last time on the axis, in seconds since the epoch
 * @param {string | undefined} chart.timeZone of the time axis; default: the browser's
 * @param {{text: string, size: number} | undefined} chart.unit the unit of the other axis; default: a plain count
 * @param {(index: number) => string} chart.reading all values at one time, in words
 * @param {{heads: readonly unknown[], rows: readonly Node[]}} chart.table the same as a table
 * @param {AbortSignal} chart.signal aborts when the user leaves the view
 */
export function chart(title, { series, at, table: figures, signal, ...how }) {
  const isEmpty = how.kind === "bars" ? series.every(({ values }) => values.every(isZero)) : at.length === 0;
  if (isEmpty) {
    return h("section", null, h("h2", null, title), h("p", { class: "quiet" }, "Nothing yet."));
  }
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const place = readable(title, at.length, how.reading);
  // Bars are stacked, so the tallest one is drawn first.
  const drawn = how.kind === "bars" ? stack(series) : series;
  const keys = h("ul", { class: "legend" });
  let plot = null;
  const width = () => Math.max(place.element.clientWidth, 200);
  const draw = () => {
    plot?.destroy();
    const palette = dark.matches ? colors.dark : colors.light;
    keys.replaceChildren(...legend(series, how.kind, palette));
    const data = [at, ...drawn.map(({ values }) => values)];
    plot = new uPlot(
      { width: width(), height, ...looks(drawn, how, palette), hooks: place.hooks },
      data,
      place.element,
    );
    place.follow(plot);
  };
  const observer = new ResizeObserver(() => {
    if (plot === null) draw();
    else plot.setSize({ width: width(), height });
  });
  observer.observe(place.element);
  dark.addEventListener("change", draw, { signal });
  signal.addEventListener("abort", () => {
    observer.disconnect();
    plot?.destroy();
  });
  return h(
    "section",
    null,
    h("h2", null, title),
    keys,
    place.element,
    h(
      "details",
      null,
      h("summary", null, "As a table"),
      table(title, figures.heads, figures.rows, { stack: false }),
    ),
  );
}

const isZero = (value) => value === 0;

/** Room for the labels of the axis of values. Their length depends on the unit and on the reader's language. */
function roomFor(_plot, labels) {
  const longest = Math.max(0, ...(labels ?? []).map((label) => label.length));
  return Math.max(56, longest * 7.5 + 20);
}

function looks(series, { kind, span, timeZone, unit = { text: "", size: 1 } }, palette) {
  const axis = {
    stroke: palette.ink,
    grid: { stroke: palette.line, width: 1 },
    ticks: { stroke: palette.line },
    font: "12px system-ui",
  };
  const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone });
  const bars = kind === "bars";
  return {
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    // If the days of another time zone are shown, the axis has the midnights of that zone.
    ...(timeZone === undefined
      ? {}
      : { tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), timeZone) }),
    scales: {
      x: { time: true, range: [span[0], span[1]] },
      y: { range: (_plot, _low, high) => [0, bars ? Math.max(high, 1) : high * 1.05 || 1] },
    },
    axes: [
      { ...axis, values: (_plot, ticks) => ticks.map((seconds) => day.format(new Date(seconds * 1000))) },
      {
        ...axis,
        size: roomFor,
        values: (_plot, ticks) => ticks.map((value) => `${number(value / unit.size)} ${unit.text}`.trim()),
        incrs: wholeSteps.map((step) => step * unit.size),
      },
    ],
    series: [
      {},
      ...series.map(({ name, color }) => ({
        label: name,
        stroke: palette[color ?? name],
        fill: bars ? palette[color ?? name] : undefined,
        width: bars ? 0 : 1.5,
        points: { show: !bars && series[0].values.length < 60 },
        ...(bars ? { paths: uPlot.paths.bars({ size: [0.7, 28] }) } : {}),
      })),
    ],
  };
}

/**
 * The area of a chart: a slider through its points. Its value says in words what is at the point, for the pointer and for the
 * keys.
 */
function readable(title, length, reading) {
  const box = h("div", { class: "reading", hidden: true });
  let plot = null;
  let index = null;
  const show = (next) => {
    index = next;
    box.hidden = next === null;
    if (next === null) return;
    const text = reading(next);
    box.textContent = text;
    element.setAttribute("aria-valuenow", String(next + 1));
    element.setAttribute("aria-valuetext", text);
    const left = plot.over.offsetLeft + plot.valToPos(plot.data[0][next], "x");
    // Next to the pointer, on the side that has room.
    const before = left > element.clientWidth / 2;
    box.style.left = before ? "" : `${left + 12}px`;
    box.style.right = before ? `${element.clientWidth - left + 12}px` : "";
  };
  const moveTo = (next) => {
    const wanted = Math.min(Math.max(next, 0), length - 1);
    plot.setCursor({ left: plot.valToPos(plot.data[0][wanted], "x"), top: 0 }, false);
    show(wanted);
  };
  const leave = () => {
    plot?.setCursor({ left: -10, top: -10 }, false);
    show(null);
  };
  const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 7, PageDown: -7 };
  const onkeydown = (event) => {
    if (plot === null || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape") leave();
    else if (event.key === "Home") moveTo(0);
    else if (event.key === "End") moveTo(length - 1);
    // Begin with the newest point, which most readers look for.
    else if (event.key in steps) moveTo(index === null ? length - 1 : index + steps[event.key]);
    else return;
    event.preventDefault();
  };
  const element = h(
    "div",
    {
      class: "chart",
      tabindex: 0,
      role: "slider",
      "aria-label": `${title}: chart. The arrow keys read it; the figures are in the table below it`,
      "aria-valuemin": 1,
      "aria-valuemax": length,
      "aria-valuenow": length,
      "aria-valuetext": reading(length - 1),
      onkeydown,
      onblur: () => leave(),
    },
    box,
  );
  return {
    element,
    hooks: {
      setCursor: [({ cursor }) => plot !== null && show(cursor.left < 0 ? null : (cursor.idx ?? null))],
    },
    follow: (drawn) => {
      plot = drawn;
      show(null);
    },
  };
}

function legend(series, kind, palette) {
  return series.map(({ name, color, values }) => {
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
    return h("li", null, key, kind === "bars" ? `${name} ${number(total)}` : name);
  });
}

/** Adds to each series those after it, so that they look stacked when they are drawn one after the other. */
function stack(series) {
  return series.map((one, index) => ({
    ...one,
    values: one.values.map((_, day) =>
      series.slice(index).reduce((sum, other) => sum + other.values[day], 0),
    ),
  }));
}

let charts = null;

/** Loads the library for charts, and its style, when they are first needed. */
export function loadCharts() {
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
